"""SQLite files that hold only what can be made again: one that was made for something else, or is damaged, is made anew.

Such a file says what it was made for in a table `meta` of names and values.
"""

import sqlite3
from pathlib import Path


def open_database(
    path: Path, schema: str, name: str, made_for: str, *, check_same_thread: bool = True
) -> sqlite3.Connection:
    """The database at `path` with the tables of `schema`, empty unless its `meta` says `made_for` under this name. Raises
    OSError and sqlite3.Error where it cannot be written."""
    database = sqlite3.connect(path, check_same_thread=check_same_thread)
    if _said(database, path, name) not in (None, made_for):
        database.close()
        remove_database(path)
        database = sqlite3.connect(path, check_same_thread=check_same_thread)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.executescript(schema)
    database.execute("insert or ignore into meta values (?, ?)", (name, made_for))
    database.commit()
    return database


def remove_database(path: Path) -> None:
    """Deletes a database and what SQLite lays beside it."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)


def _said(database: sqlite3.Connection, path: Path, name: str) -> str | None:
    """What a database was made for, None for a new one, something else for a file that is none or was cut off."""
    try:
        if path.stat().st_size % database.execute("pragma page_size").fetchone()[0]:
            return "cut off"
        if not database.execute("select name from sqlite_master where name = 'meta'").fetchall():
            return None
        row = database.execute("select value from meta where name = ?", (name,)).fetchone()
    except sqlite3.DatabaseError:
        return "damaged"
    return str(row[0]) if row else "unknown"
