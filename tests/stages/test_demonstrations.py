"""Invariants of the stages of a compiled program.

1. What a stage that writes takes word for word from a demonstration in its prompt is refused, and named; without the
   demonstration the same reply is taken.
2. Of the questions only those that take something are refused.
3. Judges may put a verdict into an example's words.
"""

from typing import Any

import pytest

from optimize.stages import STAGES
from programs.asking.ask import Ask
from programs.background_loop import run
from programs.settings import TracerOptions
from programs.tracer import SampleOutcome, Tracer
from signatures.question_type import QUESTION_TYPES
from tests.making import Answers, good_output, sample

FOREIGN = "The kelp forests of the northern coast lost nine tenths of their urchins after the storm"
TAKEN = 'takes "the kelp forests of the northern coast lost nine tenths of their ..." from an example'
REPLACED = {"context": "reasoning_needed", "hypotheses": "statement", "evidence": "claim", "critique": "alternative"}
REPLACED |= {"perspective": "wants", "trace": "text", "answer": "text"}
"""A text of each stage's output, by its name wherever it stands."""


def replaced(value: Any, name: str) -> Any:
    """The value with the foreign sentence in the first text of this name."""
    if isinstance(value, list):
        return [replaced(value[0], name), *value[1:]]
    if name in value:
        return {**value, name: f"{FOREIGN}, and so it goes on here as well, as far as one can see."}
    return {key: replaced(part, name) if isinstance(part, dict | list) else part for key, part in value.items()}


def made(stage: str, demos: list[dict[str, Any]]) -> SampleOutcome:
    program = Tracer()
    dict(program.named_predictors())[STAGES[stage].predictor].demos = demos
    answers = Answers(**{stage: lambda ask: replaced(good_output(ask), REPLACED[stage])})
    return run(program.generate(sample(), TracerOptions(), answers))


@pytest.mark.parametrize("stage", REPLACED)
def test_1_what_is_taken_from_a_demonstration_is_refused(stage: str) -> None:
    output = dict(Tracer().named_predictors())[STAGES[stage].predictor].signature.output_fields
    demo = {"question": "What became of the coast?", next(iter(output)): {"said": [f"{FOREIGN}."]}}
    (unit,) = made(stage, [demo]).variations
    assert unit.failure is not None
    assert unit.failure.stage == stage
    assert TAKEN in str(unit.failure)
    (unit,) = made(stage, []).variations
    assert unit.failure is None
    assert unit.status == "accepted"


def test_2_of_the_questions_those_that_take_something() -> None:
    program = Tracer()
    program.questions.predict.demos = [{"draft": {"question": f"{FOREIGN}, but why?"}}]

    def asked(ask: Ask) -> Any:
        said = f"{FOREIGN}: what does a scatter of 9 percent in lensing measurements tell us about that?"
        return {**good_output(ask), "question": said} if ask.key.endswith("/critical") else good_output(ask)

    pool = run(program.generate(sample(), TracerOptions(traces_per_sample=7), Answers(questions=asked))).pool
    assert pool is not None
    (rejected,) = pool.rejected
    assert rejected.type == "critical"
    assert TAKEN in rejected.rejection.detail
    assert len(pool.questions) == len(QUESTION_TYPES) - 1
