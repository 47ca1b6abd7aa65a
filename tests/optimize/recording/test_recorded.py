"""Invariants of `optimize.recording.recorded`.

1. A recorded call is never made again: not in the same session, not in a later one, not by a copy of the LM, and not
   asynchronously where it was made synchronously. It gives what it gave.
2. Another endpoint, model, message, option, seed, temperature, rollout or candidate is another call; a rollout changes
   the seed that is sent.
3. Equal calls at the same time, of threads and tasks, are made once; one that is given up is made by another who waits.
4. A process killed in the middle loses no answer that it wrote; resumed, it makes no recorded call.
5. Errors are raised, to all who wait, and not recorded; an answer cut at its token limit is recorded, as `Truncated`.
6. The meter counts a call that is made as if it were not recorded, and nothing of a replay.
7. Optimizers work with it, also with rollouts, and find the same when resumed.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.job import in_threads
from optimize.recording.call_journal import CallJournal
from optimize.recording.recorded import recorded
from optimize.recording.recorder import Recorder
from programs.errors import AccessDenied, CallError, TransientError, Truncated
from programs.lms.failures import backend_error
from programs.lms.meter import metered
from programs.lms.resolve import Model
from programs.tracer import load_tracer
from tests.forked.process import Forked
from tests.lab import environment, passage
from tests.lms.asking import ONCE
from tests.optimize.asker import ask_all, question
from tests.optimize.recording.sessions import Counting, echo, our_error, session, wait_until
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

Ask = Callable[..., str]


def test_1_a_recorded_call_is_never_made_again(tmp_path: Path) -> None:
    with StandIn(Counting(), reasoning="because") as server:
        with session(tmp_path, server) as first:
            said = first.model.lm("hello", temperature=0.5)
            assert first.model.lm("hello", temperature=0.5) == said
            assert first.model.lm.copy(temperature=0.5)("hello") == said
            assert copy.deepcopy(first.model.lm)("hello", temperature=0.5) == said
        with session(tmp_path, server) as second:
            assert second.model.lm("hello", temperature=0.5) == said
    assert len(server.calls) == 1
    assert said == [{"text": "answer 1", "reasoning_content": "because"}]


def test_1_tasks_and_threads_share_what_is_recorded(tmp_path: Path) -> None:
    with StandIn(Counting()) as server, session(tmp_path, server) as asked:

        async def both() -> list[str]:
            said = [await asyncio.to_thread(asked.ask, "one"), await asked.aask("one")]
            said += [await asked.aask("two"), await asyncio.to_thread(asked.ask, "two")]
            await asked.model.aclose()
            return said

        assert asyncio.run(both()) == ["answer 1", "answer 1", "answer 2", "answer 2"]
    assert len(server.calls) == 2


def test_1_whoever_asks_for_whatever_purpose(tmp_path: Path) -> None:
    with StandIn(Counting()) as server, session(tmp_path, server) as asked:
        asked.ask()
        assert asked.open(purpose="judge").lm("hello") == ["answer 1"]
        account = asked.recorder.account
    assert account.paid.keys() == {"student"}
    assert account.replayed.keys() == {"judge"}


OTHERS: list[dict[str, Any]] = [
    {"temperature": 0.9},
    {"seed": 2},
    {"max_tokens": 9},
    {"rollout_id": 0, "temperature": 0.5},
    {"rollout_id": 1, "temperature": 0.5},
    {"response_format": {"type": "json_object"}},
    {"stop": ["\n"]},
]


def test_2_another_request_is_another_call(tmp_path: Path) -> None:
    with StandIn(Counting()) as server, StandIn(Counting()) as elsewhere:
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


def test_2_rollouts_and_candidates_send_seeds_of_their_own(tmp_path: Path) -> None:
    with StandIn(echo) as server, session(tmp_path, server) as asked:
        asked.ask(seed=7)
        for rollout in (0, 1, 2):
            asked.model.lm.copy(rollout_id=rollout, seed=7)("hello")
        asked.model.lm("hello", seed=7, n=2)
        seeds = [body["seed"] for body in server.bodies]
        assert seeds[0] == 7
        assert len(set(seeds)) == len(seeds) == 5
        assert all(0 <= seed < 2**31 for seed in seeds)
        asked.ask("no seed", rollout_id=3, temperature=1.0)
    assert "seed" not in server.bodies[-1]


def test_2_candidates_are_different_answers_and_are_replayed_in_order(tmp_path: Path) -> None:
    with StandIn(Counting()) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked:
                assert asked.model.lm("hello", n=3, temperature=1.0) == ["answer 1", "answer 2", "answer 3"]
                assert asked.model.lm("hello", n=2, temperature=1.0, rollout_id=1) == ["answer 4", "answer 5"]
    assert len(server.calls) == 5


def test_2_a_server_without_schemas_is_asked_in_the_same_words_again(tmp_path: Path) -> None:
    predict = dspy.Predict("question -> answer")
    with StandIn(lambda _: '{"answer": "yes"}', formats="none") as server:
        for _ in range(2):
            with session(tmp_path, server) as asked, dspy.context(lm=asked.model.lm, adapter=dspy.JSONAdapter()):
                for number in range(3):
                    assert predict(question=str(number)).answer == "yes"
                paid = asked.recorder.account.all_paid
                assert not asked.model.lm.supports_response_schema
    assert paid.calls == 3
    assert len([body for body in server.bodies if "response_format" not in body]) == 3


def test_3_equal_calls_of_threads_are_made_once(tmp_path: Path) -> None:
    with StandIn(Counting(), latency=0.1) as server, session(tmp_path, server) as asked:
        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(lambda _: asked.ask(), range(8)))
        account = asked.recorder.account
    assert said == ["answer 1"] * 8
    assert len(server.calls) == account.all_paid.calls == 1
    assert account.all_replayed.calls == 7


def test_3_equal_calls_of_tasks_and_threads_are_made_once(tmp_path: Path) -> None:
    with StandIn(Counting(), latency=0.1) as server, session(tmp_path, server) as asked:

        async def many() -> list[str]:
            threads = [asyncio.to_thread(asked.ask) for _ in range(2)]
            said = await asyncio.gather(*threads, *(asked.aask() for _ in range(6)))
            await asked.model.aclose()
            return list(said)

        assert asyncio.run(many()) == ["answer 1"] * 8
    assert len(server.calls) == 1


def test_3_who_waits_asks_when_the_one_who_asked_gives_up(tmp_path: Path) -> None:
    with StandIn(Counting(), latency=0.2) as server, session(tmp_path, server) as asked:

        async def given_up() -> str:
            first = asyncio.create_task(asked.aask())
            while not server.in_flight:
                await asyncio.sleep(0.002)
            patient, impatient = asyncio.create_task(asked.aask()), asyncio.create_task(asked.aask())
            await asyncio.sleep(0.02)
            impatient.cancel()
            await asyncio.sleep(0.02)
            first.cancel()
            said = await patient
            assert first.cancelled()
            assert impatient.cancelled()
            await asked.model.aclose()
            return said

        assert asyncio.run(given_up()).startswith("answer")
        assert asked.recorder.account.all_paid.calls == 1


def test_3_no_more_calls_at_once_than_allowed(tmp_path: Path) -> None:
    with StandIn(echo, latency=0.05) as server, session(tmp_path, server, at_once=2) as asked:
        # Who waits for another's answer takes no place from others.
        in_threads(lambda number: asked.ask(f"prompt {number % 6}"), range(12), 8)
    assert (len(server.calls), server.peak) == (6, 2)


@pytest.mark.parametrize("calls", [1, 9])
def test_4_a_killed_process_loses_no_answer(tmp_path: Path, calls: int) -> None:
    count = 16
    with StandIn(echo, latency=0.01) as server:
        process = Forked("tests.optimize.asker", [str(tmp_path), server.openai_base, str(count)], env=environment())
        try:
            wait_until(lambda: len(server.calls) >= calls or process.poll() is not None)
            assert process.poll() is None, "the process was over before it could be killed"
        finally:
            process.kill()
            process.wait()
        wait_until(lambda: not server.in_flight)
        asked_before = len(server.calls)
        whole = (tmp_path / "calls.jsonl").read_bytes().rpartition(b"\n")[0]
        known = {number for number in range(count) if f"{question(number)} ".encode() in whole}

        answers = ask_all(tmp_path, server.openai_base, count)
    again = [body["messages"][-1]["content"] for body in server.bodies[asked_before:]]
    assert sorted(again) == sorted(question(number) for number in range(count) if number not in known)
    assert [question(number) in answer for number, answer in enumerate(answers)] == [True] * count
    with CallJournal(tmp_path) as journal:
        assert len(journal) == count


FAULTS = {"500": TransientError, "418": CallError, "401": AccessDenied, "context": CallError}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["sync", "async"])
def test_5_errors_are_not_recorded(tmp_path: Path, fault: str, how: str) -> None:
    with StandIn(Counting(), faults=FaultPlan(script=[fault])) as server:
        with session(tmp_path, server, retry=ONCE) as asked:
            with pytest.raises(Exception, match=r".") as caught:
                asked.ask() if how == "sync" else asked.run(asked.aask())
            assert issubclass(our_error(caught), FAULTS[fault])
            assert asked.recorder.account.all_paid.calls == 0
        with session(tmp_path, server) as asked:
            assert asked.ask() == "answer 1"
    assert len(server.calls) == 2


def test_5_an_error_reaches_all_who_wait(tmp_path: Path) -> None:
    server = StandIn(Counting(), latency=0.2, faults=FaultPlan(script=["418"]))
    with server:
        with session(tmp_path, server) as asked, ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(asked.ask) for _ in range(4)]
        errors = [backend_error(future.exception() or AssertionError("no error")) for future in futures]
    assert {type(error) for error in errors} == {CallError}
    assert len(server.calls) == 1


@pytest.mark.parametrize("how", ["sync", "async"])
def test_5_an_answer_cut_at_its_limit_is_cut_again(tmp_path: Path, how: str) -> None:
    with StandIn(echo, faults=FaultPlan(script=["truncated"])) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked:
                for _ in range(2):
                    with pytest.raises(Exception, match="token limit") as caught, metered() as meter:
                        asked.ask() if how == "sync" else asked.run(asked.aask())
                    assert our_error(caught) is Truncated
                    assert meter.finish_reason == "length"
                assert asked.recorder.account.all_paid.prompt_tokens == 1
                assert asked.recorder.failure is None
    assert len(server.calls) == 1


def test_6_the_meter_counts_calls_and_no_replays(tmp_path: Path) -> None:
    server = StandIn(lambda _: "four words are said", reasoning="because", faults=FaultPlan(script=["500"]))
    with server, session(tmp_path, server) as asked:
        with metered() as made:
            asked.ask("two words")
        with metered() as replayed:
            asked.ask("two words")
        account = asked.recorder.account
    assert (made.attempts, made.prompt_tokens, made.completion_tokens, made.cached_tokens) == (2, 2, 4, 1)
    assert (made.faults, made.finish_reason, made.reasoning) == ({"500": 1}, "stop", "because")
    assert (replayed.attempts, replayed.prompt_tokens, replayed.completion_tokens, replayed.uncounted) == (0, 0, 0, 0)
    assert (replayed.seconds, replayed.finish_reason, replayed.reasoning) == (0, "stop", "because")
    for spend in (account.paid["student"], account.replayed["student"]):
        assert (spend.calls, spend.prompt_tokens, spend.completion_tokens, spend.cached_tokens) == (1, 2, 4, 1)


def hot(_example: dspy.Example, prediction: dspy.Prediction, _trace: Any = None) -> bool:
    return "hot" in str(prediction.answer)


def by_heat(body: dict[str, Any]) -> str:
    heat = "hot" if body.get("temperature") == 1.0 else "cold"
    return f'{{"answer": "{heat} {len(str(body))}"}}'


def test_7_an_optimizer_that_rolls_out_again_is_replayed(tmp_path: Path) -> None:
    examples = [dspy.Example(question=f"q{number}", answer="").with_inputs("question") for number in range(3)]
    demos, calls = [], []
    with StandIn(by_heat) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked, dspy.context(lm=asked.model.lm, adapter=dspy.JSONAdapter()):
                optimizer = dspy.BootstrapFewShot(
                    metric=hot, max_bootstrapped_demos=3, max_labeled_demos=0, max_rounds=2
                )
                compiled = optimizer.compile(dspy.Predict("question -> answer"), trainset=examples)
                demos.append([demo.answer for demo in compiled.demos])
                calls.append(len(server.calls))
    assert demos[0] == demos[1]
    assert len(demos[0]) == 3
    assert all("hot" in answer for answer in demos[0])
    assert calls == [6, 6]


def test_7_a_copied_program_keeps_its_recorded_model(tmp_path: Path) -> None:
    program = dspy.Predict("question -> answer")
    with StandIn(by_heat) as server, session(tmp_path, server) as asked:
        program.set_lm(asked.model.lm.copy(rollout_id=1, temperature=1.0))
        with dspy.context(adapter=dspy.JSONAdapter()):
            assert program(question="x").answer == copy.deepcopy(program)(question="x").answer
            assert program.deepcopy()(question="x").answer.startswith("hot")
    assert len(server.calls) == 1


@pytest.mark.parametrize("how", ["sync", "async"])
def test_7_the_whole_program_is_replayed(tmp_path: Path, how: str) -> None:
    traces, paid = [], []
    with StandIn(Scientist()) as server:
        for _ in range(2):
            with session(tmp_path, server) as asked, dspy.context(lm=asked.model.lm):
                tracer = load_tracer()
                for number in (1, 2):
                    text = passage(number)
                    made = tracer(text=text) if how == "sync" else asked.run(tracer.acall(text=text))
                    traces.append(made.records[0].reasoning_trace)
                    paid.append(made.records[0].generation.prompt_tokens)
                calls = asked.recorder.account.all_paid.calls
        assert not server.surprises
    assert traces[:2] == traces[2:]
    assert len(server.calls) == calls > 10
    assert paid[0] > 0
    assert paid[2:] == [0, 0]


def test_models_that_dspy_calls_itself_are_recorded_too(tmp_path: Path) -> None:
    with StandIn(Counting()) as server:
        for _ in range(2):
            with Recorder(tmp_path) as recorder:
                lm = dspy.LM("openai/any", api_base=server.openai_base, api_key="k", cache=False, temperature=0.5)
                model = recorded(Model("provider/any", lm, server.openai_base), recorder, "proposer")
                assert model.lm("two words", temperature=0.7) == ["answer 1"]
                assert asyncio.run(model.lm.acall("two words", temperature=0.7)) == ["answer 1"]
                assert model.lm.copy(rollout_id=1)("two words") == ["answer 2"]
                spend = recorder.account.paid["proposer"]
    assert [body["temperature"] for body in server.bodies] == [0.7, 0.5]
    assert (spend.calls, spend.prompt_tokens, spend.completion_tokens, spend.uncounted) == (2, 4, 4, 0)
