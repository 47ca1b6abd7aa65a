"""Appending lines to a file so that a crash can tear no line but the last, and mending that one."""

import os

BLOCK = 65536


def whole_lines(file: int) -> int:
    """The bytes up to the last line end. Raises OSError."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def cut_torn_line(file: int) -> tuple[int, int]:
    """Cuts off what stands after the last line end, which was never whole. Gives the bytes that are left and those that
    went. Raises OSError."""
    size, end = os.fstat(file).st_size, whole_lines(file)
    if end < size:
        os.ftruncate(file, end)
    return end, size - end


def write_whole(file: int, line: bytes, offset: int) -> None:
    """Writes all of a line at `offset`. Raises OSError; some of it may then stand there."""
    written = os.pwrite(file, line, offset)
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)
