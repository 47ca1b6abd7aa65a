"""What the copies of a student share.

1. A program runs once on the same inputs, also when several threads ask at once, and when DSPy takes it for lost and
   starts it again; another instruction, demonstration or rollout is another program.
2. What a run put into DSPy's trace it puts there again when it is remembered.
3. A metric is computed once for an example and its prediction.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dspy
import pytest
from dspy.evaluate import evaluate
from dspy.utils.parallelizer import ParallelExecutor

from optimize.optimizers.bench import Bench
from optimize.optimizers.session import Once, Session, compiling
from tests.optimize.optimizers.tuning import MAGIC, Lab, Replies, example, score, small_laboratory


@contextmanager
def session_of(lab: Lab) -> Iterator[Session]:
    with lab.configured(), compiling(lab.job) as session:
        yield session


def test_a_program_runs_once_on_the_same_inputs(tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path)
    with session_of(lab) as session:
        copy = session.bench.deepcopy()
        for bench in (session.bench, copy, copy.reset_copy()):
            bench(text=example(1).text)
        assert lab.runs == session.runs == 1

        copy.predictors()[0].signature = copy.predictors()[0].signature.with_instructions(MAGIC)
        copy(text=example(1).text)
        assert lab.runs == 2
        copy.predictors()[0].demos = [{"reply": "no"}]
        copy(text=example(1).text)
        assert lab.runs == 3
        copy.set_lm(dspy.settings.lm.copy(rollout_id=1, temperature=1.0))
        copy(text=example(1).text)
        assert lab.runs == 4
        session.bench(text=example(2).text)
        assert lab.runs == session.runs == 5


def test_a_remembered_run_leaves_its_trace_again(tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path)
    traces = []
    with session_of(lab) as session:
        for bench in (session.bench, session.bench.deepcopy()):
            with dspy.context(trace=[]):
                bench(text=example(3).text)
                traces.append(dspy.settings.trace)
                assert [step[0] for step in traces[-1]] == bench.predictors()
    assert [dict(step[2]) for step in traces[0]] == [dict(step[2]) for step in traces[1]]


def test_a_run_taken_for_lost_is_not_paid_for_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    begun: list[ParallelExecutor] = []

    class Impatient(ParallelExecutor):
        def __init__(self, **options: object) -> None:
            super().__init__(**options, timeout=1e-9)
            begun.append(self)

    def said(prompt: str) -> str:
        if "Catalogue 0 " in prompt:
            assert release.wait(30)
        return "Who knows."

    waiting = 0

    def counted(bench: Bench, text: str) -> dspy.Prediction:
        nonlocal waiting
        waiting += text == example(0).text
        if waiting >= 2:
            release.set()
        return bench(text=text)

    monkeypatch.setattr(evaluate, "ParallelExecutor", Impatient)
    brain = Replies(said)
    lab = small_laboratory(tmp_path, brain, concurrency=4)
    # The fake answers one call after another; this one must not hold up the others.
    monkeypatch.setattr(lab.engine, "_lock", threading.Semaphore(4))
    with session_of(lab) as session:
        examples = [example(number) for number in range(3)]
        evaluating = dspy.Evaluate(devset=examples, metric=session.metric, num_threads=4)
        result = evaluating(lambda text, **_: counted(session.bench, text))
    assert begun
    assert waiting >= 2, "DSPy did not start the slow run again: this test tests nothing"
    assert len(result.results) == 3
    assert brain.asked == session.runs == 3


def test_a_metric_is_computed_once(tmp_path: Path) -> None:
    measured = []

    def metric(one: dspy.Example, made: dspy.Prediction, trace: object = None) -> float:
        measured.append(one.text)
        return score(one, made, trace)

    lab = small_laboratory(tmp_path, metric=metric)
    with session_of(lab) as session:
        for _ in range(3):
            session.mean(session.bench, lab.job.val)
    assert sorted(measured) == sorted(one.text for one in lab.job.val)


def test_errors_are_remembered_too() -> None:
    once, made = Once(), []

    def broken() -> None:
        made.append(1)
        raise RuntimeError("broken")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            once("key", broken)
    assert made == [1]
    assert once("other", lambda: 2) == 2
