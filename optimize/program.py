"""A program as optimizers are shown it, such as the one that makes a trace; and what they change of it, as plain data."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import dspy
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from optimize.recording import Recorder
from optimize.stages import STAGES, Asked
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.caller import AwaitedModule, Caller, TryRules
from programs.asking.reply import Reply
from programs.inputs.sample import sample_of
from programs.settings import TracerOptions
from programs.tracer import Tracer
from signatures.prompt import RETRY_INPUTS

Program = TypeVar("Program", bound=dspy.Module)


class Tunable(AwaitedModule):
    """A program as optimizers are shown it: they find the predictors `tunable` in it, and no others.

    In DSPy's trace, from which demonstrations are made, it leaves the last try of each tunable predictor as JSON, without
    the passage and without the inputs of a further try. A bad reply is an outcome; an error ends the compilation
    (`Recorder.watching`). Its adapter is its own, whatever DSPy is configured with.
    """

    def __init__(self, tunable: tuple[str, ...], recorder: Recorder) -> None:
        super().__init__()
        self.tunable, self._recorder = tunable, recorder

    def named_parameters(self) -> list[tuple[str, Any]]:
        every = dict(super().named_parameters())
        return [(name, every[name]) for name in self.tunable]

    def forward(self, *args: Any, **inputs: Any) -> dspy.Prediction:
        """As `aforward`, without awaiting."""
        with self._recorder.watching():
            with dspy.context(trace=[], adapter=PassageFirstAdapter()):
                prediction = super().forward(*args, **inputs)
                steps = dspy.settings.trace
            if dspy.settings.trace is not None:
                dspy.settings.trace.extend(self._last_tries(steps))
            return prediction

    def _last_tries(self, steps: list[Any]) -> list[Any]:
        found, tunable = dict[str, Any](), {id(predictor) for predictor in self.predictors()}
        for predictor, given, made in steps:
            if id(predictor) in tunable:
                asked = {name: value for name, value in plain(dict(given)).items() if name not in RETRY_INPUTS}
                # A prompt leaves another text's passage out.
                shown = {name: value for name, value in asked.items() if name != "passage"}
                made = dspy.Prediction(**plain(dict(made)))
                found[json.dumps([id(predictor), asked], sort_keys=True)] = (predictor, shown, made)
        return list(found.values())


class Student(Tunable):
    """Makes one trace of a text with the LM that DSPy is configured with; with `until`, goes no further than that stage.
    `options` are what the LM may be sent (`programs.lms.resolve.Model.options`). Its predictors have the names that they
    have in the `Tracer`. A stage that gives nothing is an outcome, not an error: no variation is then accepted."""

    def __init__(
        self,
        tracer: Tracer,
        tunable: tuple[str, ...],
        recorder: Recorder,
        options: frozenset[str],
        rules: TryRules,
        until: str | None = None,
    ) -> None:
        super().__init__(tunable, recorder)
        self.questions, self.strands, self.writer = tracer.questions, tracer.strands, tracer.writer
        self._caller = Caller(rules=rules, options=options, strict=True)
        self._until = until

    async def aforward(self, text: str, title: str | None = None, domain: str | None = None) -> dspy.Prediction:
        """Gives a Prediction with `asked` (an `Asked` by stage), `variations` (a list of `Variation`, empty without
        questions) and `failures` (a list of `StageFailed`). Raises `BackendError` when the model cannot be reached."""
        asked: dict[str, Asked] = {}

        async def answer(ask: Ask) -> Reply:
            beyond = self._until is not None and ask.stage != self._until and ask.depth >= STAGES[self._until].depth
            # Where the first question is of no use, so is the try.
            if beyond or ask.stage in asked:
                earlier = [] if beyond else asked[ask.stage].reply.problems
                return Reply(status="unread", problems=earlier or ["not wanted"])
            asked[ask.stage] = Asked(ask, await self._caller.answer(ask))
            return asked[ask.stage].reply

        tracer = Tracer(self.questions, self.strands, self.writer)
        made = await tracer.made(sample_of(text, title=title, domain=domain), TracerOptions(), answer)
        failures = filter(None, [made.failure, *(variation.failure for variation in made.variations)])
        return dspy.Prediction(asked=asked, variations=made.variations, failures=list(failures))


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return to_jsonable_python(value, fallback=str)


class Tuned(BaseModel):
    """The changeable part of a predictor, as JSON holds it. `temperature` None leaves that to the plan or the model."""

    instructions: str
    demos: list[dict[str, Any]]
    temperature: float | None = None


def tuned_parts(program: dspy.Module) -> dict[str, Tuned]:
    """The changeable parts of a program's predictors, by name."""
    return {name: _tuned_part(predictor) for name, predictor in program.named_predictors()}


def _tuned_part(predictor: dspy.Predict) -> Tuned:
    """Without DSPy's own marks; the same demonstration only once."""
    demos = list[dict[str, Any]]()
    for demo in plain([dict(demo) for demo in predictor.demos]):
        given = {name: value for name, value in demo.items() if name != "augmented" and name[:5] != "dspy_"}
        demos += [given] if given not in demos else []
    heat = predictor.config.get("temperature")
    return Tuned(instructions=predictor.signature.instructions, demos=demos, temperature=heat)


def changed_copy(program: Program, parts: Mapping[str, Tuned]) -> Program:
    """A copy of a program with these parts; all else is as it was, also field names and prefixes."""
    copy: Program = program.deepcopy()
    for name, predictor in copy.named_predictors():
        if (part := parts.get(name)) is not None and part != _tuned_part(predictor):
            predictor.signature = predictor.signature.with_instructions(part.instructions)
            predictor.demos = [dict(demo) for demo in part.demos]
            config = {key: value for key, value in predictor.config.items() if key != "temperature"}
            predictor.config = config if part.temperature is None else {**config, "temperature": part.temperature}
    return copy
