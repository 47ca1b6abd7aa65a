"""Walking through traces under review: which is next, and what a person's words mean. No input and no output of its own."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import orjson
from pydantic import ValidationError

from programs.errors import UserError
from programs.judges.review_labels import ReviewLabels, Said
from programs.judges.review_list import ReviewItem

HELP = "a accept, r reject, 1-10 rate (also: a 8, r 3), c TEXT comment, p whole passage, s skip, b back, q quit"

_DECISION = re.compile(r"(a|r|accept|reject)?\s*(10|[1-9])?", re.IGNORECASE)

Move = Literal["next", "back", "stay", "passage", "quit"]


class Reviewed(Protocol):
    """The traces that a person walks through: their ids, and each by its number from 0."""

    @property
    def ids(self) -> Sequence[str]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> ReviewItem: ...

    def close(self) -> None: ...


class ReviewList:
    """The traces of a list, read one at a time. Memory: their ids and places. A list that is made again meanwhile takes
    another file's place, and this one stays as it was.

    Raises `UserError` for a file that cannot be read or is no review list.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        self._places: list[tuple[int, int]] = []
        self.ids: list[str] = []
        offset = 0
        for number, line in enumerate(self._file, 1):
            if line.strip():
                self.ids.append(self._parsed(line, number).id)
                self._places.append((offset, len(line)))
            offset += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> ReviewItem:
        offset, length = self._places[number]
        return self._parsed(os.pread(self._file.fileno(), length, offset), number + 1)

    def close(self) -> None:
        self._file.close()

    def _parsed(self, line: bytes, number: int) -> ReviewItem:
        try:
            return ReviewItem.model_validate(orjson.loads(line))
        except (orjson.JSONDecodeError, ValidationError):
            raise UserError(
                f"{self.path}:{number} is no trace of a review list; make it again with python -m programs.document"
            ) from None


@dataclass(frozen=True)
class Word:
    """What a person's line means: where to go, and what it says of the trace (None: nothing new). `problem` is why it
    means nothing."""

    move: Move
    said: Said | None = None
    problem: str | None = None


def understood(line: str, before: Said) -> Word:
    """What a line means for a trace of which `before` was said. A decision keeps the comment, a comment the decision;
    a decision takes the place of the whole one before ("8" after "r" is no longer a rejection)."""
    text = line.strip()
    command, _, rest = text.partition(" ")
    moves: dict[str, Move] = {"s": "next", "b": "back", "q": "quit", "p": "passage"}
    moves |= {"skip": "next", "back": "back", "quit": "quit", "passage": "passage"}
    if text.lower() in moves:
        return Word(moves[text.lower()])
    if command.lower() in ("c", "comment"):
        comment = rest.strip()
        if not comment:
            return Word("stay", problem="write the comment after the c, on the same line")
        return Word("stay", before.model_copy(update={"comment": comment}))
    found = _DECISION.fullmatch(text)
    if not text or found is None:
        return Word("stay", problem=HELP)
    verb, rating = found.groups()
    return Word(
        "next",
        Said(
            correct=None if verb is None else verb[0].lower() == "a",
            overall=None if rating is None else int(rating),
            comment=before.comment,
        ),
    )


class Walk:
    """Where a person is in a list. `place` is the present trace's number, from 0; None at the end."""

    def __init__(self, ids: Sequence[str], labels: ReviewLabels) -> None:
        self._ids = ids
        self._labels = labels
        self._been: list[int] = []
        self.place = self._undecided(0)

    @property
    def left(self) -> int:
        """How many traces have no label."""
        return sum(not self._decided(name) for name in self._ids)

    def forward(self) -> None:
        """To the next trace without a label, after the present one."""
        if self.place is not None:
            self._been.append(self.place)
            self.place = self._undecided(self.place + 1)

    def back(self) -> bool:
        """To the trace before: the one that was shown before, or else that before it in the list. False where there is
        none."""
        if self._been:
            self.place = self._been.pop()
        elif self.place:
            self.place -= 1
        else:
            return False
        return True

    def _undecided(self, start: int) -> int | None:
        return next((n for n in range(start, len(self._ids)) if not self._decided(self._ids[n])), None)

    def _decided(self, name: str) -> bool:
        said = self._labels.said.get(name)
        return said is not None and said.decided
