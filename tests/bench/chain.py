"""A chain of three calls for a row, as a DSPy module: each call reads what the one before it wrote."""

import dspy
from pydantic import BaseModel

from tests.bench.texts import text_of

CHARACTERS = 4000


class Note(BaseModel):
    """What every call gives."""

    text: str


class Summarise(dspy.Signature):
    """Say in one sentence what was found."""

    passage: str = dspy.InputField()
    summary: Note = dspy.OutputField()


class Doubt(dspy.Signature):
    """Name the best reason to doubt the summary."""

    passage: str = dspy.InputField()
    summary: str = dspy.InputField()
    doubt: Note = dspy.OutputField()


class Conclude(dspy.Signature):
    """Weigh the summary against the doubt."""

    passage: str = dspy.InputField()
    summary: str = dspy.InputField()
    doubt: str = dspy.InputField()
    conclusion: Note = dspy.OutputField()


class Chain(dspy.Module):
    """Three chained predictors."""

    def __init__(self) -> None:
        super().__init__()
        self.summarise = dspy.Predict(Summarise)
        self.doubt = dspy.Predict(Doubt)
        self.conclude = dspy.Predict(Conclude)

    def forward(self, passage: str) -> str:
        """The conclusion, by three calls to the LM that DSPy is configured with."""
        summary = self.summarise(passage=passage).summary.text
        doubt = self.doubt(passage=passage, summary=summary).doubt.text
        return str(self.conclude(passage=passage, summary=summary, doubt=doubt).conclusion.text)


def passage_of(row: int) -> str:
    """The text of a row."""
    return text_of(row, CHARACTERS)
