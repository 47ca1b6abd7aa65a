"""The judge as a program that optimizers may change: one answer goes in, one judge's verdict comes out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dspy

from programs.asking.ask import Ask
from programs.asking.caller import AwaitedModule, Caller, TryRules
from programs.inputs.sample import content_id
from programs.judges.labels import judge_inputs
from programs.lms.resolve import Model
from programs.stages.judge import JUDGE_TEMPERATURE, JudgeStage, verdict_of

PREDICTOR = "judge.predict"
"""The judges' predictor, here and in the `Tracer`."""


class JudgeStudent(AwaitedModule):
    """Asks one of several judges, who share one prompt, about an answer. `judges` are the models by name; they are not
    copied with the module.

    Its predictor has the name that it has in the `Tracer`. A judge that gives nothing readable is an outcome, not an
    error: the verdict is then unscored.
    """

    def __init__(self, judge: JudgeStage, judges: Mapping[str, Model], rules: TryRules | None = None) -> None:
        super().__init__()
        self.judge = judge
        self._caller = Caller(_model_of(judges), rules, strict=True)

    async def aforward(
        self, passage: str, question: str, answer: str, judge: str, thought: str | None = None, **_: Any
    ) -> dspy.Prediction:
        """Gives a Prediction with `verdict` (a `Verdict`). Raises `BackendError` when the judge cannot be reached or
        refuses."""
        inputs = judge_inputs(passage, question, answer, thought)
        name = content_id("\0".join((passage, question, answer, *([thought] if thought else []))))
        # Optimizers that want another answer to the same request put an LM into the predictor.
        temperature = JUDGE_TEMPERATURE if self.judge.predict.lm is None else None
        ask = self.judge.ask_about(inputs, name, judge, temperature)
        return dspy.Prediction(verdict=verdict_of(ask, await self._caller.answer(ask)))


def _model_of(judges: Mapping[str, Model]) -> Any:
    def model_of(ask: Ask) -> Model:
        model, sampler = judges[ask.judge or ""], ask.predict.lm
        if sampler is None:
            return model
        # Of the optimizer's LM only what makes the answer another one is taken: which model answers is ours to say.
        wanted = ("rollout_id", "temperature") if model.takes_sampling else ("rollout_id",)
        options = {name: sampler.kwargs[name] for name in wanted if name in sampler.kwargs}
        return replace(model, lm=model.lm.copy(**options))

    return model_of
