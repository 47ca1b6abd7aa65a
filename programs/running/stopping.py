"""Stopping a run in order: on a signal no new call starts, and what is in flight is finished and kept."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

from programs.running.gate import Gate

log = logging.getLogger("synthreasoner")


@contextlib.asynccontextmanager
async def interruptible(gate: Gate) -> AsyncIterator[asyncio.Event]:
    """Gives an event that is set by the first SIGINT or SIGTERM, which also closes the gate.

    A second signal stops at once: the task that runs the block is cancelled.
    """
    interrupted = asyncio.Event()
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if interrupted.is_set() and main is not None:
            main.cancel()
            return
        interrupted.set()
        log.warning("stopping: waiting for the calls in flight; interrupt again to stop at once")
        gate.close()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield interrupted
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
