"""Invariants of `programs.run.journal` and its index (5 and 9: tests/run/test_index.py).

1. Any JSON that was appended is read back equal, also after closing, and the file is plain JSON Lines.
2. The newest line of a key wins; variations keep the order of their first lines (tests/test_document.py).
3. A last line torn at any byte is removed and counted in `torn_bytes`, and no other line is lost
   (tests/attack/test_disk.py, tests/run/merging/test_refused.py).
4. A damaged line raises a StorageError that names its first byte; nothing is changed.
6. A second opening, or a path that cannot be written, is a UserError (tests/attack/test_disk.py, tests/test_cli.py).
7. A failed write, also halfway, raises StorageError and keeps all earlier lines, and the journal can be opened again. If
   its bytes cannot be removed, no line follows (tests/attack/test_foreign_files.py).
8. A failed flush is raised by the next append."""

import errno
import json
import os
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.asking.reply import Reply
from programs.errors import StorageError
from programs.lms.meter import ResourceUsage
from programs.run import journal as journal_module
from programs.run.journal import Journal

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
KEYS = st.sampled_from(["a", "b", "ab/c/0", "é\u2028", "x\ny", "'"])


def reply(output: Any = "x", **spent: Any) -> dict[str, Any]:
    return Reply(status="ok", output=output, model="m", spent=ResourceUsage(calls=1, **spent)).model_dump(mode="json")


def variation(status: str = "accepted", **fields: Any) -> dict[str, Any]:
    line = {"sample": "s", "status": status, "settled": True, "basis": "b", "digest": "d", "record": {"n": 1}}
    return {**line, **fields}


def fill_journal(journal: Journal, count: int = 5, start: int = 0) -> None:
    """Appends lines of every kind."""
    for number in range(start, start + count):
        journal.append("stage", f"trace/{number}", stage="trace", reply=reply(number, prompt_tokens=None))
        journal.append("failed", f"trace/{number}", stage="trace", reply=reply(None, faults={"429": 2}))
        journal.append("pool", f"{number}", questions=[], rejected=[])
        status = ["accepted", "rejected"][number % 2]
        journal.append("unit", f"{number}/mechanism/0", **variation(status, sample=str(number)))
        journal.append("sample", f"{number}", basis="b", settled=number % 2 == 0)
        journal.append("run", None, status="running", number=number)


def read_everything(journal: Journal, count: int = 40) -> dict[str, Any]:
    """The results of all queries to a journal."""
    index = journal.index
    return {
        "latest": [journal.latest(kind, f"trace/{n}") for kind in ("stage", "failed") for n in range(count)],
        "pools": [journal.latest("pool", f"{n}") for n in range(count)],
        "units": [list(journal.variations(status)) for status in (None, "accepted", "rejected")],
        "unit": [index.variation(f"{n}/mechanism/0") for n in range(count)],
        "sample": [index.sample(f"{n}") for n in range(count)],
        "accepted": [index.accepted_of(f"{n}") for n in range(count)],
        "counts": index.counts(),
        "spent": index.spent(),
        "run": journal.latest("run", ""),
    }


def index_path(path: Path) -> Path:
    return Path(f"{path}.index")


@settings(max_examples=25)
@given(st.lists(st.tuples(KEYS, JSON), max_size=8))
def test_any_json_is_read_back_and_the_newest_line_wins(lines: list[tuple[str, Any]]) -> None:
    newest = dict(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        with Journal(path) as journal:
            for key, value in lines:
                journal.append("pool", key, value=value)
            assert all(_value(journal, key) == value for key, value in newest.items())
        with Journal(path) as journal:
            assert journal.torn_bytes == 0
            assert all(_value(journal, key) == value for key, value in newest.items())
        written = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        assert [(line["key"], line["value"]) for line in written] == lines


def _value(journal: Journal, key: str) -> Any:
    line = journal.latest("pool", key) or {}
    assert (line.get("kind"), line.get("key")) == ("pool", key)
    return line["value"]


DAMAGED = [b"not json", b'{"kind": "pool", "key": "1"', b"12", b"[]", b"null", b'{"a": 1}', b"\xff\xfe", b"\0\0\0", b""]
DAMAGED += [b'{"kind": "stage", "key": "x"}', b'{"kind": "unit", "key": "x", "status": 1}']


@pytest.mark.parametrize("bad", DAMAGED)
def test_a_damaged_line_is_an_error_that_names_its_byte_and_nothing_changes(path: Path, bad: bytes) -> None:
    with Journal(path) as journal:
        fill_journal(journal, 1)
    index_path(path).unlink()
    whole = path.read_bytes()
    path.write_bytes(whole + bad + b"\n" + whole)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StorageError, match=rf"damaged at byte {len(whole)}:"):
            Journal(path)
    assert path.read_bytes() == before
    path.write_bytes(whole + whole)
    with Journal(path) as journal:
        assert journal.index.counts() == {"accepted": 1}


def pwrite_that_fails(fails_at: int, short: bool) -> Callable[[int, bytes, int], int]:
    """A pwrite whose disk is full from call `fails_at` on; with `short`, that call still writes half of its data."""
    real, calls = os.pwrite, count(1)

    def pwrite(file: int, data: bytes, offset: int) -> int:
        left = fails_at - next(calls)
        if left < 0 or (left == 0 and not short):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data if left else data[: len(data) // 2], offset)

    return pwrite


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("fails_at", [1, 2, 5])
def test_a_full_disk_keeps_all_earlier_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, short: bool
) -> None:
    with Journal(path) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", pwrite_that_fails(fails_at, short))
            for number in range(fails_at - 1):
                journal.append("pool", str(number), questions=[number])
            for _ in range(3):
                with pytest.raises(StorageError, match="No space left on device"):
                    journal.append("pool", "lost", questions=["x" * 100])
            assert journal.latest("pool", "lost") is None
        journal.append("pool", "z", questions=[])
    assert [json.loads(line)["key"] for line in path.read_bytes().splitlines()] == [*map(str, range(fails_at - 1)), "z"]
    with Journal(path) as journal:
        assert journal.torn_bytes == 0
        assert all(journal.latest("pool", str(number)) for number in range(fails_at - 1))


def test_a_failed_flush_is_raised_by_the_next_append(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "FLUSH_SECONDS", 0.001)
    with Journal(path) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _file: os.close(-1))
            journal.append("pool", "a", questions=[])
            journal._flusher.join(30)
        with pytest.raises(StorageError, match="Bad file descriptor"):
            journal.append("pool", "b", questions=[])
        assert journal.latest("pool", "a") is not None
    with Journal(path) as journal:
        assert journal.latest("pool", "a") is not None
        journal.append("pool", "b", questions=[])
