"""How a judge is shown an answer that people judged, where the answer is at hand and not the whole of its making.

A judge sees an answer's key passage as it sees any passage; where there is none it sees the reference answer instead,
with a title that says so. An answer without a thought is judged without one.
"""

from typing import Any

from programs.inputs.sample import sample_of
from programs.judges.labels import Labelled
from programs.passage import Passage

REFERENCE = "The reference answer (the passage itself is not at hand)"
"""The title of a reference answer that stands in a passage's place."""

ASKED_BY = "a reader (level not known)"


def shown(answer: Labelled) -> str:
    """What stands in a judge's prompt as the passage."""
    if answer.key_passage is not None:
        return Passage(sample_of(answer.key_passage)).shown
    return Passage(sample_of(answer.reference or "", title=REFERENCE)).shown


def judge_inputs(passage: str, question: str, answer: str, thought: str | None = None) -> dict[str, Any]:
    """The inputs of the judges' signature."""
    return {"passage": passage, "question": question, "asked_by": ASKED_BY, "thought": thought, "answer": answer}
