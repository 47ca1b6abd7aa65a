"""A recorded model on a stand-in server, and answers that tell one request from another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from optimize.recording.recorded import recorded
from optimize.recording.recorder import Recorder
from programs.lms.failures import backend_error
from programs.lms.resolve import Model, resolve
from tests.lab import LONGEST
from tests.lms.asking import QUICK
from tests.standin.server import StandIn

Result = TypeVar("Result")


def echo(body: dict[str, Any]) -> str:
    """An answer that differs with the request."""
    said = body["messages"][-1]["content"]
    return f"{body['model']} {said} {body.get('seed')} {body.get('temperature')}"


class Counting:
    """Answers that differ with every call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _body: dict[str, Any]) -> str:
        self.calls += 1
        return f"answer {self.calls}"


@contextmanager
def session(
    folder: Path, server: StandIn, *, max_calls: int | None = None, at_once: int | None = None, **given: Any
) -> Iterator[Session]:
    with Recorder(folder, max_calls=max_calls, at_once=at_once) as recorder:
        opened = Session(recorder, server, given)
        yield opened
        opened.model.close()


class Session:
    """A recorder, and a recorded model on a stand-in server."""

    def __init__(self, recorder: Recorder, server: StandIn, given: dict[str, Any]) -> None:
        self.recorder = recorder
        self.server = server
        self.given = {"retry": QUICK, "timeout": 10.0, "env": {}, **given}
        self.model = self.open()

    def open(self, name: str = "openai/any", base: str | None = None, purpose: Any = "student") -> Model:
        found = resolve(name, api_base=base or self.server.openai_base, **self.given)
        return recorded(found, self.recorder, purpose)

    def ask(self, prompt: str = "hello", **options: Any) -> str:
        return str(self.model.lm(prompt, **options)[0])

    async def aask(self, prompt: str = "hello", **options: Any) -> str:
        return str((await self.model.lm.acall(prompt, **options))[0])

    def run(self, call: Coroutine[Any, Any, Result]) -> Result:
        """The result of a call on an event loop of its own, whose connections are closed with it."""

        async def closed() -> Result:
            try:
                return await call
            finally:
                await self.model.aclose()

        return asyncio.run(closed())


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.002)


def our_error(caught: pytest.ExceptionInfo[BaseException]) -> type[BaseException | None]:
    return type(backend_error(caught.value))
