"""Invariants of `programs.compiled`: equal exactly when equal prompts are sent.

1. The same program has the same fingerprint, in every process and after saving and loading.
2. Another instruction, demonstration, order of demonstrations, field, order of fields, description, bound or prompt
   order has another.
3. What shapes no prompt (an LM, traces, a copy) changes nothing.
"""

from collections.abc import Callable
from typing import Annotated, Any

import dspy
import pytest
from pydantic import BaseModel, Field

from programs.compiled import program_fingerprint
from programs.tracer import Tracer, load_tracer
from signatures.answer import FinalAnswer, WriteAnswer
from signatures.thought import EvidenceClaim
from tests.lab import python
from tests.making import thought


def of(tracer: Tracer) -> str:
    return program_fingerprint(tracer)


def demos() -> list[Any]:
    claim = EvidenceClaim(claim="a claim", bearing="supports")
    return [dspy.Example(question="Why?", evidence=[claim], thought=thought()), dspy.Example(question="How?")]


def test_the_same_program_has_the_same_fingerprint() -> None:
    assert of(Tracer()) == of(Tracer()) == of(load_tracer())
    assert len(of(Tracer())) == 16


def test_it_is_the_same_in_every_process() -> None:
    code = (
        "from programs.compiled import program_fingerprint as f; from programs.tracer import Tracer\nprint(f(Tracer()))"
    )
    assert python("-c", code).strip() == of(Tracer())


def instruct(tracer: Tracer) -> None:
    tracer.judge.predict.signature = tracer.judge.predict.signature.with_instructions("Be mild.")


def demonstrate(tracer: Tracer) -> None:
    tracer.writer.trace.demos = demos()


def demonstrate_otherwise(tracer: Tracer) -> None:
    tracer.writer.trace.demos = demos()[::-1]


def describe(tracer: Tracer) -> None:
    tracer.writer.answer.signature = WriteAnswer.with_updated_fields("thought", desc="what was thought")


def another_type(tracer: Tracer) -> None:
    class Longer(BaseModel):
        text: Annotated[str, Field(min_length=40, max_length=1901)]

    Longer.__name__ = FinalAnswer.__name__
    Longer.__qualname__ = FinalAnswer.__qualname__
    Longer.__module__ = FinalAnswer.__module__
    tracer.writer.answer.signature = WriteAnswer.with_updated_fields("answer", type_=Longer)


def reorder(tracer: Tracer) -> None:
    signature = WriteAnswer.delete("asked_by")
    tracer.writer.answer.signature = signature.insert(0, "asked_by", WriteAnswer.fields["asked_by"], str)


CHANGES = [instruct, demonstrate, demonstrate_otherwise, describe, another_type, reorder]


def changed_by(change: Callable[[Tracer], None]) -> str:
    tracer = Tracer()
    change(tracer)
    return of(tracer)


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_prompt_changes_the_fingerprint(change: Callable[[Tracer], None]) -> None:
    assert changed_by(change) != of(Tracer())


def test_what_shapes_no_prompt_changes_nothing() -> None:
    tracer = Tracer()
    tracer.writer.trace.lm = dspy.LM("openai/any")
    tracer.writer.trace.traces = [1]
    assert of(tracer) == of(Tracer())
    assert of(Tracer().deepcopy()) == of(Tracer())
