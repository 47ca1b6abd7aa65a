"""How a trace is shown to the model that trains on it (system prompt, question, thought and answer), and what defines an
export format. Text by papers and models is shown without tags of the thought and tokens of chat templates."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from programs.cli.options import Options
from programs.exports.licences import licence_of
from programs.inputs.papers import source_key
from programs.inputs.sample import content_id
from programs.records import Record
from programs.run.attempts import ReadTrace
from programs.text.injection import escape_markers
from programs.text.thought import bare_thought

Kind = str | list[Any] | dict[str, Any]
"""The type of a column: "string", "bool", "int64" or "float64"; `[kind]` is a list, `{name: kind}` a struct."""
Columns = dict[str, Kind]
Row = dict[str, Any]
Context = Literal["none", "passage"]

MESSAGES: list[Kind] = [{"role": "string", "content": "string"}]
FACTS: Columns = {
    **dict.fromkeys(("id", "question_id", "source", "licence", "question_type", "difficulty", "context"), "string"),
    **dict.fromkeys(("quality_score", "overall_score"), "float64"),
}
"""The columns that say what a row was made from. Trainers ignore them."""
NO_SCORE = "it was not rated by judges"

_SYSTEM = (
    "You answer questions about science. First think the question through{tags}, with doubts and corrections as they come. "
    "Then write the answer for the person who asks."
)
_PASSAGE = " A text is given with the question: use what it says."


class Tag(NamedTuple):
    """The tag around a thought: `<name>` and `</name>`, or `[name]` and `[/name]`."""

    name: str
    brackets: str = "<>"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """Parses `<think>`, `[THINK]` or `think`. Raises ValueError."""
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

    def escape(self, text: str) -> str:
        """`text` with this tag, all think tags and the tokens of chat templates visibly broken. Idempotent."""
        start, end = map(re.escape, self.brackets)
        broken = r"&lt;\1&gt;" if self.brackets == "<>" else r"[ \1 ]"
        pattern = rf"{start}(/?{re.escape(self.name)}/?){end}"
        return re.sub(pattern, broken, escape_markers(text), flags=re.IGNORECASE)


THINK = Tag("think")


class Prompt(NamedTuple):
    """What the model is given. `question` begins with who asks, if the trace says so. With `one_turn`, the system prompt is
    the beginning of the user's turn."""

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


