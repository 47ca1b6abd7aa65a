"""Reads the bytes of a file, decompressing .gz and .zst."""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

from programs.errors import UserError
from programs.inputs.report import SkipReason, Unreadable

_CHUNK = 1 << 18
# Four bytes of zstd can expand to 128 kB, so this many bytes expand to 8 MB at most.
_ZSTD_CHUNK = 1 << 8
# The window size of `zstd --long=31`, which the library rejects by default.
_ZSTD_WINDOW = 1 << 31

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# pzstd starts its files with a skippable frame; the first of its four magic bytes may have any of 16 values.
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_MAGIC_OF_EXTENSION = {".gz": _GZIP, ".zst": _ZSTD}
_NOT_TEXT = (b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"\xfe\xff", b"{\x00", b"\x00{")
"""The first bytes of other archives, Parquet and UTF-16."""


class BrokenArchive(Unreadable):
    """An archive is truncated (an interrupted download or copy), or its bytes cannot be decompressed."""


def read_chunks(path: Path) -> Iterator[bytes]:
    """The decompressed bytes of a file, lazily, in non-empty chunks of bounded size.

    The first bytes tell whether a file is compressed; the extension counts only for a file that is too short to tell.
    Raises BrokenArchive after yielding everything that could be decompressed, and UserError if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from _unpack(path, file)
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise BrokenArchive(SkipReason.DAMAGED_ARCHIVE) from error
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error


def check_readable(path: Path, *, is_text: bool) -> None:
    """Raises UserError if the file cannot be read or, if it should be text, starts like one that is not UTF-8. Reads only
    its start, and nothing of a pipe, whose bytes could not be read again."""
    if path.is_file() or not path.exists():
        with contextlib.suppress(BrokenArchive):
            if next(read_chunks(path), b"").startswith(_NOT_TEXT) and is_text:
                raise UserError(
                    f"{path} is not UTF-8 text, plain or compressed as .gz or .zst: decompress or convert it"
                )


def _unpack(path: Path, file: io.BufferedReader) -> Iterator[bytes]:
    head = file.peek(8)[:8]
    magic = _MAGIC_OF_EXTENSION.get(path.suffix.lower(), b"")
    # An archive that is empty or truncated within its magic bytes is a prefix of them.
    if len(head) < len(magic) and magic.startswith(head):
        raise BrokenArchive(SkipReason.TRUNCATED_ARCHIVE)
    if head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            try:
                # read1, since read discards what it has decompressed if the end is missing.
                while chunk := unpacked.read1(_CHUNK):
                    yield chunk
            except EOFError as error:
                raise BrokenArchive(SkipReason.TRUNCATED_ARCHIVE) from error
    elif head.startswith(_ZSTD) or (head[1:4] == _ZSTD_SKIPPABLE and head[0] >> 4 == 5):
        yield from _unzstd(file)
    else:
        while chunk := file.read1(_CHUNK):
            yield chunk


def _unzstd(file: io.BufferedReader) -> Iterator[bytes]:
    # Not the library's stream reader, which does not notice a missing end.
    frame = None
    while packed := file.read1(_ZSTD_CHUNK):
        while packed:
            frame = frame or zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
            if chunk := frame.decompress(packed):
                yield chunk
            packed = b""
            if frame.eof:
                packed, frame = frame.unused_data, None
    if frame is not None:
        raise BrokenArchive(SkipReason.TRUNCATED_ARCHIVE)
