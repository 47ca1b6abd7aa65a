"""What tuning changes of a predictor, as plain data: compared, stored, and put into a copy of the student."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import dspy
from pydantic import BaseModel

from programs.asking.tries import RETRY_INPUTS

HIDDEN_INPUTS = ("passage", *RETRY_INPUTS)
"""Inputs that no demonstration shows: the prompt leaves another text's passage out, and an earlier try and what was wrong
with it say nothing about a good one."""

Demo = dict[str, Any]
"""A demonstration: values of a predictor's fields as JSON holds them."""


class Tuned(BaseModel):
    """The changeable part of a predictor. `temperature` None leaves it to the plan or the model."""

    instructions: str
    demos: list[Demo]
    temperature: float | None = None


State = dict[str, Tuned]
"""Tuned parts by the name of their predictor."""


def state_of(program: dspy.Module, names: tuple[str, ...]) -> State:
    """The tuned parts of the predictors called `names`. Raises `ValueError` for a name that the program has not."""
    predictors = dict(program.named_predictors())
    unknown = [name for name in names if name not in predictors]
    if unknown:
        raise ValueError(f"the program has no predictors {', '.join(unknown)}; it has {', '.join(predictors)}")
    return {name: tuned_part(predictors[name]) for name in names}


def tuned_part(predictor: dspy.Predict) -> Tuned:
    """The part of one predictor; the same demonstration only once."""
    return Tuned(
        instructions=predictor.signature.instructions,
        demos=unique(map(plain_demo, predictor.demos)),
        temperature=predictor.config.get("temperature"),
    )


def changed_copy(student: dspy.Module, state: Mapping[str, Tuned]) -> dspy.Module:
    """A copy of the student with these parts; all else is the student's, also its field names and prefixes."""
    copy = student.deepcopy()
    for name, predictor in copy.named_predictors():
        if name in state and state[name] != tuned_part(predictor):
            put(predictor, state[name])
    return copy


def put(predictor: dspy.Predict, part: Tuned) -> None:
    """Gives a predictor these instructions, demonstrations and temperature."""
    predictor.signature = predictor.signature.with_instructions(part.instructions)
    predictor.demos = [dict(demo) for demo in part.demos]
    config = {key: value for key, value in predictor.config.items() if key != "temperature"}
    predictor.config = config if part.temperature is None else {**config, "temperature": part.temperature}


def plain_demo(demo: Any) -> Demo:
    """A demonstration as a saved program holds it, without hidden inputs and DSPy's own marks."""
    shown = {
        name: value
        for name, value in demo.items()
        if name not in HIDDEN_INPUTS and name != "augmented" and not name.startswith("dspy_")
    }
    return dict(plain(shown))


def unique(demos: Iterable[Demo]) -> list[Demo]:
    """The demonstrations, in order, each once."""
    return list({json.dumps(demo, sort_keys=True): demo for demo in demos}.values())


def plain(value: Any) -> Any:
    """A value as JSON holds it; models are dumped, anything else that JSON does not know is written out."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
