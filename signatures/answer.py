"""Stage 4, second call: the answer that the person gets."""

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters
from signatures.vocabulary import YesOrNo


class FinalAnswer(BaseModel):
    """The answer as the person reads it."""

    text: str = characters(40, 1900, "the answer, in one to four paragraphs of prose")
    yes_or_no: YesOrNo | None = Field(
        default=None,
        description="the answer in a word, where the question asks whether something holds; neither: it asks something "
        "else, or one cannot say",
    )


class WriteAnswer(AboutQuestion):
    """Answer the question for this person, as the thought came out, every part of it. Begin with the answer itself, then
    give what carries it, with the numbers that do, and say how sure one can be; as long as the question deserves, and for
    a short thought a short answer. Use what is at hand, as told below, and what the thought worked out; bring nothing of
    weight that it does not have. Speak of the matter and not of where it is written: no "the paper", "the authors",
    "this study", no figure, table or sentence number, no hypotheses by number."""

    given: str = dspy.InputField(desc="what is at hand while answering")
    thought: str = dspy.InputField(desc="the reasoning so far")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    answer: FinalAnswer = dspy.OutputField(desc="the answer")
