"""The model's own reasoning: the question as somebody would type it, and nothing else."""

import dspy
from pydantic import BaseModel, RootModel


class OwnThought(BaseModel):
    """What a model thought, as it returned it. Nobody says of which kind its paragraphs are."""

    text: str

    @property
    def texts(self) -> list[str]:
        """The paragraphs."""
        return [stripped for paragraph in self.text.split("\n\n") if (stripped := paragraph.strip())]

    def steps(self) -> list[tuple[None, str]]:
        """The paragraphs in order, as those of `signatures.thought.Thought` with their kinds."""
        return [(None, text) for text in self.texts]


class PlainText(RootModel[str]):
    """A reply that is its text. Who asks for it (see the adapter) sends the inputs alone, a blank line between them: no
    instructions, no form, no names of fields."""


class AnswerAsAsked(dspy.Signature):
    """Answer the question as whoever gets it from a person would, after thinking about it for yourself. Nothing of this is
    sent: a thought is worth keeping only for the prompt that a training row shows, which is the question, after the
    passage where that is at hand."""

    passage: str | None = dspy.InputField(desc="scientific text, where it is at hand")
    question: str = dspy.InputField(desc="the question to be answered")
    reply: PlainText = dspy.OutputField(desc="the answer")
