"""read_lines: splits at LF only, holds at most one line in memory, and yields all lines before the damage in an archive."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.inputs.archives import BrokenArchive, check_readable
from programs.inputs.jsonl import read_lines, split_lines

COMPRESS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
FRAME = b"\x50\x2a\x4d\x18\x04\0\0\0pzst"
each_compressor = pytest.mark.parametrize("ending", sorted(COMPRESS))
LINES = [f"line {n} of a file, {n * n}".encode() for n in range(5000)]
CONTENT = b"\n".join(LINES) + b"\n"


@given(st.lists(st.binary(max_size=6)), st.integers(0, 8))
def test_lines_do_not_depend_on_how_the_bytes_arrive(chunks: list[bytes], limit: int) -> None:
    content = b"".join(chunks)
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert list(split_lines(chunks, limit)) == [data if len(data) <= limit else None for data in expected]


@pytest.mark.parametrize("packed", [*(pack(CONTENT) for pack in COMPRESS.values()), FRAME + COMPRESS[".zst"](CONTENT)])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_archives_are_unpacked_whatever_their_name(tmp_path: Path, packed: bytes, name: str) -> None:
    """Concatenated archives too, to the end, and those after a skippable frame."""
    (tmp_path / name).write_bytes(packed * 3)
    assert list(read_lines(tmp_path / name)) == LINES * 3


@each_compressor
def test_the_lines_before_the_damage_in_an_archive_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(COMPRESS[ending](CONTENT) + COMPRESS[ending](CONTENT)[:4] + bytes(range(200)) * 50)
    lines: list[bytes | None] = []
    with pytest.raises(BrokenArchive):
        lines.extend(read_lines(path))
    assert lines[: len(LINES)] == LINES


def test_a_wrong_checksum_loses_no_line(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"one\ntwo\n"))
    packed[-8] ^= 1
    (tmp_path / "file").write_bytes(packed)
    read = read_lines(tmp_path / "file")
    assert [next(read), next(read)] == [b"one", b"two"]
    with pytest.raises(BrokenArchive):
        next(read)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_line_over_the_limit_is_not_held_in_memory(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    content = b"before\n" + b"x" * 60_000_000 + b"\nafter\n"
    path.write_bytes(COMPRESS[ending](content) if ending else content)
    del content
    tracemalloc.start()
    try:
        assert list(read_lines(path, limit=100_000)) == [b"before", None, b"after"]
        assert tracemalloc.get_traced_memory()[1] < 32_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_other_encodings_than_utf_8_are_rejected(tmp_path: Path, encoding: str, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    content = '{"text": "a"}\n'.encode(encoding)
    path.write_bytes(COMPRESS[ending](content) if ending else content)
    with pytest.raises(UserError, match="is not UTF-8 text"):
        check_readable(path, is_text=True)
