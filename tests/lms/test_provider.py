"""Models that DSPy's own client calls are asked, retried and counted like those of our servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import dspy
import pytest

from programs import errors as ours
from programs.lms.failures import EmptyAnswer
from programs.lms.meter import metered
from programs.lms.resolve import Model, resolve
from programs.lms.retry import RetryPolicy
from programs.lms.server import Effort
from tests.lms.asking import ANSWER, KEY, NO_RETRIES, QUICK_RETRIES, brain
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What do galaxies do?"}]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)


@asynccontextmanager
async def groq(
    retry: RetryPolicy = QUICK_RETRIES, name: str = "groq/any", reasoning_effort: Effort | None = None, **server: Any
) -> AsyncIterator[tuple[StandIn, Model]]:
    """Yields a server, which has these options, and a model that DSPy calls on it."""
    with StandIn(brain, **server) as running:
        options: dict[str, Any] = {"temperature": 0.7, "max_tokens": 100, "timeout": 5.0}
        options |= {"api_base": running.openai_base, "retry": retry, "reasoning_effort": reasoning_effort}
        async with aclosing(resolve(name, **options)) as model:
            yield running, model


@pytest.mark.parametrize("observed", [True, False])
async def test_a_call_is_counted_once_and_its_reasoning_kept(observed: bool) -> None:
    async with groq(reasoning="because") as (server, model):
        with dspy.context(disable_history=not observed), metered() as meter:
            await model.lm.acall(messages=MESSAGES, max_tokens=50)
        assert len(model.lm.history) == observed
    assert (meter.spent.prompt_tokens, meter.spent.completion_tokens, meter.reasoning) == (6, 5, "because")
    [body] = server.bodies
    assert (body["max_tokens"], body["temperature"], body["messages"]) == (50, 0.7, MESSAGES)


async def test_a_failed_call_is_retried() -> None:
    async with groq(faults=FaultPlan(script=["500", "429", "empty"])) as (server, model):
        with dspy.context(disable_history=True), metered() as meter:
            assert await model.lm.acall(messages=MESSAGES) == [ANSWER]
        assert await asyncio.to_thread(model.lm, messages=MESSAGES) == [ANSWER]
    assert meter.spent.faults == {"500": 1, "429": 1, "empty": 1}
    assert len(server.calls) == 5


FAULTS = {"401": ours.AccessDenied, "403": ours.CallError, "418": ours.CallError, "empty": EmptyAnswer}
FAULTS |= {"context": ours.ContextTooLong, "truncated": ours.Truncated, "429": ours.RateLimited}


@pytest.mark.parametrize(("fault", "error"), FAULTS.items())
async def test_each_fault_has_its_error_class_and_shows_no_secret(fault: str, error: type[ours.BackendError]) -> None:
    async with groq(NO_RETRIES, faults=FaultPlan(script=[fault])) as (_server, model):
        with dspy.context(disable_history=True), pytest.raises(error) as caught:
            await model.lm.acall(messages=MESSAGES)
    assert type(caught.value) is error
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_models_are_not_listed() -> None:
    async with groq() as (_server, model):
        with pytest.raises(ours.CallError, match="cannot list models"):
            await model.engine.list_models()


@pytest.mark.parametrize(("name", "effort"), [("groq/openai/gpt-oss-20b", "low"), ("groq/any", None)])
async def test_a_reasoning_effort_is_sent_to_a_model_that_takes_one(name: str, effort: str | None) -> None:
    async with groq(name=name, reasoning_effort="low") as (server, model):
        with dspy.context(disable_history=True):
            await model.lm.acall(messages=MESSAGES)
    assert server.bodies[0].get("reasoning_effort") == effort
