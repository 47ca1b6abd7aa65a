"""Rows of Parquet files, and of data sets on the Hugging Face Hub, which are streamed and not stored.

hf://OWNER/NAME[/CONFIG][@REVISION][:SPLIT]     the split is train unless another is named
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from programs.errors import FatalError, UserError
from programs.inputs.cleaning import to_json_value
from programs.inputs.report import SkipReason, Unreadable

HUB_PREFIX = "hf://"
_HUB_NAME = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)(?:/([\w.+-]+))?(?:@([\w./-]+))?(?::([\w.-]+))?")


class HubName(NamedTuple):
    """A split of a data set on the Hub. As a string, it is the name as `written`."""

    written: str
    path: str
    config: str | None
    revision: str | None
    split: str

    @classmethod
    def parse(cls, written: str) -> "HubName":
        """Parses a name. Raises `UserError` if it is malformed."""
        found = _HUB_NAME.fullmatch(written)
        if found is None or set(found[1].split("/")) & {".", ".."}:
            raise UserError(f"{written} is not of the form hf://OWNER/NAME[/CONFIG][@REVISION][:SPLIT]")
        return cls(written, found[1], found[2], found[3], found[4] or "train")

    def __str__(self) -> str:
        return self.written


def read_rows(name: Path | HubName, text_field: str) -> Iterator[dict[str, Any] | SkipReason]:
    """The rows as JSON values (`to_json_value`), lazily and in order; a `SkipReason` for a row that cannot be read. Raises
    `Unreadable` if a file is damaged, after the rows before the damage, and `FatalError` if the Hub stops responding or no
    longer has the data set, so that a later run can continue."""
    for row in _hub_rows(name) if isinstance(name, HubName) else _parquet_rows(name):
        try:
            text = row.get(text_field)
            # JSON has no bytes, but a text may be stored as bytes.
            yield to_json_value({**row, text_field: text.decode()} if isinstance(text, bytes) else row)
        except UnicodeDecodeError:
            yield SkipReason.BAD_UTF8
        except RecursionError:
            yield SkipReason.NESTED_TOO_DEEP


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    """A value that Python cannot represent (a date beyond the year 9999, an unknown time zone) becomes None. Text that is
    not UTF-8 stays bytes, so that the other values of its row are kept."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            # Only this many rows are in memory at once, besides what the file compresses together.
            for batch in table.iter_batches(batch_size=64):
                columns = [[_cell_value(cell) for cell in column] for column in batch.columns]
                yield from (dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True))
    # Arrow's own MemoryError is also an ArrowException.
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(SkipReason.DAMAGED) from error


def _cell_value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError as error:
        return error.object
    except (OverflowError, ValueError, KeyError):
        return None


def open_dataset(name: HubName) -> Any:
    """Opens the data set as a stream of rows, without reading any. Raises a one-line `UserError` if the data set,
    configuration or split does not exist or may not be read."""
    import datasets  # type: ignore[import-untyped]

    if Path(name.path).exists():
        # The library would read this file or folder instead of the data set.
        raise UserError(f"{name}: this folder contains {name.path}, which would be read instead: run elsewhere")
    options = {"name": name.config, "revision": name.revision, "split": name.split}
    try:
        return datasets.load_dataset(name.path, streaming=True, **options)
    except Exception as error:
        raise UserError(_error_line(name, error)) from error


def _hub_rows(name: HubName) -> Iterator[dict[str, Any]]:
    try:
        yield from open_dataset(name)
    except MemoryError:
        raise
    except UserError as error:
        raise FatalError(str(error)) from error
    except Exception as error:
        raise FatalError(_error_line(name, error)) from error


def _error_line(name: HubName, error: Exception) -> str:
    # The library also raises errors of a dozen other libraries; the first line of each says what is wrong.
    return f"{name}: {type(error).__name__}: {error}".splitlines()[0]
