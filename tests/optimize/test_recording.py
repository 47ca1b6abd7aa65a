"""Invariants of `optimize.recording`.

1. A recorded call is never made again: not in the same session, not in a later one, not by a copy of the LM, and not
   asynchronously where it was made synchronously. It gives what it gave.
2. Another endpoint, model, message, option, seed, temperature or rollout is another call; a rollout changes the seed that
   is sent.
3. Equal calls at the same time are made once; no more are under way than allowed.
4. (A killed process loses no answer that it wrote: tests/optimize/test_compile_ends.py.)
5. Errors are raised, to all who wait, and not recorded; an answer cut at its token limit is recorded, as `Truncated`.
6. The meter counts a call that is made as if it were not recorded, and nothing of a replay.
8. No more calls are paid for than `max_calls`, over all sessions; replays and failed calls need no budget. After an error
   that leaves nothing to hope for, and after the end, nothing is asked any more; what is under way then is recorded, and
   what waits to be tried again ends with `CompileStopped`.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.compilation import map_in_threads
from optimize.recording import BudgetSpent, CompileStopped, Recorder, recorded
from programs.errors import AccessDenied, CallError, TransientError, Truncated, UserError
from programs.lms.engine import PatientLM
from programs.lms.failures import backend_error
from programs.lms.meter import ResourceUsage, metered
from programs.lms.resolve import Model, resolve
from programs.lms.retry import RetryPolicy
from tests.lab import LONGEST, wait_for
from tests.lms.asking import ONCE, QUICK
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


def counting() -> Callable[[Any], str]:
    """Answers that differ with every call."""
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
    folder: Path, server: StandIn, *, max_calls: int | None = None, retry: RetryPolicy = QUICK
) -> Iterator[Session]:
    recorder = Recorder(folder, max_calls=max_calls)
    opened = Session(recorder, server, retry)
    try:
        yield opened
    finally:
        recorder.stop(LONGEST)
        opened.model.close()
        recorder.journal.close()


@contextmanager
def refused(error: type[BaseException], words: str) -> Iterator[None]:
    """What is raised says so, and is an error of ours, whatever DSPy made of it."""
    with pytest.raises(Exception, match=words) as caught:
        yield
    assert isinstance(backend_error(caught.value), error)


def test_1_a_recorded_call_is_never_made_again(tmp_path: Path) -> None:
    with StandIn(counting(), reasoning="because") as server:
        with session(tmp_path, server) as first:
            said = first.model.lm("hello", temperature=0.5)
            assert first.model.lm("hello", temperature=0.5) == said
            assert first.model.lm.copy(temperature=0.5)("hello") == said
            assert copy.deepcopy(first.model.lm)("hello", temperature=0.5) == said
        with session(tmp_path, server) as second:
            assert second.model.lm("hello", temperature=0.5) == said
    assert len(server.calls) == 1
    assert said == [{"text": "answer 1", "reasoning_content": "because"}]


OTHERS: list[dict[str, Any]] = [
    {"temperature": 0.9},
    {"seed": 2},
    {"max_tokens": 9},
    {"rollout_id": 0, "temperature": 0.5},
    {"rollout_id": 1, "temperature": 0.5},
    {"response_format": {"type": "json_object"}},
]


def test_2_another_request_is_another_call(tmp_path: Path) -> None:
    with StandIn(counting()) as server, StandIn(counting()) as elsewhere:
        for _ in range(2):
            with session(tmp_path, server) as asked:
                base: dict[str, Any] = {"temperature": 0.5, "seed": 1}
                said = [asked.ask(**base), asked.ask("another", **base)]
                said += [asked.ask(**{**base, **other}) for other in OTHERS]
                said += [str(asked.open("openai/other").lm("hello", **base)[0])]
                assert len(set(said)) == len(said)
                asked.open(base=elsewhere.openai_base).lm("hello", **base)
    assert len(server.calls) == len(OTHERS) + 3
    assert len(elsewhere.calls) == 1


def test_2_rollouts_send_seeds_of_their_own(tmp_path: Path) -> None:
    with StandIn(counting()) as server, session(tmp_path, server) as asked:
        asked.ask(seed=7)
        for rollout in (0, 1, 2):
            asked.model.lm.copy(rollout_id=rollout, seed=7)("hello")
        seeds = [body["seed"] for body in server.bodies]
        assert seeds[0] == 7
        assert len(set(seeds)) == len(seeds) == 4
        assert all(0 <= seed < 2**31 for seed in seeds)
        asked.ask("no seed", rollout_id=3, temperature=1.0)
    assert "seed" not in server.bodies[-1]
    assert "metadata" not in server.bodies[-1]


def test_2_a_server_without_schemas_is_asked_in_the_same_words_again(tmp_path: Path) -> None:
    predict = dspy.Predict("question -> answer")
    with StandIn(lambda _: '{"answer": "yes"}', formats="none") as server:
        for _ in range(2):
            with session(tmp_path, server) as asked, dspy.context(lm=asked.model.lm, adapter=dspy.JSONAdapter()):
                for number in range(3):
                    assert predict(question=str(number)).answer == "yes"
                paid = asked.recorder.calls
                assert not asked.model.lm.supports_response_schema
    assert paid == 3
    assert len([body for body in server.bodies if "response_format" not in body]) == 3


def test_3_equal_calls_of_threads_are_made_once(tmp_path: Path) -> None:
    server = StandIn(counting(), latency=0.2, faults=FaultPlan(script=["418"]))
    with server, session(tmp_path, server) as asked, ThreadPoolExecutor(8) as pool:
        failed = [pool.submit(asked.ask) for _ in range(8)]
        # An error reaches all who wait for it.
        errors = {type(backend_error(future.exception() or AssertionError())) for future in failed}
        said = list(pool.map(lambda _: asked.ask(), range(8)))
        recorder = asked.recorder
    assert errors == {CallError}
    assert said == ["answer 1"] * 8
    assert len(server.calls) == recorder.calls + 1 == 2


FAULTS = {"500": TransientError, "418": CallError, "401": AccessDenied, "context": CallError}


@pytest.mark.parametrize("fault", FAULTS)
def test_5_errors_are_not_recorded(tmp_path: Path, fault: str) -> None:
    with StandIn(counting(), faults=FaultPlan(script=[fault])) as server:
        with session(tmp_path, server, retry=ONCE) as asked:
            with refused(FAULTS[fault], "."):
                asked.ask()
            assert asked.recorder.calls == 0
        with session(tmp_path, server) as asked:
            assert asked.ask() == "answer 1"
    assert len(server.calls) == 2


def test_5_an_answer_cut_at_its_limit_is_cut_again(tmp_path: Path) -> None:
    with StandIn(counting(), faults=FaultPlan(script=["truncated"])) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked:
                for _ in range(2):
                    with refused(Truncated, "token limit"):
                        asked.ask()
                assert asked.recorder.paid["student"]["prompt_tokens"] == 1
                assert asked.recorder.failure is None
    assert len(server.calls) == 1


def test_6_the_meter_counts_calls_and_no_replays(tmp_path: Path) -> None:
    server = StandIn(lambda _: "four words are said", reasoning="because", faults=FaultPlan(script=["500"]))
    with server, session(tmp_path, server) as asked:
        with metered() as made:
            asked.ask("two words")
        with metered() as replayed:
            asked.ask("two words")
        recorder = asked.recorder
    spent = ResourceUsage(
        faults={"500": 1}, prompt_tokens=2, completion_tokens=4, cached_tokens=1, seconds=made.spent.seconds
    )
    assert (made.requests, made.spent, made.reasoning) == (2, spent, "because")
    assert (replayed.requests, replayed.spent, replayed.reasoning) == (0, ResourceUsage(), "because")
    spend = recorder.paid["student"]
    assert [spend[name] for name in ("calls", "prompt_tokens", "completion_tokens", "cached_tokens")] == [1, 2, 4, 1]


def test_models_that_dspy_calls_itself_are_recorded_too(tmp_path: Path) -> None:
    with StandIn(counting()) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked:
                lm = PatientLM("openai/any", QUICK, api_base=server.openai_base, api_key="k", temperature=0.5)
                known = Model("provider/any", lm, lm, server.openai_base, frozenset({"temperature"}), False)
                model = recorded(known, asked.recorder, "proposer")
                assert model.lm("two words", temperature=0.7) == ["answer 1"]
                assert model.lm.copy(rollout_id=1)("two words") == ["answer 2"]
                spend = asked.recorder.paid["proposer"]
    assert [body["temperature"] for body in server.bodies] == [0.7, 0.5]
    assert [spend[name] for name in ("calls", "prompt_tokens", "completion_tokens", "uncounted")] == [2, 4, 4, 0]


def test_8_no_more_calls_are_paid_for_than_allowed(tmp_path: Path) -> None:
    with StandIn(counting(), faults=FaultPlan(script=[None, "418"])) as server:
        with session(tmp_path, server, max_calls=3) as asked:
            asked.ask("0")
            with pytest.raises(Exception, match="418"):
                asked.ask("1")
            said = [asked.ask(str(number)) for number in range(3)]
            for _ in range(2):
                with refused(BudgetSpent, "budget of 3 calls"):
                    asked.ask("3")
            assert isinstance(asked.recorder.failure, BudgetSpent)
            assert [asked.ask(str(number)) for number in range(3)] == said
        with session(tmp_path, server, max_calls=4) as asked:
            map_in_threads(lambda number: asked.ask(str(number)), range(4), 4)
            with pytest.raises(Exception, match="budget of 4 calls"):
                asked.ask("4")
    assert len(server.calls) == 5


def test_8_nothing_is_asked_after_a_refusal_or_the_end(tmp_path: Path) -> None:
    with StandIn(counting(), latency=0.2, faults=FaultPlan(script=[None, "401"])) as server:
        with session(tmp_path, server) as asked:
            asked.ask("0")
            for number in (1, 2):
                with refused(AccessDenied, "401"):
                    asked.ask(str(number))
            assert asked.ask("0")
        with session(tmp_path, server) as asked:
            thread = threading.Thread(target=asked.ask, args=("1",))
            thread.start()
            wait_for(lambda: len(server.calls) == 3)
            with pytest.raises(UserError, match="in use by another"):
                Recorder(tmp_path)
            asked.recorder.stop(LONGEST)
            thread.join()
            with refused(CompileStopped, "stopped"):
                asked.ask("0")
        with session(tmp_path, server) as asked:
            asked.ask("1")
    assert len(server.calls) == 3


@pytest.mark.parametrize("latency", [0.0, 0.2])
def test_8_no_call_sleeps_past_the_end(latency: float, tmp_path: Path) -> None:
    ages = RetryPolicy(first_wait=1e5, max_wait=1e5, patience=1e6)
    server = StandIn(counting(), latency=latency, faults=FaultPlan(script=["503"]))
    with server, session(tmp_path, server, retry=ages) as asked, ThreadPoolExecutor(1) as pool:
        future = pool.submit(asked.ask)
        # Slow, it fails after the end has begun.
        wait_for(lambda: len(server.calls) == 1 and bool(latency or not server.in_flight))
        asked.recorder.stop(LONGEST)
        assert type(backend_error(future.exception() or AssertionError())) is CompileStopped
