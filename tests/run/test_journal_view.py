"""Reads a journal that a run is writing, without its lock, up to its last complete line.

1. The read-only view returns what the open journal returns.
2. A torn last line is ignored and stays; damage before it is an error.
3. No file beside the journal is created or changed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.errors import StorageError
from programs.run.attempts import open_read_only
from programs.run.journal import Journal
from tests.exports.building import append_units, begin_run, end_run
from tests.reports.building import unit


@pytest.fixture
def running(path: Path) -> Iterator[Journal]:
    """A journal that is open for writing."""
    with Journal(path) as journal:
        begin_run(journal)
        append_units(journal, [unit(number) for number in range(4)])
        yield journal


def keys_in(path: Path) -> list[str]:
    with open_read_only(path) as view:
        return [line["key"] for line in view.variations()]


def test_the_view_returns_what_the_open_journal_returns(running: Journal, path: Path) -> None:
    with open_read_only(path) as view:
        assert list(view.variations()) == list(running.variations())
        assert view.index.counts() == running.index.counts()
        assert view.index.spent() == running.index.spent()
        assert (view.latest("run", "") or {})["status"] == "running"
        append_units(running, [unit(4), unit(0)])
        assert len(list(view.variations())) == 4, "the view is a snapshot"
    running.flush()
    assert len(keys_in(path)) == 5
    end_run(running, "completed")
    with open_read_only(path) as view:
        assert (view.latest("run", "") or {})["status"] == "completed"


def test_a_torn_line_is_ignored_and_nothing_changes(running: Journal, path: Path) -> None:
    running.flush()
    torn, empty = path.with_name("torn.journal.jsonl"), path.with_name("empty.journal.jsonl")
    torn.write_bytes(path.read_bytes() + b'{"kind":"unit","key":"text-9/mech')
    empty.touch()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert [len(keys_in(journal)) for journal in (path, torn, empty)] == [4, 4, 0]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_damage_is_an_error(path: Path) -> None:
    path.write_bytes(b'{"kind":"run","key":null}\nno line\n{"kind":"run","key":null}\n')
    with pytest.raises(StorageError, match="damaged at byte 26"):
        keys_in(path)
    with pytest.raises(StorageError, match="cannot read"):
        keys_in(path.with_name("nothing"))
