"""The demonstrations that optimizers choose.

1. They come from runs at or above the threshold, and from training examples alone.
2. They hold no passage and no feedback, and stand in the prompt as DSPy's own would.
3. A try that the stage's check rejected is never one, though the run it belongs to scored well.
4. There are few.
"""

import json
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.optimizers.bench import plain_demo, put, state_of, tuned_part
from optimize.optimizers.session import MOST_DEMOS
from programs.asking.adapter import PassageFirstAdapter
from programs.tracer import Tracer
from signatures.prompt import EXAMPLE
from tests.lab import passage
from tests.making import inputs_of_every_stage, thought
from tests.optimize.optimizers.tuning import (
    ANSWER,
    DULL,
    EASY,
    GOOD,
    MAGIC,
    STAGES,
    example,
    is_good,
    laboratory,
    runs_for,
    small_laboratory,
    write_answer,
)
from tests.standin.scientist import Asked

demonstrating = pytest.mark.parametrize("optimizer", ["bootstrap", "random-search", "optuna", "mipro", "simba"])
HARD = [number for number in range(100) if number % EASY]


@demonstrating
def test_only_good_runs_are_shown(optimizer: str, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, texts=(DULL,), runs=runs_for(optimizer))
    demos = lab.compile(optimizer).predict.demos
    assert 0 < len(demos) <= MOST_DEMOS
    for demo in demos:
        assert set(demo) == {"reply"}
        assert GOOD in demo["reply"]


@demonstrating
def test_a_threshold_that_none_reaches_leaves_no_demonstrations(optimizer: str, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, texts=(DULL,), runs=runs_for(optimizer), threshold=1.1)
    made = lab.compile(optimizer)
    assert not made.predict.demos
    assert lab.keeps_to_its_job()


@demonstrating
def test_validation_examples_are_never_shown(optimizer: str, tmp_path: Path) -> None:
    easy = [example(number) for number in range(30, 60, EASY)]
    lab = small_laboratory(
        tmp_path, texts=(DULL,), runs=runs_for(optimizer), train=[example(n) for n in HARD[:9]], val=easy
    )
    assert not lab.compile(optimizer).predict.demos


@pytest.mark.parametrize("optimizer", ["bootstrap", "mipro"])
def test_they_hold_no_passage(optimizer: str, tmp_path: Path) -> None:
    lab = laboratory(tmp_path, tunable=STAGES, texts=(DULL,))
    made = lab.compile(optimizer)
    shown = {name: predictor.demos for name, predictor in made.named_predictors()}
    assert all(len(demos) <= MOST_DEMOS for demos in shown.values())
    assert shown[ANSWER]
    written = json.dumps(shown)
    for number in range(20):
        assert passage(number)[:200] not in written  # a single sentence may be quoted as evidence
    assert '"passage"' not in written
    assert "[1] " not in written
    assert '"augmented"' not in written


def test_rejected_tries_are_not_shown(tmp_path: Path) -> None:
    def twice(asked: Asked) -> dict[str, Any]:
        is_good(asked.text)
        if "[[ ## feedback ## ]]" in asked.text:
            return write_answer(asked)
        return {"text": f"As the authors of this paper say, {GOOD} the {asked.word(1)} in table 3 (n {asked.nonce})."}

    for seed in range(2):
        lab = laboratory(tmp_path, stages={"answer": twice}, seed=seed)
        demos = dict(lab.compile("bootstrap").named_predictors())[ANSWER].demos
        assert len(demos) == 1
        assert "paper" not in demos[0]["answer"]["text"]
        assert "feedback" not in demos[0]


def test_a_demonstration_reads_as_dspys_own() -> None:
    """DSPy keeps the models of pydantic that a stage exchanges; here they are the JSON that a saved program holds."""
    predictor = Tracer().writer.trace
    given = inputs_of_every_stage()
    inputs = {name: given[name] for name in predictor.signature.input_fields if name in given}
    whole = dspy.Example(augmented=True, feedback="- mend it", thought=thought(), **inputs)
    adapter = PassageFirstAdapter()

    def shown(demo: Any) -> str:
        return str(adapter.format(predictor.signature, [demo], inputs)[1]["content"].partition(EXAMPLE)[2])

    assert shown(plain_demo(whole)) == shown(dspy.Example(thought=thought(), **inputs))
    assert "passage" not in plain_demo(whole)


def test_a_state_is_put_as_it_was_taken() -> None:
    predictor = dspy.Predict("question -> reply")
    predictor.demos = [dspy.Example(question="a", reply="b"), {"question": "a", "reply": "b"}]
    predictor.config = {"temperature": 0.2, "max_tokens": 5}
    part = tuned_part(predictor)
    assert part.demos == [{"question": "a", "reply": "b"}]
    assert part.temperature == 0.2
    put(predictor, part.model_copy(update={"instructions": MAGIC, "temperature": None}))
    assert predictor.signature.instructions == MAGIC
    assert predictor.config == {"max_tokens": 5}
    assert state_of(predictor, ("self",))["self"].temperature is None
