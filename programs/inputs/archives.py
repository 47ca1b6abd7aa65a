"""The bytes of a file, unpacked when it is a .gz or .zst."""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

from programs.errors import UserError
from programs.inputs.report import Skip, Unreadable

_CHUNK = 1 << 18
# Four bytes of zstd can stand for 128 kB: this bite unpacks to 8 MB at most.
_ZSTD_BITE = 1 << 8
# `zstd --long=31` writes such windows; the library refuses them unless told.
_ZSTD_WINDOW = 1 << 31

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# pzstd begins its files with a frame that is to be skipped; the first of its four bytes may be any of 16.
_SKIPPABLE = b"\x2a\x4d\x18"
_ENDINGS = {".gz": _GZIP, ".zst": _ZSTD}
_NO_TEXT = (b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"\xfe\xff", b"{\x00", b"\x00{")
"""How archives of other kinds, Parquet and UTF-16 begin."""


class BrokenArchive(Unreadable):
    """What is read ends before its end (a download or a copy was cut off), or its bytes do not unpack."""


def read_chunks(path: Path, *, any_kind: bool = False) -> Iterator[bytes]:
    """The unpacked bytes of the file, lazily, in pieces of bounded size, none of them empty.

    Packed or not is decided by the first bytes; the name's ending counts only for a file too short to tell.
    Raises BrokenArchive after everything that could be unpacked has been given, and UserError when the file cannot be
    read, or, unless it may be of `any_kind`, is known to hold no text in UTF-8.
    """
    try:
        with path.open("rb") as file:
            for number, chunk in enumerate(_unpack(path, file)):
                if not number and not any_kind and chunk.startswith(_NO_TEXT):
                    raise UserError(
                        f"{path} holds no text in UTF-8, plain or packed as .gz or .zst: unpack or convert it"
                    )
                yield chunk
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise BrokenArchive(Skip.DAMAGED_ARCHIVE) from error
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error


def check_readable(path: Path, *, any_kind: bool = False) -> None:
    """Raises UserError where `read_chunks` would, by reading the start of the file alone.

    A pipe is left alone: what is read from it is gone.
    """
    if path.is_file() or not path.exists():
        with contextlib.suppress(BrokenArchive):
            next(read_chunks(path, any_kind=any_kind), b"")


def _unpack(path: Path, file: io.BufferedReader) -> Iterator[bytes]:
    head, magic = file.peek(8)[:8], _ENDINGS.get(path.suffix.lower(), b"")
    # An archive cut off within its first bytes is a prefix of the magic, and so is an empty one.
    if len(head) < len(magic) and magic.startswith(head):
        raise BrokenArchive(Skip.TRUNCATED_ARCHIVE)
    if head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            try:
                # read1, since read loses what it has gathered when the end is missing.
                while chunk := unpacked.read1(_CHUNK):
                    yield chunk
            except EOFError as error:
                raise BrokenArchive(Skip.TRUNCATED_ARCHIVE) from error
    elif head.startswith(_ZSTD) or (head[1:4] == _SKIPPABLE and head[0] >> 4 == 5):
        yield from _unzstd(file)
    else:
        while chunk := file.read1(_CHUNK):
            yield chunk


def _unzstd(file: io.BufferedReader) -> Iterator[bytes]:
    # Not the library's stream reader: it takes a missing end for the end.
    frame = None
    while packed := file.read1(_ZSTD_BITE):
        while packed:
            frame = frame or zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
            if chunk := frame.decompress(packed):
                yield chunk
            packed = b""
            if frame.eof:
                packed, frame = frame.unused_data, None
    if frame is not None:
        raise BrokenArchive(Skip.TRUNCATED_ARCHIVE)
