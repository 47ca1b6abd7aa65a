"""Every signature of the project, found by looking into the signatures package: a new one is tested without a change."""

import importlib
import pkgutil
from typing import Any

import dspy

import signatures

OTHER_FORM = {"AnswerAsAsked", "AboutPassage", "AboutQuestion", "NotesOnQuestion"}
"""Of a question as a person asks it, and what stages extend."""


def all_signatures() -> list[Any]:
    """The signature class of every stage, in the order of its module's name."""
    found = []
    for module in pkgutil.iter_modules(signatures.__path__):
        loaded = importlib.import_module(f"signatures.{module.name}")
        found += [
            value
            for value in vars(loaded).values()
            if isinstance(value, type) and issubclass(value, dspy.Signature) and value.__module__ == loaded.__name__
            if value.__name__ not in OTHER_FORM
        ]
    return found


SIGNATURES = all_signatures()
NAMES = [signature.__name__ for signature in SIGNATURES]

WITHOUT_PASSAGE = {"CompareAnswers", "CheckRubric"}
"""Signatures that must not see the passage."""
