"""The engine over real sockets: faults, retries, metering and DSPy's hooks (on several event loops: tests/test_dspy.py)."""

import asyncio
from typing import Any

import dspy
import pytest
from dspy.utils.exceptions import LMUnexpectedError

from programs import errors as ours
from programs.lms.engine import DSPYS_ACALL
from programs.lms.failures import ConnectionFailed, EmptyAnswer, InvalidReply, backend_error
from programs.lms.meter import metered
from tests.lms.asking import ANSWER, KEY, NO_RETRIES, ask, serving
from tests.standin.faults import FaultPlan

FAULTS = {
    "500": (ours.TransientError, "500"),
    "503": (ours.TransientError, "503"),
    "408": (ours.TransientError, "408"),
    "429": (ours.RateLimited, "429"),
    "html": (InvalidReply, "not an answer"),
    "reset": (ConnectionFailed, "connection"),
    "empty": (EmptyAnswer, "empty"),
    "null": (EmptyAnswer, "empty"),
    "error200": (InvalidReply, "not an answer"),
    "overloaded200": (InvalidReply, "not an answer"),
    "401": (ours.AccessDenied, "AccessDenied"),
    "404": (ours.UnknownModel, "UnknownModel"),
    "418": (ours.CallError, "CallError"),
    "truncated": (ours.Truncated, "Truncated"),
    "context": (ours.ContextTooLong, "ContextTooLong"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_error_class_and_meter_key_and_shows_no_secret(fault: str) -> None:
    error, kind = FAULTS[fault]
    async with serving(retry=NO_RETRIES, faults=FaultPlan(script=[fault]), api_key=KEY) as (server, model):
        with metered() as meter, pytest.raises(ours.BackendError) as caught:
            await ask(model)
    assert type(caught.value) is error
    assert meter.spent.faults == {kind: 1}
    assert len(server.calls) == 1
    if fault == "truncated":  # A truncated answer is paid for, too.
        assert meter.spent.prompt_tokens == 6
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.brain_errors == []


@pytest.mark.parametrize("fault", ["hang", "dribble"])
async def test_a_reply_that_does_not_end_times_out(fault: str) -> None:
    async with serving(timeout=0.5, faults=FaultPlan(script=[fault])) as (_server, model):
        with metered() as meter:
            assert (await ask(model)).text == ANSWER
    assert meter.spent.faults == {"timeout": 1}


async def test_retry_after_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def record_wait(seconds: float) -> None:
        # Skip the stand-in's latency of 0 and the pacer's waits of some hundredths of a second.
        waits.extend([seconds] if seconds > 1 else [])

    monkeypatch.setattr("asyncio.sleep", record_wait)
    async with serving(faults=FaultPlan(script=["429", "503"]), retry_after="7") as (_server, model):
        await ask(model)
    assert [7 <= wait <= 7.7 for wait in waits] == [True, True]


async def test_an_unknown_model_is_an_error_with_the_nearest_name_and_models_are_listed_once() -> None:
    async with serving(models=[("Any 2", "any2"), ("Other", "zzz")]) as (server, model):
        for _ in range(2):
            with pytest.raises(ours.UnknownModel, match="did you mean 'any2'"):
                await ask(model)
    assert server.model_list_requests == 1


async def test_many_concurrent_calls_all_get_their_answer() -> None:
    plan = FaultPlan(rate=0.3, kinds=["500", "429", "html", "reset", "empty", "error200"], seed=4)
    # The latency lets even a busy machine send most calls before the first is answered.
    async with serving(timeout=20, latency=0.5, faults=plan) as (server, model):
        with metered() as meter:
            answers = await asyncio.gather(*(ask(model) for _ in range(150)))
    assert {answer.text for answer in answers} == {ANSWER}
    assert server.peak > 100
    assert len(server.calls) == 150 + sum(meter.spent.faults.values())


async def test_a_cancelled_call_leaves_the_engine_usable() -> None:
    async with serving(faults=FaultPlan(script=["hang"])) as (server, model):
        task = asyncio.create_task(ask(model))
        while not server.calls:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await ask(model)).text == ANSWER


async def test_a_wrapper_around_dspys_acall_sees_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[str]()

    async def wrapped(self: dspy.LM, *args: Any, **options: Any) -> Any:
        seen.append(self.model)
        return await DSPYS_ACALL(self, *args, **options)

    monkeypatch.setattr(dspy.LM, "acall", wrapped)
    async with serving() as (_server, model):
        with dspy.context(adapter=dspy.JSONAdapter(), lm=model.lm, disable_history=True):
            assert (await dspy.Predict("question -> answer").acall(question="galaxies?")).answer
    assert seen == [model.lm.model]


@pytest.mark.parametrize("adapter", [dspy.ChatAdapter, dspy.JSONAdapter])
async def test_dspys_own_adapters_send_their_usual_messages(adapter: Any) -> None:
    predict = dspy.Predict("question -> answer")
    predict.demos = [] if adapter is dspy.JSONAdapter else [dspy.Example(question="stars?", answer="They shine.")]
    async with serving() as (server, model):
        with dspy.context(adapter=adapter(), lm=model.lm, disable_history=True):
            assert (await predict.acall(question="galaxies?")).answer
    roles = [message["role"] for message in server.bodies[0]["messages"]]
    assert roles == ["system", *["user", "assistant"] * len(predict.demos), "user"]


async def test_an_unsupported_option_is_an_error_sync_and_async() -> None:
    messages = [{"role": "user", "content": "What do galaxies do?"}]
    async with serving() as (server, model):
        with pytest.raises(LMUnexpectedError, match="top_p") as caught:
            await asyncio.to_thread(model.lm, messages=messages, top_p=0.5)
        assert isinstance(backend_error(caught.value), ours.CallError)
        with dspy.context(disable_history=True), pytest.raises(ours.CallError, match="top_p"):
            await model.lm.acall(messages=messages, top_p=0.5)
    assert server.bodies == []
