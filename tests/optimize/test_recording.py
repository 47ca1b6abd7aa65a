"""Invariants of `optimize.recording`.

1. A recorded call is never made again, whether in the same session or a later one, by a copy of the LM, or asynchronously
   after it was made synchronously. A replay returns the recorded answer.
2. Another endpoint, model, message, option, seed, temperature or rollout makes another call. That a model refuses schemas,
   on which prompts depend, is learned from replays as from calls, whatever the model is asked for.
3. Equal concurrent calls are made once; no more calls are in flight than allowed.
4. (A killed process loses no recorded answer: tests/optimize/test_compile_ends.py.)
5. An error is raised in all callers that wait for the call, and not recorded; a truncated answer is recorded as such.
6. The meter counts a call that is made as usual, and a replay as nothing.
8. At most `max_calls` calls are paid for over all sessions; replays, failed calls and calls that wait for a permit do not
   count, so that the whole budget is used. After a fatal error, and after `stop`, no call starts; calls in flight are
   still recorded, and a call that waits for a retry ends with `RunStopped`.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.recording import BudgetSpent, Recorder, recorded
from programs.errors import AccessDenied, CallError, RunStopped, TransientError, Truncated, UserError
from programs.lms.failures import backend_error, find_cause
from programs.lms.meter import ResourceUsage, metered
from programs.lms.resolve import Model, resolve
from programs.lms.retry import RetryPolicy
from tests.lab import PROCESS_TIMEOUT, wait_for
from tests.lms.asking import NO_RETRIES, QUICK_RETRIES
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


def numbered_answers() -> Callable[[Any], str]:
    """A brain that gives every call another answer."""
    numbers = count(1)
    return lambda _body: f"answer {next(numbers)}"


class Session:
    """A recorder, and a recorded model on a stand-in server."""

    def __init__(self, recorder: Recorder, server: StandIn, retry: RetryPolicy) -> None:
        self.recorder, self.server, self.retry = recorder, server, retry
        self.model = self.open()

    def open(self, name: str = "openai/any", base: str | None = None) -> Model:
        base = base or self.server.openai_base
        return recorded(resolve(name, api_base=base, retry=self.retry, timeout=10.0, env={}), self.recorder, "student")

    def ask(self, prompt: str = "hello", **options: Any) -> str:
        return str(self.model.lm(prompt, **options)[0])


@contextmanager
def session(
    folder: Path, server: StandIn, *, max_calls: int | None = None, retry: RetryPolicy = QUICK_RETRIES
) -> Iterator[Session]:
    recorder = Recorder(folder, max_calls=max_calls)
    new_session = Session(recorder, server, retry)
    try:
        yield new_session
    finally:
        recorder.stop(PROCESS_TIMEOUT)
        new_session.model.close()
        recorder.journal.close()


@contextmanager
def raises_ours(error: type[BaseException], words: str) -> Iterator[None]:
    """Expects an error with these words that is ours, after DSPy's wrapper is removed."""
    with pytest.raises(Exception, match=words) as caught:
        yield
    assert isinstance(backend_error(caught.value), error)


def test_1_a_recorded_call_is_never_made_again(tmp_path: Path) -> None:
    with StandIn(numbered_answers(), reasoning="because") as server:
        with session(tmp_path, server) as first:
            answer = first.model.lm("hello", temperature=0.5)
            assert first.model.lm("hello", temperature=0.5) == answer
            assert first.model.lm.copy(temperature=0.5)("hello") == answer
            assert copy.deepcopy(first.model.lm)("hello", temperature=0.5) == answer
        with session(tmp_path, server) as second:
            assert second.model.lm("hello", temperature=0.5) == answer
    assert len(server.calls) == 1
    assert answer == [{"text": "answer 1", "reasoning_content": "because"}]


OTHER_OPTIONS: list[dict[str, Any]] = [
    {"temperature": 0.9},
    {"seed": 2},
    {"max_tokens": 9},
    {"rollout_id": 0, "temperature": 0.5},
    {"rollout_id": 1, "temperature": 0.5},
    {"response_format": {"type": "json_object"}},
]


