"""The journal's index: where each key's newest line stands, and the few facts of it that questions about a run need.

A SQLite file, so that memory does not grow with the journal. It can be deleted at any time: it says how far it has read
the journal, and reads on from there; one of another version, or of other bytes, is made again. Counts are queries.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from programs.errors import StorageError
from programs.files import move_aside
from programs.inputs.sample import bytes_id
from programs.rejection import Reason
from programs.run.old_lines import present_form
from programs.traces.line import Line

VERSION = "10"
PAGE = 512
COMMIT_EVERY = 20_000
MARK_BYTES = 4096
LONGEST_REASON = 160

SOLVED = ("accepted", "rejected", "unjudged", "contaminated")
"""The statuses of variations whose question has a need. One that was withdrawn counts nowhere."""

UNDECIDED = "undecided"
BUG = "an error in this program"  # so begins the failure of a text that such an error ended

OF_SAMPLE = "key in (select key from line where kind = 'unit' and sample = ?)"
"""The variations of a sample, found by the index: asked of the view alone, SQLite would look at all."""

SPENT = ("calls", "reasks", "faults", "prompt", "completion", "cached", "uncounted", "seconds")
"""What is summed up over all replies, those included that a later line replaced."""

SCHEMA = f"""
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists line (
    kind text, key text, at integer, length integer, first integer, sample text, status text, facts text,
    primary key (kind, key)
) without rowid;
create index if not exists in_order on line (kind, first, at, length) where first is not null;
create index if not exists by_status on line (kind, status, first, at, length) where status is not null;
create index if not exists by_sample on line (sample, kind, status) where sample is not null;
create table if not exists spent (
    stage text, model text, {", ".join(f"{name} real" for name in SPENT)}, primary key (stage, model)
) without rowid;
create view if not exists variation as select key, at, sample, status,
    json_extract(facts, '$.question') question, json_extract(facts, '$.basis') basis,
    json_extract(facts, '$.settled') settled, json_extract(facts, '$.digest') digest,
    json_extract(facts, '$.loss') loss, json_extract(facts, '$.why') why, facts
    from line where kind = 'unit';
create view if not exists pool as select key, at, facts, json_extract(facts, '$.usable') usable,
    json_extract(facts, '$.drafted') drafted from line where kind = 'pool';
create view if not exists sample as select key, at, json_extract(facts, '$.basis') basis,
    json_extract(facts, '$.settled') settled, json_extract(facts, '$.line') line,
    json_extract(facts, '$.failure') failure from line where kind = 'sample';
