"""What people said of traces: `NAME.labels.jsonl`, labelled answers (`programs.judges.labels`), only appended to.

A line holds the texts that were judged and everything the person said of them so far, so that the last line about a trace
counts. Each is on the disk before the next trace is shown.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from filelock import Timeout
from pydantic import BaseModel, Field

from programs.errors import JournalError, UserError
from programs.files import lock_on
from programs.judges.review_list import ReviewItem
from programs.versions import stamp


class Said(BaseModel):
    """What a person said of a trace: whether it is right, how good from 1 to 10, and a remark."""

    correct: bool | None = None
    overall: int | None = Field(None, ge=1, le=10)
    comment: str | None = None

    @property
    def decided(self) -> bool:
        """Whether it is a label; a remark alone is none."""
        return self.correct is not None or self.overall is not None


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
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except Timeout:
            raise UserError(
                f"{path} is in use by another review; wait for it, or name another file with --labels"
            ) from None
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "ReviewLabels":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def of(self, item: ReviewItem) -> Said:
        """What was said of a trace so far."""
        return self.said.get(item.id, Said())

    def say(self, item: ReviewItem, said: Said) -> None:
        """Writes what is said of a trace now. Raises `JournalError` when it cannot be written whole."""
        line = orjson.dumps(_line(item, said), option=orjson.OPT_APPEND_NEWLINE)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            if os.write(self._file, line) < len(line):
                os.ftruncate(self._file, size)
                raise JournalError(f"cannot write {self.path}: no room; what was said before is kept")
            os.fsync(self._file)
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error.strerror}; what was said before is kept") from error
        self.said[item.id] = said

    def close(self) -> None:
        os.close(self._file)
        self._lock.release()

    def _read(self) -> None:
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    self._take(line, number)

    def _take(self, line: bytes, number: int) -> None:
        try:
            record = orjson.loads(line)
            name, human = record.get("id"), record.get("human")
            known = human if isinstance(human, dict) else {"correct": human}
            said = Said.model_validate({**known, "comment": record.get("comment")})
        except (orjson.JSONDecodeError, AttributeError, ValueError):
            raise UserError(f"{self.path}:{number} is no label: mend or delete that line") from None
        if isinstance(name, str):
            self.said[name] = said


def _line(item: ReviewItem, said: Said) -> dict[str, Any]:
    human = said.model_dump(include={"correct", "overall"}, exclude_none=True)
    return {
        "id": item.id,
        "unit": item.unit,
        "question": item.question,
        "key_passage": item.key_passage,
        "thought": item.thought,
        "answer": item.answer,
        "human": human or None,
        "comment": said.comment,
        "judges": {verdict.judge: verdict.overall for verdict in item.verdicts},
        "reviewed": stamp(),
    }
