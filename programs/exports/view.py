"""How a trace is shown to the model that trains on it: the system prompt, the question, the thought and the answer.

What a paper or a model wrote never holds a tag of the thought or a token of a chat template (`Tag.inert`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from programs.cli.options import Options
from programs.exports.files import Columns, Kind, Row
from programs.exports.licences import licence_of
from programs.inputs.papers import source_key
from programs.records import Record
from programs.text.injection import escape_markers
from programs.text.thought import bare_thought

Context = Literal["none", "passage"]

MESSAGES: list[Kind] = [{"role": "string", "content": "string"}]
FACTS: Columns = {
    **dict.fromkeys(("id", "question_id", "source", "licence", "question_type", "difficulty", "context"), "string"),
    **dict.fromkeys(("quality_score", "overall_score"), "float64"),
}
"""The columns that say what a row was made from, which trainers pass over."""

_TASK = "You answer questions about science. "
_TAGGED = "First think the question through between {open} and {close}, with doubts and corrections as they come. "
_UNTAGGED = "First think the question through, with doubts and corrections as they come. "
_ANSWER = "Then write the answer for the person who asks."
_PASSAGE = " A text is given with the question: use what it says."

_TAG = re.compile(r"([<\[]?)([A-Za-z_][\w-]{0,40})([>\]]?)")


class Tag(NamedTuple):
    """What a thought stands between: `<name>` and `</name>`, or `[name]` and `[/name]`."""

    name: str
    brackets: str = "<>"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """From `<think>`, `[THINK]` or `think`. Raises ValueError."""
        match = _TAG.fullmatch(text.strip())
        if match is None or match[1] + match[3] not in ("", "<>", "[]"):
            raise ValueError("a tag is a name in brackets: <think> or [THINK]")
        return cls(match[2], match[1] + match[3] or "<>")

    @property
    def open(self) -> str:
        return self.name.join(self.brackets)

    @property
    def close(self) -> str:
        return f"/{self.name}".join(self.brackets)

    def wrap(self, thought: str, answer: str) -> str:
        """A thought and its answer as one reply; neither may hold a tag (`inert`)."""
        return f"{self.open}\n{thought}\n{self.close}\n\n{answer}"

    def inert(self, text: str) -> str:
        """`text` with these tags, all think tags and the tokens of chat templates broken visibly: what a model or a
        paper wrote neither ends a thought nor begins a turn. Idempotent."""
        start, end = map(re.escape, self.brackets)
        broken = r"&lt;\1&gt;" if self.brackets == "<>" else r"[ \1 ]"
        inside = rf"{start}(/?{re.escape(self.name)}/?){end}"
        return re.sub(inside, broken, escape_markers(text), flags=re.IGNORECASE)


THINK = Tag("think")


NO_SCORE = "it was not rated by judges"


class Prompt(NamedTuple):
    """What the model is given. `question` begins with who asks, where that is said; `passage` is None where the question
    stands alone. With `one_turn` the system prompt stands at the head of the user's turn."""

    system: str
    question: str
    passage: str | None
    one_turn: bool = False

    @property
    def user(self) -> str:
        """The user's turn."""
        return self.question if self.passage is None else f"Text:\n{self.passage}\n\nQuestion:\n{self.question}"

    @property
    def messages(self) -> list[dict[str, str]]:
        if self.one_turn:
            return [{"role": "user", "content": f"{self.system}\n\n{self.user}"}]
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


class View(Options):
    """The options that shape rows."""

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
    system_prompt: Literal["message", "user"] = Field(
        "message",
        description="whether the system prompt is a message, or begins the user's, for chat templates that take none",
    )
    min_score: float | None = Field(
        None, ge=1, le=10, description="the judges' mean rating (1-10) from which on a trace is good enough"
    )
    margin: float = Field(
        1.0, ge=0, description="dpo: how far apart the judges' ratings of a pair's traces are at least"
    )

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

    @property
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
            return ("passage",) if rests_on_passage(record) else ("none",)
        return ("none", "passage") if self.context == "both" else (self.context,)

    def lacks(self, record: Record) -> str | None:
        """Why a trace cannot be shown, in words; None: it can."""
        if not (record.reasoning_trace.strip() and record.final_answer.strip()):
            return "its thought or its answer is empty"
        if "passage" in self.contexts(record) and not record.source_paper.text:
            return "its passage is not in the document (--context none needs none)"
        return None

    def rows(self, record: Record, row: Callable[[Prompt], Row]) -> Iterator[Row]:
        """What `row` makes of each prompt, with the values of `FACTS`."""
        asked, grades = record.user_interaction, record.answer_grades
        facts = (record.id, record.question_id, source_key(record.source_paper), licence_of(record.source_paper.extra))
        kind, level, score = asked.question_type, asked.difficulty_level, record.metadata.quality_score
        for context in self.contexts(record):
            values = (*facts, kind, level, context, score, grades and grades.overall_score)
            yield {**row(self._prompt(context, record)), **dict(zip(FACTS, values, strict=True))}

    def _prompt(self, context: Context, record: Record) -> Prompt:
        asked, passage = record.user_interaction, record.source_paper.text or ""
        level, asker = asked.difficulty_level, asked.audience if self.asker == "keep" else None
        by = "" if asker is None else " ".join(f"(asked by: {asker}, {level} level)".split()) + "\n"
        return self.prompt(by + asked.question, passage if context == "passage" else None)

    def prompt(self, question: str, passage: str | None) -> Prompt:
        """The prompt of any question, with a passage or None."""
        tag = self.tag
        think = _UNTAGGED if self.reasoning_field else _TAGGED.format(open=tag.open, close=tag.close)
        system = _TASK + think + _ANSWER + ("" if passage is None else _PASSAGE)
        shown = None if passage is None else tag.inert(passage)
        return Prompt(system, tag.inert(question), shown, self.system_prompt == "user")

    def thought(self, record: Record) -> str:
        """The thought without its tags."""
        return self.tag.inert(bare_thought(record.reasoning_trace))

    def answer(self, record: Record) -> str:
        return self.tag.inert(record.final_answer.strip())

    def reply(self, record: Record) -> str:
        """Thought and answer as one text."""
        return self.tag.wrap(self.thought(record), self.answer(record))

    def message(self, record: Record) -> dict[str, str]:
        """Thought and answer as the assistant's turn."""
        if self.reasoning_field is None:
            return {"role": "assistant", "content": self.reply(record)}
        return {"role": "assistant", "content": self.answer(record), self.reasoning_field: self.thought(record)}

    def parts_of(self, message: Mapping[str, str]) -> tuple[str, str]:
        """Thought and answer of such a turn."""
        if self.reasoning_field is not None:
            return message[self.reasoning_field], message["content"]
        thought, _, answer = message["content"].removeprefix(f"{self.tag.open}\n").partition(f"\n{self.tag.close}\n\n")
        return thought, answer


def rating(record: Record) -> float:
    """The judges' mean rating (1-10); 0, less than any, where there is none."""
    return record.metadata.quality_score or 0


def rests_on_passage(record: Record) -> bool:
    """Whether thought and answer rest on the passage: it was in view, or they use figures that stand there alone."""
    return record.setting == "open" or bool(record.needs_passage)
