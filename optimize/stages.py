"""The stages that can be tuned: their names on the command line, their predictors, and how far along a text they are."""

from typing import NamedTuple


class Tunable(NamedTuple):
    """A stage's predictor in the `Tracer`, and its depth: a stage is given what those of smaller depth made."""

    predictor: str
    depth: int


STAGES: dict[str, Tunable] = {
    "questions": Tunable("questions.predict", 0),
    "context": Tunable("strands.context", 1),
    "hypotheses": Tunable("strands.hypotheses", 2),
    "evidence": Tunable("strands.evidence", 2),
    "critique": Tunable("strands.critique", 2),
    "perspective": Tunable("strands.perspective", 2),
    "trace": Tunable("writer.trace", 3),
    "answer": Tunable("writer.answer", 4),
}

WRITERS = ("trace", "answer")
"""Stages that are scored by the finished trace; those before them by their own output."""

JUDGE = "judge"


def stage_of(predictor: str) -> str:
    """The stage of a predictor, by its name in the `Tracer`. Raises KeyError for one that is none."""
    return next(name for name, stage in STAGES.items() if stage.predictor == predictor)
