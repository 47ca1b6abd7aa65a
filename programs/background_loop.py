"""One event loop in a thread of its own, for callers that cannot await: DSPy's optimizers call programs from threads.

run(tracer.aforward(text="..."))     # waits for what the coroutine gives, in any thread
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")

_lock = threading.Lock()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine gives, run on the background loop with the caller's context variables, among them DSPy's settings,
    in any number of threads at the same time. Raises what the coroutine raises; a wait that is interrupted (Ctrl-C) cancels
    the coroutine. On the background loop itself, which would wait for itself, it raises `RuntimeError`."""
    with _lock:
        loop = _started()
    if asyncio._get_running_loop() is loop:
        coroutine.close()
        raise RuntimeError("a program that awaits cannot be called without awaiting: use acall or aforward there")
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result()
    except BaseException:
        # Nothing happens to a coroutine that has ended by itself.
        future.cancel()
        raise


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=_serve, args=(loop,), name="background loop", daemon=True).start()
    return loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt, SystemExit):
                # A task's own, which its waiter is told of too; every other task goes on.
                loop.run_forever()
    finally:
        # What waits for a loop that nobody runs would wait for ever.
        loop.close()


def _forget() -> None:
    """After a fork the thread is gone; the child starts one of its own."""
    global _lock
    _lock = threading.Lock()
    _started.cache_clear()


os.register_at_fork(after_in_child=_forget)
