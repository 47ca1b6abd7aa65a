"""The embedded model gets the cores that nobody else uses, and never fewer than one."""

import os
from pathlib import Path

from programs.lms.embedded import idle_cores


def at(folder: Path, text: str) -> int:
    file = folder / "loadavg"
    file.write_text(text)
    return idle_cores(file)


def test_busy_cores_are_left_to_others(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    assert at(tmp_path, "0.00 0.00 0.00 1/99 1234") == cores
    assert at(tmp_path, "9.00 9.00 9.00 2/99 1234") == max(1, cores - 1)
    assert at(tmp_path, "0.00 0.00 0.00 999/999 1234") == 1


def test_where_nothing_is_reported_all_cores_are_free(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    assert idle_cores(tmp_path / "missing") == cores
    assert at(tmp_path, "odd") == cores
