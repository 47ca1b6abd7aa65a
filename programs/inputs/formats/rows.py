"""Rows of a Parquet file, and of a data set of the Hugging Face Hub as a stream: nothing is stored.

hf://OWNER/NAME[/CONFIG][@REVISION][:SPLIT]     the split is train unless another is named
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from programs.errors import FatalError, UserError
from programs.inputs.cleaning import portable
from programs.inputs.report import Skip, Unreadable

PREFIX = "hf://"
_NAME = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)(?:/([\w.+-]+))?(?:@([\w./-]+))?(?::([\w.-]+))?")


class HubName(NamedTuple):
    """A split of a data set. As text it is what it was written as."""

    written: str
    path: str
    config: str | None
    revision: str | None
    split: str

    @classmethod
    def parse(cls, written: str) -> "HubName":
        """The data set that a name means. Raises `UserError` for what is none."""
        found = _NAME.fullmatch(written)
        if found is None or set(found[1].split("/")) & {".", ".."}:
            raise UserError(f"{written} is not of the form hf://OWNER/NAME[/CONFIG][@REVISION][:SPLIT]")
        return cls(written, found[1], found[2], found[3], found[4] or "train")

    def __str__(self) -> str:
        return self.written


def records(name: Path | HubName, text_field: str) -> Iterator[dict[str, Any] | Skip]:
    """The rows as records that every JSON writer takes, lazily, in their order, or why one gives none. Raises `Unreadable`
    where a file is damaged, after the rows before that, and `FatalError` where the Hub stops to answer: a later run goes
    on."""
    for row in _hub_rows(name) if isinstance(name, HubName) else _parquet_rows(name):
        try:
            text = row.get(text_field)
            # A text in bytes is no value for JSON, but may be one.
            yield portable({**row, text_field: text.decode()} if isinstance(text, bytes) else row)
        except UnicodeDecodeError:
            yield Skip.BAD_UTF8
        except RecursionError:
            yield Skip.NESTED_TOO_DEEP


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    """A value that Python cannot hold is None (a date beyond the year 9999, a time zone unknown here), and text that is not
    UTF-8 stays bytes, so that it costs no other value."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            # So many rows are held at once, beside what the file packs together.
            for batch in table.iter_batches(batch_size=64):
                columns = [[_value(cell) for cell in column] for column in batch.columns]
                yield from (dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True))
    # A MemoryError of Arrow's is an ArrowException, too.
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(Skip.DAMAGED) from error


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError as error:
        return error.object
    except (OverflowError, ValueError, KeyError):
        return None


def opened(name: HubName) -> Any:
    """The data set as a stream of rows, of which none is read yet. Raises `UserError` in one line where there is no such
    data set, configuration or split, or it may not be read."""
    import datasets  # type: ignore[import-untyped]

    if Path(name.path).exists():
        # The library would read that, whatever is in it.
        raise UserError(f"{name}: {name.path} also lies in this folder, and would be read in its place: run elsewhere")
    how = {"name": name.config, "revision": name.revision, "split": name.split}
    try:
        return datasets.load_dataset(name.path, streaming=True, **how)
    except Exception as error:
        raise UserError(_said(name, error)) from error


def _hub_rows(name: HubName) -> Iterator[dict[str, Any]]:
    try:
        yield from opened(name)
    except MemoryError:
        raise
    except Exception as error:
        raise FatalError(_said(name, error)) from error


def _said(name: HubName, error: Exception) -> str:
    # The library raises errors of a dozen others, its own among them; each says what is wrong on its first line.
    return f"{name}: {type(error).__name__}: {error}".splitlines()[0]
