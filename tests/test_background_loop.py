"""Invariants of `programs.background_loop`.

1. A coroutine runs in the caller's context (context variables and DSPy's settings), and its changes stay inside.
2. All threads share one loop, on which their coroutines run concurrently.
3. Only the caller gets a coroutine's error, also a SystemExit or KeyboardInterrupt, and the loop continues.
4. An interrupt of the waiting caller cancels the coroutine.
5. `run_in_background` works inside another running loop; on the background loop itself it raises an error.
6. A forked child has its own loop.
7. A loop that fails is closed and accepts no more coroutines, instead of letting their callers wait forever.
"""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import dspy
import pytest

from programs.background_loop import _serve, run_in_background

VARIABLE: ContextVar[str] = ContextVar("variable", default="nothing")


async def current_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_1_a_coroutine_sees_the_callers_context_and_does_not_change_it() -> None:
    async def read_context() -> tuple[str, object]:
        values = VARIABLE.get(), dspy.settings.adapter
        VARIABLE.set("changed")
        return values

    adapter = dspy.JSONAdapter()
    token = VARIABLE.set("mine")
    with dspy.context(adapter=adapter):
        assert run_in_background(read_context()) == ("mine", adapter)
    assert VARIABLE.get() == "mine"
    VARIABLE.reset(token)
    assert run_in_background(read_context())[0] == "nothing"


@pytest.mark.parametrize("error", [LookupError, SystemExit, KeyboardInterrupt])
def test_3_an_error_reaches_only_its_caller(error: type[BaseException]) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise error("here")

    async def succeeds_later() -> str:
        await asyncio.sleep(0.05)
        return "well"

    with ThreadPoolExecutor() as pool:
        other_call = pool.submit(run_in_background, succeeds_later())
        with pytest.raises(error, match="here"):
            run_in_background(fails())
    assert other_call.result() == run_in_background(succeeds_later()) == "well"


def test_4_an_interrupt_cancels_the_coroutine() -> None:
    cancelled = threading.Event()

    async def waits_forever() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        run_in_background(waits_forever())
    assert cancelled.wait(5)


async def test_5_it_works_inside_another_loop_but_not_on_its_own() -> None:
    assert run_in_background(current_loop()) is not asyncio.get_running_loop()

    async def nested() -> None:
        run_in_background(current_loop())

    with pytest.raises(RuntimeError, match="use acall or aforward"):
        run_in_background(nested())


def test_6_a_forked_child_has_its_own_loop() -> None:
    run_in_background(current_loop())
    child = os.fork()
    if not child:
        run_in_background(current_loop())
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_7_a_loop_that_fails_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no more files")

    loop = asyncio.new_event_loop()
    monkeypatch.setattr(loop, "run_forever", broken)
    with pytest.raises(OSError, match="no more files"):
        _serve(loop)
    assert loop.is_closed()
