"""Invariants of `programs.compiled`: equal exactly when equal prompts are sent.

1. The same program has the same fingerprint, in every process and after saving and loading.
2. Another instruction, demonstration, order of demonstrations, field, order of fields, description, bound or prompt
   order has another.
3. What shapes no prompt (an LM, traces, a copy) changes nothing.
"""

from typing import Annotated, Any

import dspy
from pydantic import BaseModel, Field

from programs.compiled import program_fingerprint as of
from programs.tracer import Tracer, load_tracer
from signatures.answer import FinalAnswer, WriteAnswer
from signatures.thought import EvidenceClaim
from tests.lab import python
from tests.making import thought


def demos() -> list[Any]:
    claim = EvidenceClaim(claim="a claim", bearing="supports")
    return [dspy.Example(question="Why?", evidence=[claim], thought=thought()), dspy.Example(question="How?")]


def test_the_same_program_has_the_same_fingerprint_in_every_process() -> None:
    assert of(Tracer()) == of(load_tracer())
    assert len(of(Tracer())) == 16
    code = (
        "from programs.compiled import program_fingerprint as f; from programs.tracer import Tracer\nprint(f(Tracer()))"
    )
    assert python("-c", code).strip() == of(Tracer())


class Longer(BaseModel):
    """An answer of the same fields, with other bounds."""

    text: Annotated[str, Field(min_length=40, max_length=1901)]


Longer.__name__, Longer.__qualname__, Longer.__module__ = "FinalAnswer", "FinalAnswer", FinalAnswer.__module__

FIRST = WriteAnswer.delete("asked_by").insert(0, "asked_by", WriteAnswer.fields["asked_by"], str)
CHANGES: dict[str, dict[str, Any]] = {
    "instructed": {"signature": WriteAnswer.with_instructions("Be mild.")},
    "demonstrated": {"demos": demos()},
    "demonstrated otherwise": {"demos": demos()[::-1]},
    "described": {"signature": WriteAnswer.with_updated_fields("thought", desc="what was thought")},
    "of another type": {"signature": WriteAnswer.with_updated_fields("answer", type_=Longer)},
    "reordered": {"signature": FIRST},
}


def test_what_changes_a_prompt_changes_the_fingerprint() -> None:
    found = {"plain": of(Tracer())}
    for name, change in CHANGES.items():
        tracer = Tracer()
        vars(tracer.writer.answer).update(change)
        found[name] = of(tracer)
    assert len({*found.values()}) == len(found), found


def test_what_shapes_no_prompt_changes_nothing() -> None:
    tracer = Tracer()
    tracer.writer.trace.lm = dspy.LM("openai/any")
    tracer.writer.trace.traces = [1]
    assert of(tracer) == of(Tracer())
    assert of(Tracer().deepcopy()) == of(Tracer())
