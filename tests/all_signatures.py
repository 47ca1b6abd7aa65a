"""All signatures, found by importing the modules of the `signatures` package, so that new ones are tested too."""

import importlib
import pkgutil
from typing import Any

import dspy

import signatures

EXCLUDED_NAMES = {"AnswerAsAsked", "AboutPassage", "AboutQuestion", "NotesOnQuestion"}
"""The signature of a plain question, and base classes of other signatures."""

SIGNATURES: list[Any] = [
    value
    for module in pkgutil.iter_modules(signatures.__path__)
    for value in vars(importlib.import_module(f"signatures.{module.name}")).values()
    if isinstance(value, type) and issubclass(value, dspy.Signature)
    if value.__module__ == f"signatures.{module.name}" and value.__name__ not in EXCLUDED_NAMES
]
"""The signature classes of all stages, ordered by the names of their modules."""
SIGNATURE_NAMES = [signature.__name__ for signature in SIGNATURES]

WITHOUT_PASSAGE = {"CompareAnswers", "CheckRubric"}
"""Signatures that must not see the passage."""
