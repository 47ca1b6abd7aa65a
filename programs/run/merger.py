"""Several journals poured into one.

Each text is taken whole, with all lines about it, from one source: the one that made the most of it (accepted variations,
then whether it was done with it), of equals the one named first. So nothing of two sources is woven together, and a text
that was done stays done. What the other sources made of it, and paid for it, stays in their own journals. Lines about no
text, such as those of runs, and traces of documents that name no text, are all taken.

Memory does not grow with the journals: which source a text is taken from stands in a SQLite file.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from programs.run.journal import Journal
from programs.run.trace_source import TraceSource
from programs.traces.line import IMPORTED

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table text (name text primary key, source integer, made integer, known integer) without rowid;
"""

_WEIGH = """
insert into text
    select text, ?, 2 * sum(kind = 'unit' and status = 'accepted') + max(kind = 'sample' and settled), 1 from (
        select kind, status, ifnull(json_extract(facts, '$.settled'), 0) settled, case
            when kind in ('stage', 'failed') then substr(rest, 1, instr(rest || '/', '/') - 1)
            else ifnull(sample, key) end text
        from (select *, substr(key, instr(key, '/') + 1) rest from theirs.line)
        where kind in ('unit', 'pool', 'sample', 'stage', 'failed')
    ) where text != ? group by text
    on conflict (name) do update set known = known + 1, made = max(made, excluded.made),
        source = case when excluded.made > made then excluded.source else source end
"""
"""How much a source made of each text, and whether that is more than those before it did."""


def pour(sources: Sequence[TraceSource], into: Journal, folder: Path) -> int:
    """Pours the sources into a new journal. Returns how many texts stood in several of them. Raises `JournalError` when one
    is damaged or the new one cannot be written, and `sqlite3.Error` when the notes in `folder` cannot."""
    with closing(sqlite3.connect(folder / "notes.sqlite")) as notes:
        notes.executescript(_SCHEMA)
        for number, source in enumerate(sources):
            with source.opened(folder) as journal:
                notes.execute("attach ? as theirs", (str(journal.index.path),))
                notes.execute(_WEIGH, (number, IMPORTED))
                notes.commit()
                notes.execute("detach theirs")
        for number, source in enumerate(sources):
            with source.opened(folder) as journal:
                for _, _, line in journal.lines():
                    if _taken_from(notes, _text_of(line)) in (number, None):
                        into.append(**line)
        ((shared,),) = notes.execute("select count(*) from text where known > 1")
    return int(shared)


def _taken_from(notes: sqlite3.Connection, text: str | None) -> int | None:
    """The source that a text is taken from."""
    found = None if text is None else notes.execute("select source from text where name = ?", (text,)).fetchone()
    return None if found is None else int(found[0])


def _text_of(line: dict[str, Any]) -> str | None:
    """The text that a line is about; None: it is about none that has a name."""
    kind, key = line["kind"], line["key"]
    if kind in ("stage", "failed"):
        return str(key).split("/")[1]
    if kind == "unit":
        return None if line["sample"] == IMPORTED else str(line["sample"])
    return str(key) if kind in ("pool", "sample") else None