def test_2_another_request_is_another_call(tmp_path: Path) -> None:
    with StandIn(numbered_answers()) as server, StandIn(numbered_answers()) as elsewhere:
        for _ in range(2):
            with session(tmp_path, server) as current:
                base: dict[str, Any] = {"temperature": 0.5, "seed": 1}
                answers = [current.ask(**base), current.ask("another", **base)]
                answers += [current.ask(**{**base, **other}) for other in OTHER_OPTIONS]
                answers += [str(current.open("openai/other").lm("hello", **base)[0])]
                assert len(set(answers)) == len(answers)
                current.open(base=elsewhere.openai_base).lm("hello", **base)
    assert len(server.calls) == len(OTHER_OPTIONS) + 3
    assert len(elsewhere.calls) == 1


def test_2_a_rollout_is_not_sent(tmp_path: Path) -> None:
    with StandIn(numbered_answers()) as server, session(tmp_path, server) as current:
        current.ask("no seed", rollout_id=3, temperature=1.0)
    assert "metadata" not in server.bodies[-1]


def test_2_without_schema_support_a_repeated_call_is_replayed(tmp_path: Path) -> None:
    predict = dspy.Predict("question -> answer")
    with StandIn(lambda _: '{"answer": "yes"}', formats="none") as server:
        for _ in range(2):
            with session(tmp_path, server) as current, dspy.context(lm=current.model.lm, adapter=dspy.JSONAdapter()):
                for number in range(3):
                    assert predict(question=str(number)).answer == "yes"
                paid = current.recorder.calls
                assert not current.model.lm.supports_response_schema
    assert paid == 3
    assert len([body for body in server.bodies if "response_format" not in body]) == 3


def test_2_schema_support_is_known_of_a_model_whatever_it_is_asked_for(tmp_path: Path) -> None:
    predict = dspy.Predict("question -> answer")
    with StandIn(lambda _: '{"answer": "yes"}', formats="none") as server:
        for _ in range(2):
            resolved = resolve("openai/any", api_base=server.openai_base, env={})
            with session(tmp_path, server) as current:
                for purpose in ("student", "judge"):
                    model = recorded(resolved, current.recorder, purpose)
                    with dspy.context(lm=model.lm, adapter=dspy.JSONAdapter()):
                        predict(question=purpose)
                paid = current.recorder.calls
            resolved.close()
    assert paid == 2


def test_3_equal_calls_of_threads_are_made_once(tmp_path: Path) -> None:
    server = StandIn(numbered_answers(), latency=0.2, faults=FaultPlan(script=["418"]))
    with server, session(tmp_path, server) as current, ThreadPoolExecutor(8) as pool:
        failed_calls = [pool.submit(current.ask) for _ in range(8)]
        # All callers that wait for the call get its error.
        errors = {type(backend_error(future.exception() or AssertionError())) for future in failed_calls}
        answers = list(pool.map(lambda _: current.ask(), range(8)))
        recorder = current.recorder
    assert errors == {CallError}
    assert answers == ["answer 1"] * 8
    assert len(server.calls) == recorder.calls + 1 == 2


FAULTS = {"500": TransientError, "418": CallError, "401": AccessDenied, "context": CallError}


@pytest.mark.parametrize("fault", FAULTS)
def test_5_errors_are_not_recorded(tmp_path: Path, fault: str) -> None:
    with StandIn(numbered_answers(), faults=FaultPlan(script=[fault])) as server:
        with session(tmp_path, server, retry=NO_RETRIES) as current:
            with raises_ours(FAULTS[fault], "."):
                current.ask()
            assert current.recorder.calls == 0
        with session(tmp_path, server) as current:
            assert current.ask() == "answer 1"
    assert len(server.calls) == 2


def test_5_a_truncated_answer_is_recorded_and_replayed(tmp_path: Path) -> None:
    with StandIn(numbered_answers(), faults=FaultPlan(script=["truncated"])) as server:
        for _ in range(2):
            with session(tmp_path, server) as current:
                for _ in range(2):
                    with raises_ours(Truncated, "token limit"):
                        current.ask()
                assert current.recorder.paid["student"]["prompt_tokens"] == 1
                assert current.recorder.failure is None
    assert len(server.calls) == 1


def test_6_the_meter_counts_calls_but_not_replays(tmp_path: Path) -> None:
    server = StandIn(lambda _: "four words are said", reasoning="because", faults=FaultPlan(script=["500"]))
    with server, session(tmp_path, server) as current:
        with metered() as made:
            current.ask("two words")
        with metered() as replayed:
            current.ask("two words")
        recorder = current.recorder
    spent = ResourceUsage(
        faults={"500": 1}, prompt_tokens=2, completion_tokens=4, cached_tokens=1, seconds=made.spent.seconds
    )
    assert (made.spent, made.reasoning) == (spent, "because")
    assert (replayed.spent, replayed.reasoning) == (ResourceUsage(), "because")
    spend = recorder.paid["student"]
    assert [spend[name] for name in ("calls", "prompt_tokens", "completion_tokens", "cached_tokens")] == [1, 2, 4, 1]


