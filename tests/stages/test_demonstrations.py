"""Invariants of the stages of a compiled program.

1. A writing stage rejects a reply that copies words from a demonstration in its prompt, and names them. Without the
   demonstration it accepts the same reply.
2. Of a text's questions, only those that copy words are rejected.
3. Judges may word a verdict like an example.
"""

from typing import Any

import pytest

from optimize.stages import TUNABLE
from programs.asking.ask import Ask
from programs.background_loop import run_in_background
from programs.settings import TracerOptions
from programs.tracer import SampleOutcome, Tracer
from signatures.question_type import QUESTION_TYPES
from tests.builders import Answers, good_output, sample

SENTENCE = "The kelp forests of the northern coast lost nine tenths of their urchins after the storm"
PROBLEM = 'takes "the kelp forests of the northern coast lost nine tenths of their ..." from an example'
FIELDS = {"context": "reasoning_needed", "hypotheses": "statement", "evidence": "claim", "critique": "alternative"}
FIELDS |= {"perspective": "wants", "trace": "text", "answer": "text"}
"""A text field in the output of each stage, at any depth."""


def insert(value: Any, name: str) -> Any:
    """The value with the demonstration's sentence in the first text of this name."""
    if isinstance(value, list):
        return [insert(value[0], name), *value[1:]]
    if name in value:
        return {**value, name: f"{SENTENCE}, and so it goes on here as well, as far as one can see."}
    return {key: insert(part, name) if isinstance(part, dict | list) else part for key, part in value.items()}


def outcome_of(stage: str, demos: list[dict[str, Any]]) -> SampleOutcome:
    program = Tracer()
    dict(program.named_predictors())[TUNABLE[stage].predictor].demos = demos
    answers = Answers(**{stage: lambda ask: insert(good_output(ask), FIELDS[stage])})
    return run_in_background(program.generate(sample(), TracerOptions(), answers))


@pytest.mark.parametrize("stage", FIELDS)
def test_1_a_reply_that_copies_from_a_demonstration_is_rejected(stage: str) -> None:
    output = dict(Tracer().named_predictors())[TUNABLE[stage].predictor].signature.output_fields
    demo = {"question": "What became of the coast?", next(iter(output)): {"said": [f"{SENTENCE}."]}}
    (variation,) = outcome_of(stage, [demo]).variations
    assert variation.failure is not None
    assert variation.failure.stage == stage
    assert PROBLEM in str(variation.failure)
    (variation,) = outcome_of(stage, []).variations
    assert variation.failure is None
    assert variation.status == "accepted"


def test_2_only_the_questions_that_copy_are_rejected() -> None:
    program = Tracer()
    program.questions.predict.demos = [{"draft": {"question": f"{SENTENCE}, but why?"}}]

    def copies_in_one(ask: Ask) -> Any:
        text = f"{SENTENCE}: what does a scatter of 9 percent in lensing measurements tell us about that?"
        return {**good_output(ask), "question": text} if ask.key.endswith("/critical") else good_output(ask)

    pool = run_in_background(
        program.generate(sample(), TracerOptions(traces_per_sample=7), Answers(questions=copies_in_one))
    ).pool
    assert pool is not None
    (rejected,) = pool.rejected
    assert rejected.type == "critical"
    assert PROBLEM in rejected.rejection.detail
    assert len(pool.questions) == len(QUESTION_TYPES) - 1
