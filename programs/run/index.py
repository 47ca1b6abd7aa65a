"""The journal's index: where each key's newest line stands, and the counts and costs over all lines.

It can always be made again from the journal: it says how far it has read, and reads on from there. It is a SQLite
file so that memory does not grow with the journal; what was added since the last commit is held in memory.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from programs.errors import JournalError
from programs.files import open_database, remove_database
from programs.run.findings import of_line
from programs.run.tally import (
    IMPORTED,
    SOLVED,
    TEXTS,
    WITHDRAWN,
    given_away_in,
    loss_of,
    of_attempts,
    of_pool,
    of_unit,
)

VERSION = "6"
PAGE = 512

SCHEMA = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists line (key text primary key, at integer, length integer) without rowid;
create table if not exists unit (
    key text primary key, first integer, at integer, length integer, status text, basis text, settled integer,
    digest text, sample text, loss text, findings text, given_away integer
) without rowid;
create unique index if not exists unit_order on unit (first);
create index if not exists unit_status on unit (status, first);
create index if not exists unit_sample on unit (sample);
create index if not exists unit_given_away on unit (first) where given_away;
create table if not exists sample (
    key text primary key, basis text, settled integer, line text, failed integer
) without rowid;
create index if not exists sample_failed on sample (key) where failed;
create table if not exists pool (
    key text primary key, first integer, at integer, length integer, tally text, dropped integer
) without rowid;
create unique index if not exists pool_order on pool (first);
create unique index if not exists pool_place on pool (at);
create index if not exists pool_dropped on pool (first) where dropped;
create table if not exists tally (name text primary key, count integer) without rowid;
create table if not exists spent (
    stage text, model text, calls integer, reasks integer, faults integer, prompt integer, completion integer,
    cached integer, uncounted integer, seconds real, primary key (stage, model)
) without rowid;
"""

_SPENT = (
    "stage",
    "model",
    "calls",
    "reasks",
    "faults",
    "prompt",
    "completion",
    "cached",
    "uncounted",
    "seconds",
)

Scan = Callable[[int], Iterable[tuple[int, int, dict[str, Any]]]]


class Damaged(Exception):
    """The line at byte `at` of the journal is none of its lines."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


_NO_LINE = (
    AttributeError,
    KeyError,
    TypeError,
    OverflowError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What reading a line raises that has not the fields of its kind, or other values in them."""


