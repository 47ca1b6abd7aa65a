"""Invariants of `programs.compiled`: two programs have the same fingerprint exactly if they send the same prompts.

1. The same program has the same fingerprint in every process, and after saving and loading.
2. A change of an instruction, the demonstrations or their order, the fields or their order, a description, a bound or the
   prompt order changes the fingerprint.
3. Changes that do not affect the prompts (an LM, traces, copying) do not change the fingerprint.
"""

from typing import Any

import dspy

from programs.compiled import program_fingerprint as fingerprint
from programs.tracer import Tracer, load_tracer
from signatures.answer import FinalAnswer, WriteAnswer
from signatures.prompt import characters
from tests.builders import thought
from tests.lab import run_python


def example_demos() -> list[Any]:
    return [dspy.Example(question="Why?", evidence=["a claim"], thought=thought()), dspy.Example(question="How?")]


def test_the_same_program_has_the_same_fingerprint_in_every_process() -> None:
    assert fingerprint(Tracer()) == fingerprint(load_tracer())
    assert len(fingerprint(Tracer())) == 16
    code = (
        "from programs.compiled import program_fingerprint as f; from programs.tracer import Tracer\nprint(f(Tracer()))"
    )
    assert run_python("-c", code).strip() == fingerprint(Tracer())


class Longer(FinalAnswer):
    """Differs from `FinalAnswer`, whose name it gets, in one bound."""

    text: str = characters(40, 1901, str(FinalAnswer.model_fields["text"].description))


Longer.__name__, Longer.__qualname__, Longer.__module__ = "FinalAnswer", "FinalAnswer", FinalAnswer.__module__
Longer.__doc__ = FinalAnswer.__doc__

REORDERED = WriteAnswer.delete("asked_by").insert(0, "asked_by", WriteAnswer.fields["asked_by"], str)
CHANGES: dict[str, dict[str, Any]] = {
    "instructed": {"signature": WriteAnswer.with_instructions("Be mild.")},
    "demonstrated": {"demos": example_demos()},
    "demonstrated otherwise": {"demos": example_demos()[::-1]},
    "described": {"signature": WriteAnswer.with_updated_fields("thought", desc="what was thought")},
    "of another type": {"signature": WriteAnswer.with_updated_fields("answer", type_=Longer)},
    "reordered": {"signature": REORDERED},
}


def test_a_change_of_the_prompts_changes_the_fingerprint() -> None:
    fingerprints = {"plain": fingerprint(Tracer())}
    for name, change in CHANGES.items():
        tracer = Tracer()
        vars(tracer.writer.answer).update(change)
        fingerprints[name] = fingerprint(tracer)
    assert len({*fingerprints.values()}) == len(fingerprints), fingerprints


def test_a_change_that_does_not_affect_prompts_keeps_the_fingerprint() -> None:
    tracer = Tracer()
    tracer.writer.trace.lm = dspy.LM("openai/any")
    tracer.writer.trace.traces = [1]
    assert fingerprint(tracer) == fingerprint(Tracer())
    assert fingerprint(Tracer().deepcopy()) == fingerprint(Tracer())
