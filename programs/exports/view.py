"""How a trace is shown to the model that trains on it: the system prompt, the question, the thought and the answer.

What a paper or a model wrote never holds a tag of the thought or a token of a chat template (`Tag.inert`).
"""

from dataclasses import dataclass
from typing import Any, Literal

from programs.exports.columns import Columns, Kind
from programs.exports.licences import licence_of
from programs.exports.scores import MEASURES, Measure
from programs.exports.tag import THINK, Tag
from programs.inputs.papers import source_of
from programs.records import Record, SourcePaper
from programs.thought import thought_of

Context = Literal["none", "passage"]
Message = dict[str, str]

MESSAGES: list[Kind] = [{"role": "string", "content": "string"}]

FACTS: Columns = {
    "id": "string",
    "question_id": "string",
    "source": "string",
    "licence": "string",
    "question_type": "string",
    "difficulty": "string",
    "context": "string",
    "quality_score": "float64",
    "overall_score": "float64",
}
"""The columns that say what a row was made from, which trainers pass over."""

_TASK = "You answer questions about science. "
_TAGGED = "First think the question through between {open} and {close}, with doubts and corrections as they come. "
_UNTAGGED = "First think the question through, with doubts and corrections as they come. "
_ANSWER = "Then write the answer for the person who asks."
_PASSAGE = " A passage comes with the question: use what it says."


@dataclass(frozen=True)
class Prompt:
    """What the model is given. `passage` is None where the question stands alone."""

    system: str
    question: str
    passage: str | None

    @property
    def context(self) -> Context:
        return "none" if self.passage is None else "passage"

    @property
    def user(self) -> str:
        """The user's turn."""
        return self.question if self.passage is None else f"{self.passage}\n\nQuestion: {self.question}"

    @property
    def messages(self) -> list[Message]:
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


@dataclass(frozen=True)
class View:
    """The options that shape rows. `contexts`: a trace gives a row for each; `min_score` and `margin` are on the scale
    of `measure`, `pairs` bounds the pairs of a question."""

    tag: Tag = THINK
    reasoning_field: str | None = None
    contexts: tuple[Context, ...] = ("none",)
    measure: Measure = MEASURES["judges"]
    min_score: float | None = None
    margin: float = 1.0
    pairs: int | None = None

    @property
    def replies(self) -> list[Kind]:
        """The kind of a column that holds replies."""
        thought: Columns = {self.reasoning_field: "string"} if self.reasoning_field else {}
        return [{"role": "string", "content": "string", **thought}]

    def prompts(self, record: Record) -> list[Prompt]:
        """One prompt for each context."""
        question = self.tag.inert(record.user_interaction.question)
        passages = {"none": None, "passage": self.tag.inert(record.source_paper.text or "")}
        return [Prompt(self._system(context), question, passages[context]) for context in self.contexts]

    def _system(self, context: Context) -> str:
        think = _UNTAGGED if self.reasoning_field else _TAGGED.format(open=self.tag.open, close=self.tag.close)
        return _TASK + think + _ANSWER + (_PASSAGE if context == "passage" else "")

    def thought(self, record: Record) -> str:
        """The thought without its tags."""
        return self.tag.inert(thought_of(record))

    def answer(self, record: Record) -> str:
        return self.tag.inert(record.final_answer.strip())

    def reply(self, record: Record) -> str:
        """Thought and answer as one text."""
        return self.tag.wrap(self.thought(record), self.answer(record))

    def message(self, record: Record) -> Message:
        """Thought and answer as the assistant's turn."""
        if self.reasoning_field is None:
            return {"role": "assistant", "content": self.reply(record)}
        return {
            "role": "assistant",
            "content": self.answer(record),
            self.reasoning_field: self.thought(record),
        }

    def facts(self, record: Record, prompt: Prompt) -> dict[str, Any]:
        """The values of `FACTS`."""
        asked, grades = record.user_interaction, record.answer_grades
        return {
            "id": record.id,
            "question_id": record.question_id,
            "source": source_name(record.source_paper),
            "licence": licence_of(record.source_paper.extra),
            "question_type": asked.question_type,
            "difficulty": asked.difficulty_level,
            "context": prompt.context,
            "quality_score": record.metadata.quality_score,
            "overall_score": grades.overall_score if grades else None,
        }


def source_name(source: SourcePaper) -> str:
    """The paper that a trace is of (`programs.inputs.papers`): traces of one paper go into one split."""
    title = source.title if source.title_given else None
    named = source_of(source.extra, title=title, given_id=source.given_id)
    return named or f"text:{source.excerpt.document if source.excerpt else source.id or source.title}"
