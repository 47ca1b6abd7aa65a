"""A person's walk through traces: what a line that they type means, how a trace is shown, and what they said, kept.

What they say is in `NAME.labels.jsonl`, labelled answers (`programs.judges.labels`), only appended to. A line holds the
texts that were judged and everything that was said of them so far, so that the last line about a trace counts.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
from filelock import Timeout
from pydantic import BaseModel, Field
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from programs.errors import JournalError, UserError
from programs.files import lock_on
from programs.inputs.cleaning import clean
from programs.judges.review_list import ReviewItem
from programs.records import RATINGS
from programs.versions import stamp

HELP = "a accept, r reject, 1-10 rate (also: a 8, r 3), c TEXT comment, p whole passage, s skip, b back, q quit"
LONG_PASSAGE = 3000
"""Characters; of a longer passage only the evidence is shown, and the whole on demand."""

Move = Literal["next", "back", "stay", "passage", "quit"]

_WORDS: dict[str, Move] = {"skip": "next", "back": "back", "quit": "quit", "passage": "passage"}
_MOVES = {**_WORDS, **{word[0]: move for word, move in _WORDS.items()}}
_DECISION = re.compile(r"(?=.)(a|r|accept|reject)?\s*(10|[1-9])?", re.IGNORECASE)
_COMMENT = re.compile(r"(?:c|comment)(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


class Said(BaseModel):
    """What a person said of a trace: whether it is right, how good from 1 to 10, and a remark, which alone is no label."""

    correct: bool | None = None
    overall: int | None = Field(None, ge=1, le=10)
    comment: str | None = None

    @property
    def decided(self) -> bool:
        return self.correct is not None or self.overall is not None

    def words(self) -> str:
        parts = [] if self.correct is None else ["accepted" if self.correct else "rejected"]
        parts += [] if self.overall is None else [f"{self.overall} of 10"]
        return ", ".join([*parts, *([f"comment: {self.comment}"] if self.comment else [])])


class Line(NamedTuple):
    """What a line that a person typed means: where to go, and what it says of the trace (None: nothing new). `problem` is
    why it means nothing."""

    move: Move
    said: Said | None = None
    problem: str | None = None


def understood(line: str, before: Said) -> Line:
    """What a line means for a trace of which `before` was said. A decision keeps the comment, a comment the decision;
    a decision takes the place of the whole one before ("8" after "r" is no longer a rejection)."""
    text = line.strip()
    if move := _MOVES.get(text.lower()):
        return Line(move)
    if comment := _COMMENT.fullmatch(text):
        if not comment[1]:
            return Line("stay", problem="write the comment after the c, on the same line")
        return Line("stay", before.model_copy(update={"comment": comment[1]}))
    if decision := _DECISION.fullmatch(text):
        verb, rating = decision.groups()
        correct = None if verb is None else verb[0].lower() == "a"
        return Line("next", Said(correct=correct, overall=rating and int(rating), comment=before.comment))
    return Line("stay", problem=HELP)


class ReviewLabels:
    """An open file of labels. One process at a time. `said` holds what was said last, by the trace's id.

    Raises `UserError` when another process has it open, when it cannot be written, or for a line that is no JSON object:
    what a person wrote is never cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: dict[str, Said] = {}
        self._lock = lock_on(f"{path}.lock")
        try:
            self._lock.acquire()
            self._file = path.open("ab+", buffering=0)
        except Timeout:
            raise UserError(
                f"{path} is in use by another review; wait for it, or name another file with --labels"
            ) from None
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
        with contextlib.ExitStack() as failed:
            failed.callback(self.close)
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                self._take(line, number)
            failed.pop_all()

    def __enter__(self) -> "ReviewLabels":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def of(self, item: ReviewItem) -> Said:
        """What was said of a trace so far."""
        return self.said.get(item.id, Said())

    def say(self, item: ReviewItem, said: Said) -> None:
        """Writes what is said of a trace now; it is on the disk when this returns. Raises `JournalError` when it cannot be
        written whole."""
        human = said.model_dump(include={"correct", "overall"}, exclude_none=True)
        texts = item.model_dump(include={"id", "unit", "question", "key_passage", "thought", "answer"})
        judges = {verdict.judge: verdict.overall for verdict in item.verdicts}
        content = {**texts, "human": human or None, "comment": said.comment, "judges": judges, "reviewed": stamp()}
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

    def _take(self, line: bytes, number: int) -> None:
        if not line.strip():
            return
        try:
            record = orjson.loads(line)
            human = record.get("human")
            known = human if isinstance(human, dict) else {"correct": human}
            said = Said.model_validate({**known, "comment": record.get("comment")})
        except (AttributeError, ValueError):
            raise UserError(f"{self.path}:{number} is no label: mend or delete that line") from None
        if isinstance(record.get("id"), str):
            self.said[record["id"]] = said


