"""Locks by which one process at a time has a file."""

from pathlib import Path

from filelock import BaseFileLock, FileLock


def lock_on(path: Path | str, *, thread_local: bool = True) -> BaseFileLock:
    """A lock, not yet taken; whoever takes it must not wait, and say who has it.

    The system holds it, so it is gone with its process. On a file system without such locks taking it raises OSError:
    what filelock does there instead can be taken from a process that is alive.
    """
    return FileLock(path, timeout=0, thread_local=thread_local, fallback_to_soft=False)