class RowOptions(Options):
    """The options that shape rows."""

    context: Literal["auto", "none", "passage", "both"] = Field(
        "auto",
        description="whether the passage is in the prompt: if the trace needs it, never, always, or once each way",
    )
    asker: Literal["keep", "drop"] = Field("keep", description="whether the question says who asks it")
    think_tag: str = Field("<think>", description="the tag around the thought, which the system prompt asks for")
    reasoning_field: str | None = Field(
        None,
        description="put the thought into this field of the message, for chat templates that take reasoning_content",
    )
    system_prompt: Literal["message", "user"] = Field(
        "message",
        description="whether the system prompt is a message, or begins the user's, for chat templates that reject one",
    )
    min_score: float | None = Field(
        None, ge=1, le=10, description="the lowest mean rating by the judges (1-10) that is good enough"
    )
    margin: float = Field(
        1.0, ge=0, description="dpo: the smallest difference between the judges' mean ratings of a pair"
    )

    @field_validator("think_tag")
    @classmethod
    def _normalize_tag(cls, value: str) -> str:
        return Tag.parse(value).open

    @field_validator("reasoning_field")
    @classmethod
    def _check_field_name(cls, value: str | None) -> str | None:
        if value is not None and (value in ("role", "content") or not re.fullmatch(r"[A-Za-z_]\w*", value)):
            raise ValueError("must be a name such as reasoning_content, and neither role nor content")
        return value

    @property
    def tag(self) -> Tag:
        return Tag.parse(self.think_tag)

    @property
    def replies(self) -> list[Kind]:
        """The kind of a column of replies."""
        return [dict.fromkeys(filter(None, ("role", "content", self.reasoning_field)), "string")]

    def contexts(self, record: Record) -> tuple[Context, ...]:
        """The contexts in which a trace is shown, one row each."""
        if self.context == "auto":
            return ("passage",) if rests_on_passage(record) else ("none",)
        return ("none", "passage") if self.context == "both" else (self.context,)

    def why_not_shown(self, record: Record) -> str | None:
        """Why a trace cannot be shown; None if it can."""
        if not (record.reasoning_trace.strip() and record.final_answer.strip()):
            return "its thought or answer is empty"
        if "passage" in self.contexts(record) and not record.source_paper.text:
            return "its passage is not in the document (--context none does without it)"
        return None

    def rows(self, record: Record, row: Callable[[Prompt], Row]) -> Iterator[Row]:
        """One row per context of a trace: what `row` makes of the prompt, and the values of `FACTS`."""
        asked, paper = record.user_interaction, record.source_paper
        grades = record.answer_grades
        level = asked.difficulty_level
        asker = asked.audience if self.asker == "keep" else None
        asked_by = "" if asker is None else " ".join(f"(asked by: {asker}, {level} level)".split()) + "\n"
        for context in self.contexts(record):
            prompt = self.prompt(asked_by + asked.question, (paper.text or "") if context == "passage" else None)
            facts = (record.id, record.question_id, source_key(paper), licence_of(paper.extra), asked.question_type)
            scores = (record.metadata.quality_score, grades and grades.overall_score)
            yield {**row(prompt), **dict(zip(FACTS, (*facts, level, context, *scores), strict=True))}

    def prompt(self, question: str, passage: str | None) -> Prompt:
        tag = self.tag
        system = _SYSTEM.format(tags="" if self.reasoning_field else f" between {tag.open} and {tag.close}")
        if passage is not None:
            system += _PASSAGE
            passage = tag.escape(passage)
        return Prompt(system, tag.escape(question), passage, self.system_prompt == "user")

    def thought(self, record: Record) -> str:
        """The thought without its tags."""
        return self.tag.escape(bare_thought(record.reasoning_trace))

    def answer(self, record: Record) -> str:
        return self.tag.escape(record.final_answer.strip())

    def reply(self, record: Record) -> str:
        """Thought and answer as one text."""
        return f"{self.tag.open}\n{self.thought(record)}\n{self.tag.close}\n\n{self.answer(record)}"

    def message(self, record: Record) -> dict[str, str]:
        """Thought and answer as the assistant's turn."""
        if self.reasoning_field is None:
            return {"role": "assistant", "content": self.reply(record)}
        return {"role": "assistant", "content": self.answer(record), self.reasoning_field: self.thought(record)}


def rating(record: Record) -> float:
    """The judges' mean rating (1-10); 0, which is below any rating, if there is none."""
    return record.metadata.quality_score or 0


def paper_question_key(record: Record) -> str:
    """Identifies a question by its passage and its text, since in a merged journal several questions may have one id."""
    paper = record.source_paper
    return content_id(f"{paper.id or paper.title}\0{record.user_interaction.question}")


def rests_on_passage(record: Record) -> bool:
    """Whether thought and answer depend on the passage: it was in view, or they use figures that only it gives."""
    return record.setting == "open" or bool(record.needs_passage)


@dataclass(frozen=True, eq=False)
class Format:
    """An export format. Command, card and counts treat formats by these fields, never by name.

    `about` describes a row. `rows` gets one trace, or with `per_question` all traces of a question. It yields rows, or
    a string that says why there is none. The keys of `columns` are written to the files; a row's `context`, `label` and
    `labels` are counted. `rows` gets the accepted traces that `--min-score` keeps, or `with_attempts` all accepted or
    judged ones. `raw_record`: a row holds the record unchanged, even if a text is missing. `thought_in`: where a reply
    has the thought, in a "message", which may have a field for it, or in a "text"; None without replies.
    `package(folder, output)` makes a package of the folder, which will be moved to `output`. `training`: code for the card
    that trains on the rows, which were loaded as `data`."""

    name: str
    about: str
    columns: Callable[[RowOptions], Columns]
    rows: Callable[[Sequence[ReadTrace], RowOptions], Iterator[Row | str]]
    per_question: bool = False
    with_attempts: bool = False
    raw_record: bool = False
    thought_in: Literal["message", "text"] | None = None
    package: Callable[[Path, Path], None] | None = None
    training: str | None = None
