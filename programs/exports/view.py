"""How a trace is shown to the model that trains on it (system prompt, question, thought and answer), and what a format is
that makes rows of it. What a paper or a model wrote never holds a tag of the thought or a token of a chat template."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from programs.cli.options import Options
from programs.exports.licences import licence_of
from programs.inputs.papers import source_key
from programs.records import Record
from programs.run.attempts import ReadTrace
from programs.text.injection import escape_markers
from programs.text.thought import bare_thought

Kind = str | list[Any] | dict[str, Any]
"""Of a column: "string", "bool", "int64" or "float64"; `[kind]` is a list, `{name: kind}` a struct."""
Columns = dict[str, Kind]
Row = dict[str, Any]
Context = Literal["none", "passage"]

MESSAGES: list[Kind] = [{"role": "string", "content": "string"}]
FACTS: Columns = {
    **dict.fromkeys(("id", "question_id", "source", "licence", "question_type", "difficulty", "context"), "string"),
    **dict.fromkeys(("quality_score", "overall_score"), "float64"),
}
"""The columns that say what a row was made from, which trainers pass over."""
NO_SCORE = "it was not rated by judges"

_SYSTEM = (
    "You answer questions about science. First think the question through{tags}, with doubts and corrections as they come. "
    "Then write the answer for the person who asks."
)
_PASSAGE = " A text is given with the question: use what it says."


class Tag(NamedTuple):
    """What a thought stands between: `<name>` and `</name>`, or `[name]` and `[/name]`."""

    name: str
    brackets: str = "<>"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """From `<think>`, `[THINK]` or `think`. Raises ValueError."""
        match = re.fullmatch(r"([<\[]?)([A-Za-z_][\w-]{0,40})([>\]]?)", text.strip())
        if match is None or match[1] + match[3] not in ("", "<>", "[]"):
            raise ValueError("a tag is a name in brackets: <think> or [THINK]")
        return cls(match[2], match[1] + match[3] or "<>")

    @property
    def open(self) -> str:
        return self.name.join(self.brackets)

    @property
    def close(self) -> str:
        return f"/{self.name}".join(self.brackets)

    def inert(self, text: str) -> str:
        """`text` with these tags, all think tags and the tokens of chat templates broken visibly. Idempotent."""
        start, end = map(re.escape, self.brackets)
        broken = r"&lt;\1&gt;" if self.brackets == "<>" else r"[ \1 ]"
        inside = rf"{start}(/?{re.escape(self.name)}/?){end}"
        return re.sub(inside, broken, escape_markers(text), flags=re.IGNORECASE)


THINK = Tag("think")


class Prompt(NamedTuple):
    """What the model is given. `question` begins with who asks, where that is said. With `one_turn` the system prompt
    stands at the head of the user's turn."""

    system: str
    question: str
    passage: str | None
    one_turn: bool = False

    @property
    def user(self) -> str:
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
        return [dict.fromkeys(filter(None, ("role", "content", self.reasoning_field)), "string")]

    def contexts(self, record: Record) -> tuple[Context, ...]:
        """In which ways the question of a trace is shown."""
        if self.context == "auto":
            return ("passage",) if rests_on_passage(record) else ("none",)
        return ("none", "passage") if self.context == "both" else (self.context,)

    def lacks(self, record: Record) -> str | None:
        """Why a trace cannot be shown; None: it can."""
        if not (record.reasoning_trace.strip() and record.final_answer.strip()):
            return "its thought or its answer is empty"
        if "passage" in self.contexts(record) and not record.source_paper.text:
            return "its passage is not in the document (--context none needs none)"
        return None

    def rows(self, record: Record, row: Callable[[Prompt], Row]) -> Iterator[Row]:
        """What `row` makes of each prompt, with the values of `FACTS`."""
        asked, paper, grades = record.user_interaction, record.source_paper, record.answer_grades
        level, asker = asked.difficulty_level, asked.audience if self.asker == "keep" else None
        by = "" if asker is None else " ".join(f"(asked by: {asker}, {level} level)".split()) + "\n"
        for context in self.contexts(record):
            prompt = self.prompt(by + asked.question, (paper.text or "") if context == "passage" else None)
            names = (record.id, record.question_id, source_key(paper), licence_of(paper.extra), asked.question_type)
            scores = (record.metadata.quality_score, grades and grades.overall_score)
            yield {**row(prompt), **dict(zip(FACTS, (*names, level, context, *scores), strict=True))}

    def prompt(self, question: str, passage: str | None) -> Prompt:
        tag = self.tag
        system = _SYSTEM.format(tags="" if self.reasoning_field else f" between {tag.open} and {tag.close}")
        if passage is not None:
            system, passage = system + _PASSAGE, tag.inert(passage)
        return Prompt(system, tag.inert(question), passage, self.system_prompt == "user")

    def thought(self, record: Record) -> str:
        """Without its tags."""
        return self.tag.inert(bare_thought(record.reasoning_trace))

    def answer(self, record: Record) -> str:
        return self.tag.inert(record.final_answer.strip())

    def reply(self, record: Record) -> str:
        """Thought and answer as one text."""
        return f"{self.tag.open}\n{self.thought(record)}\n{self.tag.close}\n\n{self.answer(record)}"

    def message(self, record: Record) -> dict[str, str]:
        """Thought and answer as the assistant's turn."""
        if self.reasoning_field is None:
            return {"role": "assistant", "content": self.reply(record)}
        return {"role": "assistant", "content": self.answer(record), self.reasoning_field: self.thought(record)}


def rating(record: Record) -> float:
    """The judges' mean rating (1-10); 0, less than any, where there is none."""
    return record.metadata.quality_score or 0


def rests_on_passage(record: Record) -> bool:
    """Whether thought and answer rest on the passage: it was in view, or they use figures that stand there alone."""
    return record.setting == "open" or bool(record.needs_passage)


@dataclass(frozen=True, eq=False)
class Format:
    """An export format, whole: commands, card and counts know no format by its name.

    `about` says what a row is. `rows` is given one trace, or with `grouped` all of a question, and yields rows, most by
    `View.rows`, or in words why there is none. What stands in the files are the keys of `columns`; a row's `context`,
    `label` and `labels` are counted. Without `attempts` it is given accepted traces that `--min-score` keeps; with it all
    that were ever made and judged. `whole`: a row holds the record as it is, whatever its texts. `thought`: where the reply
    has its thought, in a "message", which may have a field for it, or in a "text"; None: there is no reply. `package` adds
    to the folder, which will stand at another path, what makes it a package."""

    name: str
    about: str
    columns: Callable[[View], Columns]
    rows: Callable[[Sequence[ReadTrace], View], Iterator[Row | str]]
    grouped: bool = False
    attempts: bool = False
    whole: bool = False
    thought: Literal["message", "text"] | None = None
    package: Callable[[Path, Path], None] | None = None
