"""Asking a proposer for other instructions of a predictor, from how the present ones did."""

import json
from typing import Any

import dspy

from optimize.optimizers.harvest import Harvest
from optimize.optimizers.session import Session
from optimize.optimizers.tuned import plain
from programs.asking.json_schema import form_of, outputs_of, schema_of
from signatures.improve_instruction import ImproveInstruction

SHOWN_CHARACTERS = 1500
"""Of an input or output, so many are shown."""

_WORST = 3
"""How many of the examples that did worst are shown."""


def instructions_for(session: Session, name: str, found: Harvest, count: int) -> list[str]:
    """Up to `count` different instructions for a predictor, none of them its present one, by as many calls."""
    predictor = dict(session.bench.named_predictors())[name]
    signature = predictor.signature
    known = [signature.instructions]
    ask = dspy.Predict(ImproveInstruction)
    examples = _examples(session, name, found)
    for number in range(count):
        proposed = ask(
            step=_fields(signature),
            current_instruction=signature.instructions,
            examples=examples,
            earlier_proposals=known[1:],
            lm=session.job.proposer,
            config={"temperature": 1.0, "rollout_id": number},
        )
        text = proposed.instruction.strip()
        known += [] if text in known else [text]
    return known[1:]


def _fields(signature: Any) -> str:
    """The inputs with their descriptions, and the form of the output with those of all that stands in it."""
    inputs = [f"input {name}: {info.json_schema_extra['desc']}" for name, info in signature.input_fields.items()]
    return "\n".join([*inputs, f"output: {form_of(schema_of(outputs_of(signature)))}"])


def _examples(session: Session, name: str, found: Harvest) -> str:
    """The tried examples that did worst, with what was said of them."""
    scored = sorted(found.tried, key=lambda example: session.score(session.bench, example))
    return "\n\n".join(text for example in scored[:_WORST] if (text := _example(session, name, example)))


def _example(session: Session, name: str, example: dspy.Example) -> str:
    step = next((step for step in session.steps(example) if step.predictor == name), None)
    if step is None:
        return ""
    said = session.words(example, step)
    given, replied = _short(step.inputs), _short(dict(step.outputs))
    return f"given: {given}\nreplied: {replied}\nscore {said.score:.2f}: {said.feedback}"


def _short(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
