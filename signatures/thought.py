"""Stage 4, first call: a free thought in a shape that was drawn at random."""

import dspy
from pydantic import BaseModel, Field, RootModel, model_validator

from signatures.prompt import EARLIER, FEEDBACK, WHOLE, AboutQuestion, characters
from signatures.strands import HypothesisSet, MethodCritique
from signatures.vocabulary import OLD_KINDS, Kind


class Paragraph(BaseModel):
    """A stretch of thinking and what it does."""

    kind: Kind = Field(
        description="tries: tries out an answer or an approach; recalls: brings up something known; computes: works out a "
        "figure; checks: tests something against a fact, a unit, a limit; doubts: sees that something may not hold; wrong: "
        "is mistaken, as turns out further on; takes_back: notices a mistake and drops or corrects it; considers: follows "
        "another explanation, case or consequence; wonders: leaves something open; settles: arrives at the answer"
    )
    text: str = characters(2, 900, "the thinking itself, from half a sentence to several")


class Thought(BaseModel):
    """A thought in the order in which it happens."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, value: object) -> object:
        # Replies in old journals, which were paid for, hold a thought as an object of six moves.
        if not isinstance(value, dict) or "paragraphs" in value or not set(OLD_KINDS) <= set(value):
            return value
        texts = {move: value[move] if isinstance(value[move], list) else [value[move]] for move in OLD_KINDS}
        return {"paragraphs": [{"kind": OLD_KINDS[move], "text": text} for move in OLD_KINDS for text in texts[move]]}

    paragraphs: list[Paragraph] = Field(min_length=3, max_length=16, json_schema_extra={WHOLE: True})

    def steps(self) -> list[tuple[Kind, str]]:
        """The paragraphs in order, each with its kind."""
        return [(paragraph.kind, paragraph.text) for paragraph in self.paragraphs]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of the paragraphs, in order."""
        return [paragraph.kind for paragraph in self.paragraphs]

    @property
    def texts(self) -> list[str]:
        """The paragraphs without their kinds."""
        return [paragraph.text for paragraph in self.paragraphs]


class WriteThought(AboutQuestion):
    """Think the question through in the first person, as somebody who is alone with it and wants to know. Write the
    thinking itself, not a report of it. Let it go where the problem leads, in the shape and the voice given below as
    far as they suit the matter. Write as somebody who is finding things out: a paragraph may be one line or ten, and a
    number may be tried and dropped, but make no mistake on purpose, and put up nothing only to knock it down. Begin at
    once, without restating the question. If the outcome turns on a figure, work that figure out in the open, and check
    the arithmetic, and what the figure counts; many outcomes turn on none, and a sum that nothing uses is left out.
    Where a figure is missing, a direction, a proportion or a bound often does as well. Make none up, unless the outcome
    is the same for every value that a stranger would think possible. Grant what the question asks to suppose. A step
    that would not survive an expert's first question is mended, or less is claimed. Doubt only what could change the
    outcome, and see by how much; let a doubt that holds change what was built before it. Where nothing is open, no
    doubt is owed. Before an "only" or a "cannot", look for a case against it. Leave open only what general knowledge
    does not settle and no figure at hand bounds. Let the shape show in what is thought, never in words about it ("that
    was the easy part", "back to the open point"). Use plain words, no slogans and no maxims, least of all at the end of
    a paragraph, and say nothing twice. Conclude no more than the steps support, and stop there, without a summary or a
    concession.

    Keep strictly to what is at hand, as described below; that goes for facts and findings as well as for figures. The
    hypotheses, evidence and critique are notes that nobody else has. Their reasoning may be wrong: check it, and let
    what holds guide the outcome. Give no sign that they exist: do not mention a hypothesis or a sentence by its number,
    "evidence" as something handed to you, a paper, authors or a passage. You are not the person who asks: do not say
    "we" or "our" about that person's case, and address nobody."""

    passage: str | None = dspy.InputField(  # type: ignore[assignment]
        desc="scientific text, one numbered sentence per line"
    )
    given: str = dspy.InputField(desc="what is at hand while thinking")
    hypotheses: HypothesisSet = dspy.InputField(desc="competing hypotheses")
    # The claims without the sentences, which hold what the question does not give.
    evidence: list[str] = dspy.InputField(desc="facts to check the outcome by")
    critique: MethodCritique | None = dspy.InputField(desc="how far the method can be trusted")
    shape: str = dspy.InputField(desc="how this thought should go")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    thought: Thought = dspy.OutputField(desc="the thought")


class OwnThought(BaseModel):
    """What a model thought, as it returned it. Nobody says of which kind its paragraphs are."""

    text: str

    @property
    def texts(self) -> list[str]:
        """The paragraphs."""
        return [stripped for paragraph in self.text.split("\n\n") if (stripped := paragraph.strip())]

    def steps(self) -> list[tuple[None, str]]:
        """The paragraphs in order, in the form of `Thought.steps`; their kind is None."""
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
