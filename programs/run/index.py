"""The index of a journal: the offset of each key's newest line, and the few facts about it that queries need.

It is a SQLite file, so that memory does not grow with the journal. It records how far it has read the journal, and
continues from there. It can be deleted at any time, and is rebuilt if its version or the journal's bytes differ.
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
from programs.run.old_lines import upgrade_line
from programs.traces.line import Line

VERSION = "10"
PAGE_SIZE = 512
COMMIT_EVERY = 20_000
MARK_BYTES = 4096
MAX_REASON_CHARS = 160

SOLVED_STATUSES = ("accepted", "rejected", "unjudged", "contaminated")
"""The statuses of variations whose blind solve counts. Withdrawn variations count nowhere."""

UNDECIDED = "undecided"
BUG = "an error in this program"  # the failure of a text that such an error ended starts with this

OF_SAMPLE = "key in (select key from line where kind = 'unit' and sample = ?)"
"""The variations of a sample. This uses the index `by_sample`; a condition on the view would scan all variations."""

SPENT = ("calls", "reasks", "faults", "prompt", "completion", "cached", "uncounted", "seconds")
"""The columns that are summed over all replies, including those that a later line replaced."""

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

_SQLITE_TYPE_ERRORS = (OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
_MALFORMED_LINE_ERRORS = (LookupError, TypeError, AttributeError, ValueError, *_SQLITE_TYPE_ERRORS)
"""What `Index.add` raises for a malformed line: a part is missing, or has a type that facts or SQLite do not take."""


def damaged_error(path: Path, at: int) -> StorageError:
    return StorageError(
        f"{path} is damaged at byte {at}: the line there is not a journal line. "
        "Delete that line, or move the file aside to start afresh."
    )


def scan_lines(path: Path, offset: int, size: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yields offset, length and content of each line of a journal that starts at `offset` or later, before `size`.
    Raises `StorageError` at a line that is not JSON, and OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        while offset < size and (line := file.readline()):
            try:
                yield offset, len(line), orjson.loads(line)
            except orjson.JSONDecodeError:
                raise damaged_error(path, offset) from None
            offset += len(line)


def fingerprint(file: int, offset: int) -> str:
    """A hash of the last MARK_BYTES before `offset`, by which the journal is recognised. Raises OSError."""
    start = max(0, offset - MARK_BYTES)
    return bytes_id(os.pread(file, offset - start, start))


class Index:
    """An open index at `path` of the first `size` bytes of a journal, which is open as `file`. `end`: the number of bytes
    indexed so far. Raises OSError, sqlite3.Error, and `StorageError` if a line is damaged or the index cannot be read."""

    def __init__(self, path: Path, journal: Path, file: int, size: int) -> None:
        self.path, self._file = path, file
        self._database, self.end = _open_database(path, file, size)
        try:
            for number, (at, length, line) in enumerate(scan_lines(journal, self.end, size), 1):
                try:
                    self.add(at, length, line)
                except _MALFORMED_LINE_ERRORS as error:
                    raise damaged_error(journal, at) from error
                if number % COMMIT_EVERY == 0:
                    self.commit()
            self.commit()
        except BaseException:
            self._database.close()
            raise

    def add(self, at: int, length: int, line: dict[str, Any]) -> None:
        line = upgrade_line(line)
        kind, facts = line["kind"], facts_of(line)
        first, encoded = (None, None) if facts is None else (at, orjson.dumps(facts).decode())
        sample_and_status = (line["sample"], line["status"]) if kind == "unit" else (None, None)
        self._database.execute(_ADD_LINE, (kind, line["key"] or "", at, length, first, *sample_and_status, encoded))
        if kind in ("stage", "failed"):
            spent = line["reply"]["spent"]
            tokens = (spent["prompt_tokens"], spent["completion_tokens"], spent["cached_tokens"])
            counts = (spent["calls"], spent["reasks"], sum(spent["faults"].values()), *(count or 0 for count in tokens))
            uncounted = spent["calls"] if None in tokens[:2] else 0
            account = (line["stage"], line["reply"]["model"])
            self._database.execute(_ADD_SPENT, (*account, *counts, uncounted, spent["seconds"]))
        self.end = at + length

    def commit(self) -> None:
        """Commits the lines added, with how far the journal was read."""
        values = [("read_to", self.end), ("mark", fingerprint(self._file, self.end))]
        self._database.executemany("insert or replace into meta values (?, ?)", values)
        self._database.commit()

    def close(self) -> None:
        self._database.close()

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that a query finds in the table `line` and the views `variation`, `pool` and `sample`."""
        try:
            return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path} cannot be read: {error}. Delete it: it will be rebuilt from the journal."
            ) from error

    def row(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        return next(iter(self.query(f"{sql} limit 1", *values)), None)

    def position(self, kind: str, key: str) -> tuple[int, int] | None:
        """Offset and length of the newest line of this kind and key, or None."""
        return self.row("select at, length from line where kind = ? and key = ?", kind, key)

    def variations(self, after: int, status: str | None) -> list[tuple[int, int, int]]:
        """The next page of variations (with this status) whose first line is after offset `after`, each as the offset of
        its first line, and offset and length of its newest."""
        condition = "kind = 'unit' and first > ?" + (" and status = ?" if status else "")
        query = f"select first, at, length from line where {condition} order by first limit {PAGE_SIZE}"
        return self.query(query, after, *([status] if status else []))

    def counts(self) -> dict[str, int]:
        """The number of variations by status."""
        return dict(self.query("select status, count(*) from variation where status is not null group by status"))

    def variation(self, key: str) -> tuple[str, str, bool, str | None] | None:
        """Status, basis, whether it is settled, and digest of a variation; None if it is unknown."""
        return self.row("select status, basis, ifnull(settled, 0), digest from variation where key = ?", key)

    def sample(self, key: str) -> tuple[str, bool] | None:
        """Basis of a sample and whether it is settled; None if no run has processed it to the end."""
        return self.row("select basis, settled from sample where key = ?", key)

    def done_lines(self, basis: str) -> set[str]:
        """The line ids of the samples that are settled under this basis. Memory: about 100 bytes each."""
        query = "select line from sample where basis = ? and settled and line > ''"
        return {line for (line,) in self.query(query, basis)}

    def accepted_of(self, sample: str) -> int:
        return self._count(f"select count(*) from variation where {OF_SAMPLE} and status = 'accepted'", sample)

    def rejected_for_need(self, sample: str, question: str) -> bool:
        """Whether a variation of this question was rejected because of the question's need (`--keep`)."""
        query = f"select 1 from variation where {OF_SAMPLE} and question = ? and loss = ?"
        return bool(self.row(query, sample, question, Reason.NEED.value))

    def holds_work(self) -> bool:
        """Whether there is a reply, a failed one, or a variation; False if all runs ended before the first."""
        return bool(self.row("select 1 from line where kind in ('stage', 'failed', 'unit')"))

    def has_started(self, sample: str) -> bool:
        """Whether any run has started this text, that is, has questions or an outcome for it."""
        return bool(self.row("select 1 from line where kind in ('pool', 'sample') and key = ?", sample))

    def started_texts(self) -> int:
        """The number of texts started: those that have questions, and those for which none came."""
        pools = self._count("select count(*) from line where kind = 'pool' and first is not null")
        return pools + sum(self.without_questions().values())

    def unfinished_texts(self, basis: str) -> int:
        """The number of texts that were started and are not settled under this basis. Reads all of them."""
        return self.started_texts() - self._count("select count(*) from sample where basis = ? and settled", basis)

    def without_questions(self) -> dict[str, int]:
        """The number of texts without questions because no model answered, or because of an error in this program."""
        why = f"case when failure like '{BUG}%' then '{BUG}' else 'no model answered' end"
        asked = "select 1 from pool where pool.key = sample.key"
        query = f"select {why}, count(*) from sample where failure is not null and not exists ({asked}) group by 1"
        return dict(self.query(query))

    def spent(self) -> list[dict[str, Any]]:
        """Calls, tokens and seconds by stage and model over all runs; `uncounted` calls had no token counts."""
        names = ("stage", "model", *SPENT)
        rows = [dict(zip(names, row, strict=True)) for row in self.query("select * from spent order by stage, model")]
        return [{**row, **{name: int(row[name]) for name in SPENT[:-1]}} for row in rows]

    def _count(self, sql: str, *values: Any) -> int:
        return int(self.query(sql, *values)[0][0])


def _open_database(path: Path, file: int, size: int) -> tuple[sqlite3.Connection, int]:
    """Opens the database at `path`; returns it and the number of journal bytes that it covers. An index of another version,
    of another journal, or of a journal cut short since, is rebuilt. A damaged index or any other file is moved aside."""
    files = path, Path(f"{path}-wal"), Path(f"{path}-shm")
    while True:
        database = sqlite3.connect(path, check_same_thread=False)
        version = _version_of(database, path)
        if version in (None, VERSION):
            database.executescript(SCHEMA)
            meta = dict(database.execute("select name, value from meta"))
            covered = int(meta.get("read_to", 0))
            if not covered or (covered <= size and meta.get("mark") == fingerprint(file, covered)):
                return database, covered
        database.close()
        if version == "":
            move_aside(*files)
        for old in files:
            old.unlink(missing_ok=True)


def _version_of(database: sqlite3.Connection, path: Path) -> str | None:
    """The version of an index, None for a new one, "" for a file that is damaged or not an index."""
    try:
        tables = database.execute("select name from sqlite_master").fetchall()
        if path.stat().st_size % database.execute("pragma page_size").fetchone()[0]:
            return ""
        query = "select value from meta where name = 'version'"
        return str(database.execute(query).fetchone()[0]) if tables else None
    except (sqlite3.DatabaseError, TypeError):
        return ""


def facts_of(line: Line) -> dict[str, Any] | None:
    """The facts of a line that queries need; None for kinds that are only looked up by key."""
    if line["kind"] == "unit":
        return _variation_facts(line)
    if line["kind"] == "pool":
        kept, rejected, dropped = (line.get(name) or [] for name in ("questions", "rejected", "dropped"))
        lost = Counter(loss_of(question["rejection"]) for question in [*rejected, *dropped])
        return {"usable": len(kept), "drafted": len(kept) + len(rejected) + len(dropped), "lost": lost}
    if line["kind"] == "sample":
        failure = (line.get("failure") or "")[:MAX_REASON_CHARS] or None
        return {"basis": line["basis"], "settled": bool(line["settled"]), "line": line.get("line"), "failure": failure}
    return None


def loss_of(rejection: Line) -> str:
    """The name under which the funnel counts a rejection: its reason, after the stage's name if the stage gave nothing."""
    reason = str(rejection["reason"])
    stage = rejection["detail"].partition(":")[0]
    return f"{stage} {reason}" if reason in (Reason.UNUSABLE.value, Reason.UNANSWERED.value) else reason


def _variation_facts(line: Line) -> dict[str, Any]:
    """The facts of a variation, from its record or else from its last attempt."""
    record, attempts = line["record"], line.get("attempts") or []
    rejection = line["rejection"]
    last = record or (attempts[-1] if attempts else {})
    question, _, name = line["key"].rpartition("/")
    facts = {
        "question": question,
        **{part: line[part] for part in ("basis", "settled", "digest")},
        "written": len(attempts) + (record is not None),
        "unused": len(line.get("unused") or ()),
    }
    if rejection:
        facts |= {"loss": loss_of(rejection), "why": f"{rejection['reason']}: {rejection['detail']}"[:MAX_REASON_CHARS]}
    solve = last.get("blind_solve")
    # The first of the variations that were solved together counts for the question. Older versions solved each by itself.
    if solve and line["status"] in SOLVED_STATUSES and name == str((solve.get("variations") or [name])[0]):
        facts["solved"] = {"need": solve["need"] or UNDECIDED, "difficulty": solve["difficulty"]}
    return {part: value for part, value in facts.items() if value}
