"""Every signature of the project, found by looking into the signatures package: a new one is tested without a change."""

import importlib
import pkgutil
from typing import Any

import dspy

import signatures

OTHER_FORM = {"AnswerAsAsked", "AboutPassage", "AboutQuestion", "NotesOnQuestion"}
"""Of a question as a person asks it, and what stages extend."""


SIGNATURES: list[Any] = [
    value
    for module in pkgutil.iter_modules(signatures.__path__)
    for value in vars(importlib.import_module(f"signatures.{module.name}")).values()
    if isinstance(value, type) and issubclass(value, dspy.Signature)
    if value.__module__ == f"signatures.{module.name}" and value.__name__ not in OTHER_FORM
]
"""The signature class of every stage, in the order of its module's name."""
NAMES = [signature.__name__ for signature in SIGNATURES]

WITHOUT_PASSAGE = {"CompareAnswers", "CheckRubric"}
"""Signatures that must not see the passage."""
