"""How many cores of this machine are free right now."""

import os
import time
from pathlib import Path

LOOKS = 10
PAUSE = 0.02


def idle_cores(loadavg: Path = Path("/proc/loadavg")) -> int:
    """The cores that no other process computes on at the moment, at least one.

    Taken from the number of runnable tasks that Linux reports (proc(5), the fourth field of /proc/loadavg), the
    middle one of a few looks; where there is none, all cores are taken to be free.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        looks = sorted(_others(loadavg) for _ in range(LOOKS))
    except (OSError, ValueError, IndexError):
        return cores
    return max(1, cores - looks[LOOKS // 2])


def _others(loadavg: Path) -> int:
    """Runnable tasks apart from the one that looks."""
    time.sleep(PAUSE)
    return max(0, int(loadavg.read_text().split()[3].split("/")[0]) - 1)
