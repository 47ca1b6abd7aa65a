"""A person's walk through traces: what a line that they type means, how a trace is shown, and what they said, kept.

What they say is in `NAME.labels.jsonl`, labelled answers (`programs.judges.labels`), only appended to. A line holds the
texts that were judged, so that the last line about a trace counts.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from programs.errors import JournalError, UserError
from programs.files import take_lock
from programs.inputs.cleaning import clean
from programs.judges.review_list import ReviewItem
from programs.records import RATINGS, Verdict
from programs.versions import stamp

HELP = "a accept, r reject, 1-10 rate (also: a 8, r 3), s skip, b back, q quit"

Move = Literal["skip", "back", "quit"]
MOVES: dict[str, Move] = {"s": "skip", "skip": "skip", "b": "back", "back": "back", "q": "quit", "quit": "quit"}
_DECISION = re.compile(r"(?=.)(a|r|accept|reject)?\s*(10|[1-9])?", re.IGNORECASE)


class Said(BaseModel):
    """What a person said of a trace: whether it is right, or how good from 1 to 10, or both; else it is no label."""

    correct: bool | None = None
    overall: int | None = Field(None, ge=1, le=10)

    @property
    def decided(self) -> bool:
        return self.correct is not None or self.overall is not None

    def words(self) -> str:
        parts = [] if self.correct is None else ["accepted" if self.correct else "rejected"]
        return ", ".join([*parts, *([] if self.overall is None else [f"{self.overall} of 10"])])


def understood(line: str) -> Move | Said | None:
    """What a line that a person typed means: where to go, or what it says of the trace, which takes the place of all that
    was said of it before; None: nothing."""
    text = line.strip()
    if move := MOVES.get(text.lower()):
        return move
    if decision := _DECISION.fullmatch(text):
        verb, rating = decision.groups()
        return Said(correct=None if verb is None else verb[0].lower() == "a", overall=rating and int(rating))
    return None


def said_in(path: Path) -> dict[str, Said]:
    """What the lines of a file of labels say last of each trace; nothing where there is no file. Raises `UserError` for a
    line that is no label."""
    found: dict[str, Said] = {}
    lines = path.read_bytes().splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            record = orjson.loads(line) if line.strip() else {}
            human = record.get("human")
            said = Said.model_validate(human if isinstance(human, dict) else {"correct": human})
        except (AttributeError, ValueError):
            raise UserError(f"{path}:{number} is no label: mend or delete that line") from None
        if isinstance(record.get("id"), str):
            found[record["id"]] = said
    return found


class ReviewLabels:
    """An open file of labels. One process at a time. `said` holds what was said last, by the trace's id.

    Raises `UserError` when another process has it open, when it cannot be written, or for a line that is no JSON object:
    what a person wrote is never cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = take_lock(path, user="review", instead="name another file with --labels")
        try:
            self._file = path.open("ab+", buffering=0)
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
        with contextlib.ExitStack() as failed:
            failed.callback(self.close)
            self.said = said_in(path)
            failed.pop_all()

    def __enter__(self) -> "ReviewLabels":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def decided(self, item: ReviewItem) -> bool:
        """Whether a trace has a label."""
        return self.said.get(item.id, Said()).decided

    def say(self, item: ReviewItem, said: Said) -> None:
        """Writes what is said of a trace now; it is on the disk when this returns. Raises `JournalError` when it cannot be
        written whole."""
        record = item.record
        content = {
            "id": item.id,
            "question": record.user_interaction.question,
            "key_passage": passage_of(item),
            "thought": record.reasoning_trace,
            "answer": record.final_answer,
            "human": said.model_dump(exclude_none=True),
            "judges": {verdict.judge: verdict.overall for verdict in record.verdicts},
            "reviewed": stamp(),
        }
        size = self._file.seek(0, os.SEEK_END)
        torn = size and os.pread(self._file.fileno(), 1, size - 1) != b"\n"
        line = (b"\n" if torn else b"") + orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
        try:
            if os.write(self._file.fileno(), line) < len(line):
                self._file.truncate(size)
                raise OSError(0, "no room")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error.strerror}; what was said before is kept") from error
        self.said[item.id] = said


def walk(items: Sequence[ReviewItem], labels: ReviewLabels, console: Console) -> None:
    """Shows one trace after another that has no label and takes a line for each, until the person quits or the input ends;
    then says how many have which label. Raises `JournalError` when a label cannot be written."""
    console.print(HELP, style="dim")
    place, shown = _undecided(items, labels, 0), -1
    while place < len(items):
        if shown != place:
            left = sum(not labels.decided(item) for item in items)
            _show_item(items[place], f"{place + 1} of {len(items)}, {left} without a label", labels, console)
            shown = place
        try:
            meant = understood(console.input("> "))
        except EOFError:
            break
        if meant == "quit":
            break
        if meant is None:
            console.print(HELP, style="yellow")
        elif meant == "back":
            place = max(place - 1, 0)
        else:
            if isinstance(meant, Said):
                labels.say(items[place], meant)
            place = _undecided(items, labels, place + 1)
    decided = [labels.said[item.id] for item in items if labels.decided(item)]
    counts = {
        "accepted": sum(one.correct is True for one in decided),
        "rejected": sum(one.correct is False for one in decided),
        "rated": sum(one.overall is not None for one in decided),
        "without a label": len(items) - len(decided),
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.print(f"{told}; in {labels.path}", soft_wrap=True, markup=False)


def _undecided(items: Sequence[ReviewItem], labels: ReviewLabels, start: int) -> int:
    """The first place from `start` on whose trace has no label; behind the last where all have."""
    return next((place for place in range(start, len(items)) if not labels.decided(items[place])), len(items))


def passage_of(item: ReviewItem) -> str | None:
    """What a trace was made from: the passage, or else what is quoted of it; None where neither is known."""
    quotes = "\n".join(one.quote for one in item.record.evidence if one.quote)
    return item.record.source_paper.text or quotes or None


def _show_item(item: ReviewItem, place: str, labels: ReviewLabels, console: Console) -> None:
    """Prints a trace with its verdicts, and what was said of it before."""
    record, asked = item.record, item.record.user_interaction
    console.print(Rule(_text(f"{place}: {record.source_paper.title}")))
    by = f"question, by {asked.audience or 'a reader'} ({asked.difficulty_level})"
    parts = {"passage": passage_of(item) or "not known", by: asked.question}
    parts |= {"thought": record.reasoning_trace, "answer": record.final_answer}
    parts |= {f"{verdict.judge}, {item.became}": _words(verdict) for verdict in record.verdicts}
    for title, text in parts.items():
        console.print(_text(title, "cyan"), Padding(_text(text), (0, 0, 0, 2)), sep="\n")
    if words := labels.said.get(item.id, Said()).words():
        console.print(_text(f"you said: {words}", "magenta"))


def _words(verdict: Verdict) -> str:
    given = {name.replace("_", " "): getattr(verdict, name) for name in ("overall", *RATINGS)}
    ratings = (f"{name} {rating:g}" for name, rating in given.items() if rating is not None)
    return f"{', '.join(ratings) or 'no rating'}. {verdict.words}"


def _text(text: str, style: str = "") -> Text:
    """A text as it stands: what looks like markup is none, and no control character reaches the terminal."""
    return Text(clean(text), style)