insert or ignore into meta values ('version', '{VERSION}');
"""

_ADD_LINE = (
    "insert into line values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (kind, key) do update set at = excluded.at,"
    " length = excluded.length, sample = excluded.sample, status = excluded.status, facts = excluded.facts"
)
_ADD_SPENT = (
    f"insert into spent values (?, ?, {', '.join('?' for _ in SPENT)}) on conflict (stage, model) do update set "
    f"{', '.join(f'{name} = {name} + excluded.{name}' for name in SPENT)}"
)

_OF_SQLITE = (OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
_NO_LINE = (LookupError, TypeError, AttributeError, ValueError, *_OF_SQLITE)
"""What adding a malformed line raises: a part of it is missing, or of another kind than facts or SQLite take."""


def damaged(path: Path, at: int) -> StorageError:
    return StorageError(
        f"{path} is damaged at byte {at}: the line there is none of a journal's. "
        "Delete that line, or move the file aside to start fresh."
    )


def scan(path: Path, offset: int, size: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Every line of a journal from `offset` on that begins before `size`: its offset, its length and what it says. Raises
    `StorageError` at one that is no JSON, and OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        while offset < size and (line := file.readline()):
            try:
                yield offset, len(line), orjson.loads(line)
            except orjson.JSONDecodeError:
                raise damaged(path, offset) from None
            offset += len(line)


def mark(file: int, offset: int) -> str:
    """A hash of the bytes before `offset`, which no other journal has there. Raises OSError."""
    start = max(0, offset - MARK_BYTES)
    return bytes_id(os.pread(file, offset - start, start))


class Index:
    """An open index at `path` over the first `size` bytes of a journal, which is open as `file`; `end` is how many of them
    it covers. Raises OSError, sqlite3.Error, and `StorageError` at a damaged line, or where it cannot be read."""

    def __init__(self, path: Path, journal: Path, file: int, size: int) -> None:
        self.path, self._file = path, file
        self._database, self.end = _opened(path, file, size)
        try:
            for number, (at, length, line) in enumerate(scan(journal, self.end, size), 1):
                try:
                    self.add(at, length, line)
                except _NO_LINE as error:
                    raise damaged(journal, at) from error
                if number % COMMIT_EVERY == 0:
                    self.commit()
            self.commit()
        except BaseException:
            self._database.close()
            raise

    def add(self, at: int, length: int, line: dict[str, Any]) -> None:
        line = present_form(line)
        kind, facts = line["kind"], facts_of(line)
        first, said = (None, None) if facts is None else (at, orjson.dumps(facts).decode())
        whose = (line["sample"], line["status"]) if kind == "unit" else (None, None)
        self._database.execute(_ADD_LINE, (kind, line["key"] or "", at, length, first, *whose, said))
        if kind in ("stage", "failed"):
            spent = line["reply"]["spent"]
            tokens = (spent["prompt_tokens"], spent["completion_tokens"], spent["cached_tokens"])
            counts = (spent["calls"], spent["reasks"], sum(spent["faults"].values()), *(count or 0 for count in tokens))
            uncounted = spent["calls"] if None in tokens[:2] else 0
            account = (line["stage"], line["reply"]["model"])
            self._database.execute(_ADD_SPENT, (*account, *counts, uncounted, spent["seconds"]))
        self.end = at + length

    def commit(self) -> None:
        """Makes what was added durable, with how far the journal was read."""
        values = [("read_to", self.end), ("mark", mark(self._file, self.end))]
        self._database.executemany("insert or replace into meta values (?, ?)", values)
        self._database.commit()

    def close(self) -> None:
        self._database.close()

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What SQL finds in the table `line` and the views `variation`, `pool` and `sample`."""
        try:
            return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path} cannot be read: {error}. Delete it: it is made again from the journal."
            ) from error

    def row(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        return next(iter(self.query(f"{sql} limit 1", *values)), None)

    def position(self, kind: str, key: str) -> tuple[int, int] | None:
        """Offset and length of the newest line of this kind and key."""
        return self.row("select at, length from line where kind = ? and key = ?", kind, key)

    def variations(self, after: int, status: str | None) -> list[tuple[int, int, int]]:
        """The next variations (with this status) after the one that first stood at `after`: first, offset, length."""
        which = "kind = 'unit' and first > ?" + (" and status = ?" if status else "")
        query = f"select first, at, length from line where {which} order by first limit {PAGE}"
        return self.query(query, after, *([status] if status else []))

    def counts(self) -> dict[str, int]:
        """How many variations there are by status."""
        return dict(self.query("select status, count(*) from variation where status is not null group by status"))

    def variation(self, key: str) -> tuple[str, str, bool, str | None] | None:
        """Status, basis, whether it is settled, and digest of a variation."""
        return self.row("select status, basis, ifnull(settled, 0), digest from variation where key = ?", key)

    def sample(self, key: str) -> tuple[str, bool] | None:
        """Basis and whether it is settled, of a sample that was driven to its end."""
        return self.row("select basis, settled from sample where key = ?", key)

    def done_lines(self, basis: str) -> set[str]:
        """The line ids of the samples that are settled by this basis. Memory: about 100 bytes each."""
        query = "select line from sample where basis = ? and settled and line > ''"
        return {line for (line,) in self.query(query, basis)}

    def accepted_of(self, sample: str) -> int:
        return self._number(f"select count(*) from variation where {OF_SAMPLE} and status = 'accepted'", sample)

    def turned_down(self, sample: str, question: str) -> bool:
        """Whether some variation of a sample's question was not taken for what the question needs."""
        query = f"select 1 from variation where {OF_SAMPLE} and question = ? and loss = ?"
        return bool(self.row(query, sample, question, Reason.NEED.value))

    def holds_work(self) -> bool:
        """Whether there is a reply, a try at one, or a variation: not where all runs ended before one was made."""
        return bool(self.row("select 1 from line where kind in ('stage', 'failed', 'unit')"))

    def judges_asked(self) -> bool:
        return bool(self.row("select 1 from spent where stage = 'judge'"))

    def knows(self, sample: str) -> bool:
        """Whether a text was begun, in whatever run."""
        return bool(self.row("select 1 from line where kind in ('pool', 'sample') and key = ?", sample))

    def begun(self) -> int:
        """How many texts have questions, or were asked for them in vain."""
        pools = self._number("select count(*) from line where kind = 'pool' and first is not null")
        return pools + sum(self.without_questions().values())

    def unfinished(self, basis: str) -> int:
        """How many texts were begun and are not settled by this basis. Reads all of them."""
        return self.begun() - self._number("select count(*) from sample where basis = ? and settled", basis)

    def without_questions(self) -> dict[str, int]:
        """How many texts gave no questions because no model answered, or by an error in this program."""
        why = f"case when failure like '{BUG}%' then '{BUG}' else 'no model answered' end"
        asked = "select 1 from pool where pool.key = sample.key"
        query = f"select {why}, count(*) from sample where failure is not null and not exists ({asked}) group by 1"
        return dict(self.query(query))

    def spent(self) -> list[dict[str, Any]]:
        """Calls, tokens and seconds by stage and model over all runs; `uncounted` calls had no token counts."""
        names = ("stage", "model", *SPENT)
        rows = [dict(zip(names, row, strict=True)) for row in self.query("select * from spent order by stage, model")]
        return [{**row, **{name: int(row[name]) for name in SPENT[:-1]}} for row in rows]

    def _number(self, sql: str, *values: Any) -> int:
        return int(self.query(sql, *values)[0][0])


def _opened(path: Path, file: int, size: int) -> tuple[sqlite3.Connection, int]:
    """The database at `path`, and how many bytes of the journal it covers. One of another version, of another journal, or
    of one that has lost its end since, is made again; what is there and is none of ours, or damaged, is moved aside."""
    # What SQLite lays beside it goes with it.
    files = path, Path(f"{path}-wal"), Path(f"{path}-shm")
    while True:
        database = sqlite3.connect(path, check_same_thread=False)
        version = _version_of(database, path)
        if version in (None, VERSION):
            database.executescript(SCHEMA)
            said = dict(database.execute("select name, value from meta"))
            covered = int(said.get("read_to", 0))
            if not covered or (covered <= size and said.get("mark") == mark(file, covered)):
                return database, covered
        database.close()
        if version == "":
            move_aside(*files)
        for each in files:
            each.unlink(missing_ok=True)


def _version_of(database: sqlite3.Connection, path: Path) -> str | None:
    """The version of an index, None for a new one, "" for a file that is none of ours or damaged."""
    try:
        tables = database.execute("select name from sqlite_master").fetchall()
        if path.stat().st_size % database.execute("pragma page_size").fetchone()[0]:
            return ""
        query = "select value from meta where name = 'version'"
        return str(database.execute(query).fetchone()[0]) if tables else None
    except (sqlite3.DatabaseError, TypeError):
        return ""


def facts_of(line: Line) -> dict[str, Any] | None:
    """What sums and lists need of a line; None for kinds that are looked up by their key alone."""
    if line["kind"] == "unit":
        return _variation_facts(line)
    if line["kind"] == "pool":
        kept, rejected, dropped = (line.get(name) or [] for name in ("questions", "rejected", "dropped"))
        lost = Counter(loss_of(question["rejection"]) for question in [*rejected, *dropped])
        return {"usable": len(kept), "drafted": len(kept) + len(rejected) + len(dropped), "lost": lost}
    if line["kind"] == "sample":
        failure = (line.get("failure") or "")[:LONGEST_REASON] or None
        return {"basis": line["basis"], "settled": bool(line["settled"]), "line": line.get("line"), "failure": failure}
    return None


def loss_of(rejection: Line) -> str:
    """The name under which the funnel counts what was rejected so. Stages that gave nothing are told apart."""
    reason, (stage, _, _) = str(rejection["reason"]), rejection["detail"].partition(":")
    return f"{stage} {reason}" if reason in (Reason.UNUSABLE.value, Reason.UNANSWERED.value) else reason


def _variation_facts(line: Line) -> dict[str, Any]:
    """The last attempt stands for a variation of which none was taken."""
    record, attempts = line["record"], line.get("attempts") or []
    rejection = line["rejection"]
    last = record or (attempts[-1] if attempts else {})
    question, _, name = line["key"].rpartition("/")
    found = {
        "question": question,
        **{part: line[part] for part in ("basis", "settled", "digest")},
        "written": len(attempts) + (record is not None),
        "unused": len(line.get("unused") or ()),
    }
    if rejection:
        found |= {"loss": loss_of(rejection), "why": f"{rejection['reason']}: {rejection['detail']}"[:LONGEST_REASON]}
    solve = last.get("blind_solve")
    # The first of those that were solved together tells it of the question; those of older versions tell of themselves.
    if solve and line["status"] in SOLVED and name == str((solve.get("variations") or [name])[0]):
        found["solved"] = {"need": solve["need"] or UNDECIDED, "difficulty": solve["difficulty"]}
    steps = last.get("steps") or []
    # In older versions rules gave a status too. They could not know.
    checked = [step for step in steps if step.get("judged_by") not in (None, "rule")]
    if checked and line["status"] == "accepted":
        statuses = Counter(step.get("status") or "no_claim" for step in checked)
        found["steps"] = {"steps": len(steps), "checked": len(checked), **statuses}
    return {part: value for part, value in found.items() if value}
