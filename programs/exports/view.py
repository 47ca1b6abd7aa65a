"""How a trace is shown to the model that trains on it: the system prompt, the question, the thought and the answer.

What a paper or a model wrote never holds a tag of the thought or a token of a chat template (`Tag.inert`).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from programs.exports.columns import Columns, Kind
from programs.exports.licences import licence_of
from programs.exports.scores import MEASURES, Measure
from programs.exports.tag import Tag
from programs.inputs.papers import source_of
from programs.records import Record, SourcePaper, UserInteraction
from programs.text.thought import bare_thought

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
_PASSAGE = " A text is given with the question: use what it says."
_ASKER = "(asked by: {audience}, {level} level)\n"


@dataclass(frozen=True)
class Prompt:
    """What the model is given. `question` begins with who asks, where that is said; `passage` is None where the question
    stands alone."""

    system: str
    question: str
    passage: str | None

    @property
    def context(self) -> Context:
        return "none" if self.passage is None else "passage"

    @property
    def user(self) -> str:
        """The user's turn."""
        return self.question if self.passage is None else f"Text:\n{self.passage}\n\nQuestion:\n{self.question}"

    @property
    def messages(self) -> list[Message]:
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


class View(BaseModel):
    """The options that shape rows."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    context: Literal["auto", "none", "passage", "both"] = Field(
        "auto",
        description="whether the passage is in the prompt: where the trace needs it, never, always, or once each way",
    )
    asker: Literal["keep", "drop"] = Field("keep", description="whether the question says who asks it")
    think_tag: str = Field(
        "<think>", description="the tag that the thought stands in, which the system prompt promises"
    )
    reasoning_field: str | None = Field(
        None,
        description="put the thought into this field of the message, for chat templates that take reasoning_content",
    )
    score: Literal["judges", "grades"] = Field(
        "judges",
        description="what --min-score and --margin are about: the judges' mean rating (1-10) or the mean grade (0-1)",
    )
    min_score: float | None = Field(None, description="the score from which on a trace is good enough")
    margin: float | None = Field(
        None, ge=0, description="dpo: how far apart the traces of a pair are at least (default: 1, or 0.1 of a grade)"
    )
    pairs_per_question: int | None = Field(None, ge=1, description="dpo: the most pairs that a question gives")

    @field_validator("think_tag")
    @classmethod
    def _tag(cls, value: str) -> str:
        return Tag.parse(value).open

    @field_validator("reasoning_field")
    @classmethod
    def _free(cls, value: str | None) -> str | None:
        if value is not None and (value in ("role", "content") or not re.fullmatch(r"[A-Za-z_]\w*", value)):
            raise ValueError("a name such as reasoning_content, other than role and content")
        return value

    @model_validator(mode="after")
    def _on_the_scale(self) -> "View":
        measure = self.measure
        if self.min_score is not None and not measure.low <= self.min_score <= measure.high:
            raise ValueError(f"--min-score: {measure.name} score from {measure.low:g} to {measure.high:g}")
        return self

    @property
    def measure(self) -> Measure:
        return MEASURES[self.score]

    @property
    def least_margin(self) -> float:
        """`margin`, or that of the measure."""
        return self.measure.margin if self.margin is None else self.margin

    @cached_property
    def tag(self) -> Tag:
        return Tag.parse(self.think_tag)

    @property
    def replies(self) -> list[Kind]:
        """The kind of a column that holds replies."""
        thought: Columns = {self.reasoning_field: "string"} if self.reasoning_field else {}
        return [{"role": "string", "content": "string", **thought}]

    def contexts(self, record: Record) -> tuple[Context, ...]:
        """In which ways the question of a trace is shown; there is a prompt for each."""
        if self.context == "auto":
            return ("passage",) if needs_passage(record) else ("none",)
        return ("none", "passage") if self.context == "both" else (self.context,)

    def prompts(self, record: Record) -> list[Prompt]:
        """One prompt for each context."""
        question = self.tag.inert(self._asker(record.user_interaction) + record.user_interaction.question)
        passages = {"none": None, "passage": self.tag.inert(record.source_paper.text or "")}
        return [Prompt(self._system(context), question, passages[context]) for context in self.contexts(record)]

    def rows(self, record: Record, row: Callable[[Prompt], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What `row` makes of each prompt, with the values of `FACTS`."""
        for prompt in self.prompts(record):
            yield {**row(prompt), **self.facts(record, prompt)}

    def _asker(self, asked: UserInteraction) -> str:
        if self.asker == "drop" or asked.audience is None:
            return ""
        audience, level = (" ".join(text.split()) for text in (asked.audience, asked.difficulty_level))
        return _ASKER.format(audience=audience, level=level)

    def _system(self, context: Context) -> str:
        think = _UNTAGGED if self.reasoning_field else _TAGGED.format(open=self.tag.open, close=self.tag.close)
        return _TASK + think + _ANSWER + (_PASSAGE if context == "passage" else "")

    def thought(self, record: Record) -> str:
        """The thought without its tags."""
        return self.tag.inert(bare_thought(record.reasoning_trace))

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


def needs_passage(record: Record) -> bool:
    """Whether thought and answer rest on the passage: it was in view, or they use figures that stand there alone."""
    return record.setting == "open" or bool(record.needs_passage)


def source_name(source: SourcePaper) -> str:
    """The paper that a trace is of (`programs.inputs.papers`): traces of one paper go into one split."""
    title = source.title if source.title_given else None
    named = source_of(source.extra, title=title, given_id=source.given_id)
    return named or f"text:{source.excerpt.document if source.excerpt else source.id or source.title}"