def walk(items: Sequence[ReviewItem], labels: ReviewLabels, console: Console) -> None:
    """Shows one trace after another and takes a line for each, until all are decided, the person quits or the input
    ends; then says how many have which label. Raises `JournalError` when a label cannot be written."""
    ids = [item.id for item in items]
    console.print(HELP, style="dim")
    _walk(items, ids, labels, console)
    decided = [labels.said[name] for name in ids if name in labels.said and labels.said[name].decided]
    counts = {
        "accepted": sum(one.correct is True for one in decided),
        "rejected": sum(one.correct is False for one in decided),
        "rated": sum(one.overall is not None for one in decided),
        "without a label": len(ids) - len(decided),
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.print(f"{told}; in {labels.path}", soft_wrap=True, markup=False)


def _walk(items: Sequence[ReviewItem], ids: Sequence[str], labels: ReviewLabels, console: Console) -> None:
    def undecided(start: int) -> list[int]:
        return [number for number in range(start, len(ids)) if not labels.said.get(ids[number], Said()).decided]

    been: list[int] = []
    rest, shown = undecided(0), None
    while rest:
        place, item = rest[0], items[rest[0]]
        if shown != place:
            _show_item(
                item, f"{place + 1} of {len(ids)}, {len(undecided(0))} without a label", labels.of(item), console
            )
            shown = place
        try:
            line = understood(console.input("> "), labels.of(item))
        except EOFError:
            return
        if line.said is not None:
            labels.say(item, line.said)
        if line.problem is not None:
            console.print(line.problem, style="yellow")
        if line.move == "quit":
            return
        if line.move == "next":
            been.append(place)
            rest = undecided(place + 1)
        elif line.move == "passage":
            _show_passage(item, console)
        elif line.move == "back":
            # To what was shown before, or else to what stands before it in the list.
            if not been and not place:
                console.print("this is the first one", style="yellow")
            rest = [been.pop() if been else max(place - 1, 0)]


def _show_item(item: ReviewItem, place: str, said: Said, console: Console) -> None:
    """Prints a trace with its verdicts, and what was said of it before."""
    console.print(Rule(_text(f"{place}: {item.title}")))
    if item.key_passage is None:
        console.print(_text("the passage is not known", "dim"))
    elif len(item.key_passage) <= LONG_PASSAGE:
        _show_passage(item, console)
    else:
        quotes = (one.quote or f"not found in the passage: {one.claim}" for one in item.evidence)
        title = f"evidence, out of {len(item.key_passage)} characters (p shows all)"
        _show(title, "cyan", "\n".join(quotes), console, "italic")
    _show(f"question, by {item.asked_by}", "cyan", item.question, console, "bold")
    _show("thought", "cyan", item.thought, console)
    _show("answer", "green", item.answer, console)
    console.print(_verdicts(item) if item.verdicts else _text(f"no judge was asked ({item.became})", "dim"))
    if said.words():
        console.print(_text(f"you said: {said.words()}", "magenta"))


def _show_passage(item: ReviewItem, console: Console) -> None:
    """Prints the whole passage."""
    _show("passage", "cyan", item.key_passage or "", console)


def _verdicts(item: ReviewItem) -> Table:
    apart = "" if item.spread is None else f", {item.spread:g} apart"
    table = Table(title=f"the judges{apart} ({item.became})", box=None, title_justify="left")
    ratings = ["overall", *(name for name in RATINGS if name != "overall")]
    for name in ("judge", *ratings, "in words"):
        table.add_column(name.replace("_", " "))
    for verdict in item.verdicts:
        given = (getattr(verdict, name) for name in ratings)
        overall, *others = ["-" if rating is None else f"{rating:g}" for rating in given]
        raw = "" if verdict.raw_overall is None else f" (said {verdict.raw_overall})"
        table.add_row(_text(verdict.judge), overall + raw, *others, _text(verdict.words))
    return table


def _show(title: str, color: str, text: str, console: Console, style: str = "") -> None:
    console.print(_text(title, color), Padding(_text(text, style), (0, 0, 0, 2)), sep="\n")


def _text(text: str, style: str = "") -> Text:
    """A text as it stands: what looks like markup is none, and no control character reaches the terminal."""
    return Text(clean(text), style)
