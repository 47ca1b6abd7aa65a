"""An event loop in a background thread, for callers that cannot await: DSPy's optimizers call programs from threads.

run(tracer.aforward(text="..."))     # from any thread; waits for the coroutine's result
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


def run_in_background(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine on the background loop, with the caller's context variables (DSPy's settings among them), and
    returns its result. Any number of threads may call this at once. Raises what the coroutine raises; an interrupted wait
    (Ctrl-C) cancels the coroutine. Raises `RuntimeError` on the background loop, which would wait for itself."""
    with _lock:
        loop = _background_loop()
    if asyncio._get_running_loop() is loop:
        coroutine.close()
        raise RuntimeError("a program cannot be called synchronously on the background loop: use acall or aforward")
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result()
    except BaseException:
        # Has no effect if the coroutine has ended.
        future.cancel()
        raise


@cache
def _background_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=_serve, args=(loop,), name="background loop", daemon=True).start()
    return loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt, SystemExit):
                # Raised by a task, whose caller gets it too; the other tasks continue.
                loop.run_forever()
    finally:
        # Otherwise later calls would wait forever for a loop that does not run.
        loop.close()


def _reset_after_fork() -> None:
    """The thread does not survive a fork; the child process starts its own."""
    global _lock
    _lock = threading.Lock()
    _background_loop.cache_clear()


os.register_at_fork(after_in_child=_reset_after_fork)
