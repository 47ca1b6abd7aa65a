"""What every optimizer does.

1. On the whole student it finds the instruction or the demonstration that helps, and the score on passages that it never
   saw rises. So it does on a student with one predictor.
2. It runs the student and asks the proposer no more often than its job allows.
3. The student given to it stays as it is, and so do, in what it gives back, the predictors that may not change. The
   result's state is whole, and is the same program once it went through JSON.
4. Of proposals that are empty, endless or copied from a passage, or that cannot be read, none reaches the student.
5. The same job with the same seed has the same result; how many run at once changes nothing.
6. It prints nothing, and leaves DSPy's and Optuna's logs as they were. It writes no pickle and no cache.
7. Where nothing helps, it gives back the student itself.
"""

import json
from pathlib import Path
from typing import Any

import dspy
import optuna
import pytest
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

from optimize.optimizers import OPTIMIZERS
from optimize.student import Student
from programs.compiled import program_fingerprint
from programs.tracer import Tracer
from tests.optimize.optimizers.tuning import (
    ANSWER,
    COPIED,
    DULL,
    ENDLESS,
    GOOD,
    MAGIC,
    STAGES,
    Replies,
    example,
    is_good,
    laboratory,
    runs_for,
    score,
    small_laboratory,
)

every = pytest.mark.parametrize("optimizer", OPTIMIZERS)
proposing = pytest.mark.parametrize("optimizer", ["optuna", "mipro", "copro", "simba", "gepa"])


def state(program: dspy.Module) -> Any:
    return json.loads(json.dumps(program.dump_state()))


def test_the_table_names_the_optimizers() -> None:
    assert set(OPTIMIZERS) == {"bootstrap", "random-search", "optuna", "mipro", "copro", "simba", "gepa"}


@every
def test_it_finds_what_helps(optimizer: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lab = laboratory(tmp_path, runs=runs_for(optimizer))
    before, original = lab.held_out(lab.job.student), state(lab.job.student)
    lab.brain.asked.clear()  # type: ignore[union-attr]
    optuna.logging.set_verbosity(optuna.logging.DEBUG)

    made = lab.compile(optimizer)

    assert lab.keeps_to_its_job()
    assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    assert DSPY_LOGGING_STREAM.enabled
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())

    assert before == pytest.approx((2 * 1.0 + 4 * 0.2) / 6)
    assert lab.held_out(made) == 1.0

    assert state(lab.job.student) == original
    found = state(made)
    assert list(found) == list(original) == list(STAGES)
    assert {name for name in STAGES if found[name]["signature"] != original[name]["signature"]} <= {ANSWER}
    assert {name for name in STAGES if found[name]["demos"]} <= {ANSWER}
    assert {name for name, predictor in made.named_predictors() if predictor.config} <= {ANSWER}
    again = Student(Tracer())
    again.load_state(found)
    for name, predictor in again.named_predictors():
        predictor.config = dict(made.named_predictors())[name].config
    assert program_fingerprint(again, "passage-first") == program_fingerprint(made, "passage-first")


@pytest.mark.parametrize("optimizer", ["mipro", "copro"])
def test_all_stages_may_change(optimizer: str, tmp_path: Path) -> None:
    lab = laboratory(tmp_path, tunable=STAGES)
    made = lab.compile(optimizer)
    assert lab.keeps_to_its_job()
    assert lab.held_out(made) == 1.0
    assert list(state(made)) == list(STAGES)


@every
def test_one_predictor_is_enough(optimizer: str, tmp_path: Path) -> None:
    results = []
    for number in (1, 2):
        lab = small_laboratory(tmp_path / str(number), concurrency=1, seed=0, runs=runs_for(optimizer))
        made = lab.compile(optimizer)
        assert lab.keeps_to_its_job()
        results.append((state(made), lab.runs, lab.proposals))
        assert list(results[-1][0]) == ["predict"]
        assert lab.held_out(made) == 1.0
    assert results[0] == results[1]


@proposing
def test_unfit_proposals_never_reach_the_student(optimizer: str, tmp_path: Path) -> None:
    # The brain raises on the unfit ones, which would end the compilation.
    texts = (ENDLESS, "", COPIED, "   ", DULL)
    lab = small_laboratory(tmp_path, lucky(), texts=texts, runs=runs_for(optimizer), concurrency=1)
    lab.compile(optimizer)
    assert lab.proposals
    assert lab.keeps_to_its_job()


def test_simba_learns_rules_from_runs_that_differ(tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, lucky(), texts=(MAGIC,), runs=120, threshold=2.0, concurrency=1)
    made = lab.compile("simba")
    instructions = made.predict.signature.instructions
    assert instructions.startswith("Reply to the text.")
    assert MAGIC in instructions
    assert not made.predict.demos
    told = "\n".join(message["content"] for message in lab.proposer.bodies[0]["messages"])
    assert "class Replier" in told
    assert "The answer should name the cause." in told
    assert "non-serializable" not in told


@pytest.mark.parametrize("optimizer", ["optuna", "gepa"])
def test_the_proposer_is_told_what_was_wrong_with_each_stage(optimizer: str, tmp_path: Path) -> None:
    def named(gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None) -> Any:
        if pred_name is not None:
            [(predictor, inputs, outputs)] = pred_trace
            assert list(outputs) == list(predictor.signature.output_fields)
            assert "passage" not in inputs
        return dspy.Prediction(score=score(gold, pred, trace), feedback=f"A word on {pred_name}.")

    stages = ("writer.trace", ANSWER)
    lab = laboratory(tmp_path, tunable=stages, feedback=named, runs=24)
    lab.compile(optimizer)
    told = [str(body["messages"]) for body in lab.proposer.bodies]
    for name in stages:
        assert any(f"A word on {name}." in text for text in told)
    assert not any("A word on None." in text for text in told)


@every
def test_one_example_each_will_do(optimizer: str, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, train=[example(3)], val=[example(4)], runs=12, texts=(MAGIC,))
    made = lab.compile(optimizer)
    assert lab.keeps_to_its_job()
    # These learn from what went wrong in training, and nothing did.
    assert lab.held_out(made) == 1.0 or (optimizer in ("gepa", "simba") and made is lab.job.student)


@pytest.mark.parametrize("optimizer", ["bootstrap", "random-search", "gepa"])
def test_how_many_run_at_once_changes_nothing(optimizer: str, tmp_path: Path) -> None:
    results = [state(small_laboratory(tmp_path, concurrency=number).compile(optimizer)) for number in (1, 8)]
    assert results[0] == results[1]


@every
def test_where_nothing_helps_the_student_comes_back(optimizer: str, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, texts=(DULL,), metric=lambda *_: 0.5, feedback=unmoved, threshold=0.1)
    assert lab.compile(optimizer) is lab.job.student
    assert lab.keeps_to_its_job()


def unmoved(*_: Any) -> dspy.Prediction:
    return dspy.Prediction(score=0.5, feedback="As always.")


def lucky() -> Replies:
    """A brain whose replies are good at every third try of the same prompt, so that runs differ."""
    times: dict[str, int] = {}

    def said(prompt: str) -> str:
        is_good(prompt)
        times[prompt] = times.get(prompt, 0) + 1
        return f"I say {GOOD} dust." if times[prompt] % 3 == 0 or MAGIC in prompt else "Who knows."

    return Replies(said)