class Index:
    """An open index over a journal of `size` bytes; `scan(offset)` gives the journal's lines from there on, `mark(offset)`
    names the bytes before it: an index of other bytes is made anew."""

    def __init__(self, path: Path, size: int, scan: Scan, mark: Callable[[int], str]) -> None:
        self._path = path
        self._mark = mark
        self._database = _opened(path)
        covered = self._covered()
        if covered > size or (covered and self._one("select value from meta where name = 'mark'") != (mark(covered),)):
            self._database.close()
            remove_database(path)
            self._database = _opened(path)
        self._read_to = self._covered()
        try:
            self._read_on(scan)
        except BaseException:
            self._database.close()
            raise

    def _read_on(self, scan: Scan) -> None:
        for number, (at, length, record) in enumerate(scan(self._read_to)):
            try:
                self.add(at, length, record)
            except _NO_LINE as error:
                raise Damaged(at) from error
            if number % 20000 == 19999:
                self.commit()
        self.commit()

    def add(self, at: int, length: int, record: dict[str, Any]) -> None:
        """Takes one line of the journal, in the journal's order."""
        kind, key = record["kind"], record["key"]
        run = self._database.execute
        if key is not None and kind in ("stage", "call"):
            run("insert or replace into line values (?, ?, ?)", (f"{kind}:{key}", at, length))
        elif kind == "run":
            run("insert or replace into line values (?, ?, ?)", ("run:", at, length))
        elif kind == "unit":
            self._add_unit(at, length, record)
        elif kind == "pool":
            self._add_pool(at, length, record)
        elif kind == "sample":
            run(
                "insert or replace into sample values (?, ?, ?, ?, ?)",
                (key, record["basis"], record["settled"], record.get("line"), record.get("failure") is not None),
            )
        if kind in ("stage", "failed"):
            self._add_spent(record["stage"], record["reply"]["model"], record["reply"]["spent"])
        self._read_to = at + length

    def _add_unit(self, at: int, length: int, record: dict[str, Any]) -> None:
        key, status, basis = record["key"], record["status"], record["basis"]
        before = self._one("select key, status, basis, loss, findings from unit where key = ?", key)
        loss = loss_of(record)
        found = of_line(record) + of_attempts(record)
        values = (key, at, at, length, status, basis, record["settled"], record["digest"], record["sample"], loss)
        self._database.execute(
            "insert into unit values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (key) do update set at = excluded.at,"
            " length = excluded.length, status = excluded.status, basis = excluded.basis,"
            " settled = excluded.settled, digest = excluded.digest, loss = excluded.loss, findings = excluded.findings,"
            " given_away = excluded.given_away",
            (*values, json.dumps(found) if found else None, given_away_in(record)),
        )
        earlier = of_unit(*before[:4]) + Counter(json.loads(before[4] or "{}")) if before else Counter[str]()
        self._count(of_unit(key, status, basis, loss) + found, earlier)

    def _add_pool(self, at: int, length: int, record: dict[str, Any]) -> None:
        key, counts = record["key"], of_pool(record)
        before = self._one("select tally from pool where key = ?", key)
        self._database.execute(
            "insert into pool values (?, ?, ?, ?, ?, ?) on conflict (key) do update set at = excluded.at,"
            " length = excluded.length, tally = excluded.tally, dropped = excluded.dropped",
            (key, at, at, length, json.dumps(counts), bool(record.get("dropped"))),
        )
        self._count(counts, Counter(json.loads(before[0])) if before else Counter())

    def _count(self, now: Counter[str], before: Counter[str]) -> None:
        now.subtract(before)
        self._database.executemany(
            "insert into tally values (?, ?) on conflict (name) do update set count = count + excluded.count",
            [(name, change) for name, change in now.items() if change],
        )

    def _add_spent(self, stage: str, model: str, spent: dict[str, Any]) -> None:
        uncounted = spent["calls"] if spent["prompt_tokens"] is None or spent["completion_tokens"] is None else 0
        self._database.execute(
            "insert into spent values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (stage, model) do update set"
            " calls = calls + excluded.calls, reasks = reasks + excluded.reasks, faults = faults + excluded.faults,"
            " prompt = prompt + excluded.prompt, completion = completion + excluded.completion,"
            " cached = cached + excluded.cached, uncounted = uncounted + excluded.uncounted,"
            " seconds = seconds + excluded.seconds",
            (
                stage,
                model,
                spent["calls"],
                spent["reasks"],
                sum(spent["faults"].values()),
                spent["prompt_tokens"] or 0,
                spent["completion_tokens"] or 0,
                spent["cached_tokens"] or 0,
                uncounted,
                spent["seconds"],
            ),
        )

    def place(self, kind: str, key: str) -> tuple[int, int] | None:
        """Offset and length of the newest line of this kind and key."""
        if kind in ("unit", "pool"):
            row = self._one(f"select at, length from {kind} where key = ?", key)
        else:
            row = self._one("select at, length from line where key = ?", f"{kind}:{key}")
        return None if row is None else (row[0], row[1])

    def unit_places(self, status: str | None, after: int) -> list[tuple[int, int, int]]:
        """The next units after the one that first stood at offset `after`: (first, offset, length)."""
        if status is None:
            return self._all("select first, at, length from unit where first > ? order by first limit ?", after, PAGE)
        query = "select first, at, length from unit where status = ? and first > ? order by first limit ?"
        return self._all(query, status, after, PAGE)

    def given_away_places(self, after: int) -> list[tuple[int, int, int]]:
        """As `unit_places`, of units that give a benchmark away or an attempt at which does."""
        query = "select first, at, length from unit where given_away and first > ? order by first limit ?"
        return self._all(query, after, PAGE)

    def pool_places(self, after: int) -> list[tuple[int, int, int]]:
        """The next texts' questions after those that first stood at offset `after`: (first, offset, length)."""
        return self._all("select first, at, length from pool where first > ? order by first limit ?", after, PAGE)

    def dropped_places(self, after: int) -> list[tuple[int, int, int]]:
        """As `pool_places`, of texts with questions that were left out."""
        query = "select first, at, length from pool where dropped and first > ? order by first limit ?"
        return self._all(query, after, PAGE)

    def newer_pool_places(self, after: int) -> list[tuple[int, int, int]]:
        """The next newest lines of texts' questions after offset `after`: (offset, offset, length)."""
        return self._all("select at, at, length from pool where at > ? order by at limit ?", after, PAGE)

    def units_of(self, sample: str) -> dict[str, str]:
        """The units of a sample, with their status."""
        return dict(self._all("select key, status from unit where sample = ?", sample))

    def turned_down(self, sample: str, question: str) -> bool:
        """Whether some unit of a sample's question was not taken for what the question needs."""
        losses = self._all("select key, loss from unit where sample = ?", sample)
        return any(key.rpartition("/")[0] == question and loss.startswith(SOLVED) for key, loss in losses)

    def used_by_own(self) -> int:
        """How many questions have a model's own thought as their first trace, and no written one."""
        query = (
            "select count(*) from unit as own where key like '%/0-model' and basis != ? and status != ? and not exists"
            " (select 1 from unit where key = substr(own.key, 1, length(own.key) - length('-model')))"
        )
        [(count,)] = self._all(query, IMPORTED, WITHDRAWN)
        return int(count)

    def begun(self) -> int:
        """How many texts were begun: those with questions, and those that were asked for them in vain."""
        return self.tally()[TEXTS] + self.failed()

    def knows(self, sample: str) -> bool:
        """Whether a text was begun, in whatever run."""
        query = (
            "select 1 where exists (select 1 from pool where key = ?) or exists (select 1 from sample where key = ?)"
        )
        return self._one(query, sample, sample) is not None

    def unfinished(self, basis: str) -> int:
        """How many texts were begun and are not settled by this basis. Reads all of them."""
        row = self._one("select count(*) from sample where basis = ? and settled", basis)
        return self.begun() - (int(row[0]) if row else 0)

    def failed(self) -> int:
        """How many texts gave no questions because no model answered."""
        row = self._one(
            "select count(*) from sample where failed and not exists (select 1 from pool where pool.key = sample.key)"
        )
        return int(row[0]) if row else 0

    def tally(self) -> Counter[str]:
        """The counts of the funnel (`programs.run.tally`) over the newest lines."""
        return Counter(dict(self._all("select name, count from tally where count != 0")))

    def unit(self, key: str) -> tuple[str, str, bool, str | None] | None:
        """Status, basis, whether it is settled, and digest of a unit."""
        row = self._one("select status, basis, settled, digest from unit where key = ?", key)
        return None if row is None else (row[0], row[1], bool(row[2]), row[3])

    def sample(self, key: str) -> tuple[str, bool] | None:
        """Basis and whether it is settled, of a sample that was driven to its end."""
        row = self._one("select basis, settled from sample where key = ?", key)
        return None if row is None else (row[0], bool(row[1]))

    def done_lines(self, basis: str) -> set[str]:
        """The line ids of the samples that are settled by this basis. Memory: about 100 bytes each."""
        query = "select line from sample where basis = ? and settled and line is not null"
        return {row[0] for row in self._database.execute(query, (basis,))}

    def accepted_of(self, sample: str) -> int:
        """How many accepted units a sample has."""
        row = self._one("select count(*) from unit where sample = ? and status = 'accepted'", sample)
        return int(row[0]) if row else 0

    def counts(self) -> dict[str, int]:
        """How many units there are by status."""
        return dict(self._all("select status, count(*) from unit group by status"))

    def stale(self, basis: str) -> bool:
        """Whether some accepted unit was decided by other rules than `basis`, imported ones apart."""
        query = "select 1 from unit where status = 'accepted' and basis not in (?, ?) limit 1"
        return self._one(query, basis, IMPORTED) is not None

    def judges_asked(self) -> bool:
        """Whether any judge was ever asked."""
        return self._one("select 1 from spent where stage = 'judge' limit 1") is not None

    def spent(self) -> list[dict[str, Any]]:
        """Calls, tokens and seconds by stage and model over all runs; `uncounted` calls had no token counts."""
        rows = self._all("select * from spent order by stage, model")
        return [dict(zip(_SPENT, row, strict=True)) for row in rows]

    def commit(self) -> None:
        """Makes what was added durable, with how far the journal was read."""
        values = [("read_to", self._read_to), ("mark", self._mark(self._read_to))]
        self._database.executemany("insert or replace into meta values (?, ?)", values)
        self._database.commit()

    def close(self) -> None:
        self._database.close()

    def _covered(self) -> int:
        row = self._one("select value from meta where name = 'read_to'")
        return int(row[0]) if row else 0

    def _one(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        rows = self._all(query, *values)
        return rows[0] if rows else None

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(
                f"{self._path} cannot be read: {error}. Delete it: it is made again from the journal."
            ) from error


def _opened(path: Path) -> sqlite3.Connection:
    return open_database(path, SCHEMA, "version", VERSION, check_same_thread=False)
