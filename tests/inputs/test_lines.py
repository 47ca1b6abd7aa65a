"""read_lines: cuts at LF alone, holds no more than a line, and gives all that can be had of a damaged archive."""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.inputs.archives import BrokenArchive, check_readable
from programs.inputs.jsonl import RawLine, read_lines, split_lines

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
FRAME = b"\x50\x2a\x4d\x18\x04\0\0\0pzst"
packers = pytest.mark.parametrize("ending", sorted(PACK))
LINES = [f"line {n} of a file, {n * n}".encode() for n in range(5000)]
CONTENT = b"\n".join(LINES) + b"\n"


def data(lines: Iterator[RawLine]) -> list[bytes | None]:
    return [line.data for line in lines]


@given(st.lists(st.binary(max_size=6)), st.integers(0, 8))
def test_however_the_bytes_arrive_the_lines_are_the_same(chunks: list[bytes], limit: int) -> None:
    content = b"".join(chunks)
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    lines = list(split_lines(chunks, limit))
    assert [line.number for line in lines] == list(range(1, len(expected) + 1))
    assert [line.data for line in lines] == [one if len(one) <= limit else None for one in expected]


@pytest.mark.parametrize("packed", [*(pack(CONTENT) for pack in PACK.values()), FRAME + PACK[".zst"](CONTENT)])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_archives_are_unpacked_whatever_they_are_called(tmp_path: Path, packed: bytes, name: str) -> None:
    """Those that were joined with cat to the end, and after a frame that is to be skipped."""
    (tmp_path / name).write_bytes(packed * 3)
    assert data(read_lines(tmp_path / name)) == LINES * 3


@packers
def test_of_a_damaged_archive_what_comes_before_the_damage_is_given(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(PACK[ending](CONTENT) + PACK[ending](CONTENT)[:4] + bytes(range(200)) * 50)
    lines: list[RawLine] = []
    with pytest.raises(BrokenArchive):
        lines.extend(read_lines(path))
    assert [line.data for line in lines][: len(LINES)] == LINES


def test_a_wrong_checksum_costs_no_line(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"one\ntwo\n"))
    packed[-8] ^= 1
    (tmp_path / "file").write_bytes(packed)
    read = read_lines(tmp_path / "file")
    assert [next(read).data, next(read).data] == [b"one", b"two"]
    with pytest.raises(BrokenArchive):
        next(read)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_line_over_the_limit_is_not_held_in_memory(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    content = b"before\n" + b"x" * 60_000_000 + b"\nafter\n"
    path.write_bytes(PACK[ending](content) if ending else content)
    del content
    tracemalloc.start()
    try:
        assert data(read_lines(path, limit=100_000)) == [b"before", None, b"after"]
        assert tracemalloc.get_traced_memory()[1] < 32_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_what_is_no_utf8_is_named(tmp_path: Path, encoding: str, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    content = '{"text": "a"}\n'.encode(encoding)
    path.write_bytes(PACK[ending](content) if ending else content)
    with pytest.raises(UserError, match="is not UTF-8 text"):
        check_readable(path)
