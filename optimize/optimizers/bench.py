"""The student as DSPy's optimizers are shown it, every run made once; and what tuning changes of it, as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dspy
from pydantic import BaseModel

from programs.asking.caller import RETRY_INPUTS


@dataclass(frozen=True)
class Step:
    """What one predictor was given and gave in a run."""

    predictor: str
    inputs: dict[str, Any]
    outputs: dspy.Prediction


@dataclass(frozen=True)
class Run:
    """What a program made of its inputs, and the steps on the way."""

    prediction: dspy.Prediction
    steps: tuple[Step, ...]


class Bench(dspy.Module):
    """A program under test. DSPy finds the tunable predictors in it, by their own names, and no others; it may copy it,
    change those predictors, give them another LM and run it. `run` makes a run of a bench, or remembers it; copies share
    it."""

    def __init__(
        self, program: dspy.Module, tunable: tuple[str, ...], run: Callable[[Bench, dict[str, Any]], Run]
    ) -> None:
        super().__init__()
        self.program = program
        self.tunable = tunable
        self._run = run

    def named_parameters(self) -> list[tuple[str, Any]]:
        every = dict(self.program.named_parameters())
        return [(name, every[name]) for name in self.tunable]

    def forward(self, **inputs: Any) -> dspy.Prediction:
        """Raises what the program raises, and `Halted` when the compilation is over."""
        run = self._run(self, inputs)
        if dspy.settings.trace is not None:
            predictors = dict(self.program.named_predictors())
            # DSPy's optimizers write into the inputs that they find in a trace.
            dspy.settings.trace.extend((predictors[s.predictor], dict(s.inputs), s.outputs) for s in run.steps)
        return run.prediction

    def key(self, inputs: dict[str, Any]) -> str:
        """Equal keys: the same program, asked of the same models in the same way, with the same inputs."""
        state = {name: part.model_dump() for name, part in state_of(self.program, self.tunable).items()}
        models = [predictor.lm for predictor in self.predictors()]
        asked = [lm and [lm.model, lm.kwargs] for lm in models]
        return json.dumps(plain([state, asked, inputs]), sort_keys=True)

    def made(self, inputs: dict[str, Any]) -> Run:
        """Runs the program."""
        names = {id(predictor): name for name, predictor in self.program.named_predictors()}
        with dspy.context(trace=[]):
            prediction = self.program(**inputs)
            trace = dspy.settings.trace
        return Run(prediction, _last_tries([(names[id(one)], given, made) for one, given, made in trace]))


def _last_tries(trace: list[tuple[str, dict[str, Any], dspy.Prediction]]) -> tuple[Step, ...]:
    """Of a stage that was asked again because its reply failed a check, only the last try counts: DSPy would make
    demonstrations of the rejected ones too."""
    steps: dict[str, Step] = {}
    for name, given, made in trace:
        shown = {field: value for field, value in given.items() if field not in HIDDEN_INPUTS}
        asked = {field: value for field, value in given.items() if field not in RETRY_INPUTS}
        steps[json.dumps([name, plain(asked)], sort_keys=True)] = Step(name, shown, made)
    return tuple(steps.values())


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
