"""A journal read while a run writes it: without its lock, without a trace beside it, up to its last whole line.

1. It sees what the journal itself says.
2. A torn last line is left out and left alone; damage before it is said.
3. Nothing beside the journal is made or changed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.errors import StorageError
from programs.run.attempts import open_read_only
from programs.run.journal import Journal
from tests.exports.building import add
from tests.reports.building import begin, end, unit


@pytest.fixture
def running(path: Path) -> Iterator[Journal]:
    """A journal that is open."""
    with Journal(path) as journal:
        begin(journal)
        add(journal, [unit(number) for number in range(4)])
        yield journal


def seen(path: Path) -> list[str]:
    with open_read_only(path) as view:
        return [line["key"] for line in view.variations()]


def test_it_sees_what_an_open_journal_holds(running: Journal, path: Path) -> None:
    with open_read_only(path) as view:
        assert list(view.variations()) == list(running.variations())
        assert view.index.counts() == running.index.counts()
        assert view.index.spent() == running.index.spent()
        assert (view.latest("run", "") or {})["status"] == "running"
        add(running, [unit(4), unit(0)])
        assert len(list(view.variations())) == 4, "it is of one moment"
    running.flush()
    assert len(seen(path)) == 5
    end(running, "completed")
    with open_read_only(path) as view:
        assert (view.latest("run", "") or {})["status"] == "completed"


def test_a_torn_line_is_left_out_and_nothing_changes(running: Journal, path: Path) -> None:
    running.flush()
    torn, empty = path.with_name("torn.journal.jsonl"), path.with_name("empty.journal.jsonl")
    torn.write_bytes(path.read_bytes() + b'{"kind":"unit","key":"text-9/mech')
    empty.touch()
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert [len(seen(journal)) for journal in (path, torn, empty)] == [4, 4, 0]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_damage_is_said(path: Path) -> None:
    path.write_bytes(b'{"kind":"run","key":null}\nno line\n{"kind":"run","key":null}\n')
    with pytest.raises(StorageError, match="damaged at byte 26"):
        seen(path)
    with pytest.raises(StorageError, match="cannot read"):
        seen(path.with_name("nothing"))
