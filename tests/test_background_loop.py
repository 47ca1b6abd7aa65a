"""Invariants of `programs.background_loop`.

1. A coroutine runs with the caller's context: its variables and DSPy's settings; what it sets stays inside.
2. All threads share one loop, on which their coroutines run at the same time.
3. An error reaches the caller, and no other; so does an exit, after which the loop goes on.
4. An interrupt of the wait cancels the coroutine.
5. It works inside another running loop; on its own it is refused instead of waiting for ever.
6. A forked child has a loop of its own.
7. A loop that breaks takes no more coroutines, instead of letting their callers wait for ever.
"""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import dspy
import pytest

from programs.background_loop import _serve, run

KNOWN: ContextVar[str] = ContextVar("known", default="nothing")


async def loop_of() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_1_the_callers_context_is_taken_along_and_left_alone() -> None:
    async def seen() -> tuple[str, object]:
        found = KNOWN.get(), dspy.settings.adapter
        KNOWN.set("changed")
        return found

    adapter = dspy.JSONAdapter()
    token = KNOWN.set("mine")
    with dspy.context(adapter=adapter):
        assert run(seen()) == ("mine", adapter)
    assert KNOWN.get() == "mine"
    KNOWN.reset(token)
    assert run(seen())[0] == "nothing"


@pytest.mark.parametrize("error", [LookupError, SystemExit, KeyboardInterrupt])
def test_3_an_error_reaches_its_caller_alone(error: type[BaseException]) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise error("here")

    async def patient() -> str:
        await asyncio.sleep(0.05)
        return "well"

    with ThreadPoolExecutor() as pool:
        beside = pool.submit(run, patient())
        with pytest.raises(error, match="here"):
            run(fails())
    assert beside.result() == run(patient()) == "well"


def test_4_an_interrupt_cancels_the_coroutine() -> None:
    ended = threading.Event()

    async def endless() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run(endless())
    assert ended.wait(5)


async def test_5_inside_another_loop_and_not_on_its_own() -> None:
    assert run(loop_of()) is not asyncio.get_running_loop()

    async def nested() -> None:
        run(loop_of())

    with pytest.raises(RuntimeError, match="use acall or aforward"):
        run(nested())


def test_6_a_forked_child_has_its_own() -> None:
    run(loop_of())
    child = os.fork()
    if not child:
        run(loop_of())
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_7_a_loop_that_breaks_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no more files")

    loop = asyncio.new_event_loop()
    monkeypatch.setattr(loop, "run_forever", broken)
    with pytest.raises(OSError, match="no more files"):
        _serve(loop)
    assert loop.is_closed()
