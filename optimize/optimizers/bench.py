"""The student as DSPy's optimizers are shown it: only the predictors that may change, and every run made once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy

from optimize.optimizers.tuned import HIDDEN_INPUTS, plain, state_of
from programs.asking.tries import RETRY_INPUTS


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