def test_models_of_dspys_own_providers_are_recorded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "k")
    with StandIn(numbered_answers()) as server:
        for _ in range(2):
            with session(tmp_path, server) as current:
                resolved = resolve("groq/any", api_base=server.openai_base, temperature=0.5, retry=QUICK_RETRIES)
                model = recorded(resolved, current.recorder, "proposer")
                assert model.lm("two words", temperature=0.7) == ["answer 1"]
                assert model.lm.copy(rollout_id=1)("two words") == ["answer 2"]
                spend = current.recorder.paid["proposer"]
    assert [body["temperature"] for body in server.bodies] == [0.7, 0.5]
    assert [spend[name] for name in ("calls", "prompt_tokens", "completion_tokens", "uncounted")] == [2, 4, 4, 0]


def test_8_no_more_calls_are_paid_for_than_allowed(tmp_path: Path) -> None:
    with StandIn(numbered_answers(), faults=FaultPlan(script=[None, "418"])) as server:
        with session(tmp_path, server, max_calls=3) as current:
            current.ask("0")
            with pytest.raises(Exception, match="418"):
                current.ask("1")
            answers = [current.ask(str(number)) for number in range(3)]
            for _ in range(2):
                with raises_ours(BudgetSpent, "budget of 3 calls"):
                    current.ask("3")
            assert isinstance(current.recorder.failure, BudgetSpent)
        with session(tmp_path, server, max_calls=4) as current:
            with ThreadPoolExecutor(4) as pool:
                assert list(pool.map(current.ask, "0123"))[:3] == answers
            with pytest.raises(Exception, match="budget of 4 calls"):
                current.ask("4")
    assert len(server.calls) == 5


def test_8_calls_that_wait_for_a_permit_have_not_used_the_budget(tmp_path: Path) -> None:
    with StandIn(numbered_answers(), latency=0.2) as server, session(tmp_path, server, max_calls=20) as current:
        with ThreadPoolExecutor(40) as pool:
            calls = [pool.submit(current.ask, str(number)) for number in range(40)]
            wait(calls, return_when=FIRST_EXCEPTION)
            current.recorder.stop(PROCESS_TIMEOUT)
        assert isinstance(current.recorder.failure, BudgetSpent)
        assert current.recorder.calls == len(server.calls) == 20


def test_8_no_call_starts_after_a_fatal_error_or_the_stop(tmp_path: Path) -> None:
    with StandIn(numbered_answers(), latency=0.2, faults=FaultPlan(script=[None, "401"])) as server:
        with session(tmp_path, server) as current:
            current.ask("0")
            for number in (1, 2, 0):
                with raises_ours(AccessDenied, "401"):
                    current.ask(str(number))
        with session(tmp_path, server) as current:
            thread = threading.Thread(target=current.ask, args=("1",))
            thread.start()
            wait_for(lambda: len(server.calls) == 3)
            with pytest.raises(UserError, match="in use by another"):
                Recorder(tmp_path)
            current.recorder.stop(PROCESS_TIMEOUT)
            thread.join()
            with pytest.raises(Exception) as caught:  # noqa: PT011
                current.ask("0")
            assert find_cause(caught.value, RunStopped)
        with session(tmp_path, server) as current:
            current.ask("1")
    assert len(server.calls) == 3


@pytest.mark.parametrize("latency", [0.0, 0.2])
def test_8_a_call_that_waits_for_a_retry_ends_at_the_stop(latency: float, tmp_path: Path) -> None:
    long_waits = RetryPolicy(first_wait=1e5, max_wait=1e5, patience=1e6)
    server = StandIn(numbered_answers(), latency=latency, faults=FaultPlan(script=["503"]))
    with server, session(tmp_path, server, retry=long_waits) as current, ThreadPoolExecutor(1) as pool:
        future = pool.submit(current.ask)
        # With latency, the call fails after `stop` was called; without, it already waits for a retry.
        wait_for(lambda: len(server.calls) == 1 and bool(latency or not server.in_flight))
        current.recorder.stop(PROCESS_TIMEOUT)
        assert find_cause(future.exception() or AssertionError(), RunStopped)
