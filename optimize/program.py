"""Programs as optimizers see them, such as the one that makes a trace, and the parts that they change, as plain data."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import dspy
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from optimize.measure import TraceMeasure
from optimize.recording import Recorder
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.caller import AsyncModule, Caller, ReaskRules
from programs.asking.reply import Reply
from programs.inputs.sample import sample_of
from programs.settings import TracerOptions
from programs.tracer import Tracer

Program = TypeVar("Program", bound=dspy.Module)


class Tunable(AsyncModule):
    """A program as optimizers see it: they find the predictors named in `tunable`, and no others. Its Prediction has
    `measured` (a `Measured`), which says how good it is, and `asked`, pairs of an `Ask` and its `Reply`.

    In DSPy's trace, from which demonstrations are made, it leaves what its tunable predictors were asked and their outputs
    as JSON, without the passage and the tries before. A bad reply is an outcome; an error ends the compilation
    (`Recorder.guard`). It always uses its own adapter, whatever DSPy is configured with.
    """

    tunes_temperatures: ClassVar[bool] = True
    """Whether a predictor's temperature has any effect."""

    def __init__(self, tunable: tuple[str, ...], recorder: Recorder) -> None:
        super().__init__()
        self.tunable, self._recorder = tunable, recorder

    def named_parameters(self) -> list[tuple[str, Any]]:
        parameters = dict(super().named_parameters())
        return [(name, parameters[name]) for name in self.tunable]

    def forward(self, *args: Any, **inputs: Any) -> dspy.Prediction:
        """As `aforward`, without awaiting."""
        with self._recorder.guard():
            with dspy.context(trace=None, adapter=PassageFirstAdapter()):
                prediction = super().forward(*args, **inputs)
            if dspy.settings.trace is not None:
                tunable = {id(predictor) for predictor in self.predictors()}
                for ask, reply in prediction.asked:
                    if id(ask.predict) in tunable and reply.output is not None:
                        # Prompts show demonstrations without their passages.
                        shown = {name: value for name, value in to_json(dict(ask.inputs)).items() if name != "passage"}
                        outputs = dspy.Prediction(**{ask.output_field: reply.output})
                        dspy.settings.trace.append((ask.predict, shown, outputs))
            return prediction


class Student(Tunable):
    """Makes one trace of a text, as `options` say, with the LM that DSPy is configured with, which accepts the parameters
    `accepted` (`programs.lms.resolve.Model.options`). Its predictors have the same names as in the `Tracer`. A stage that
    fails is an outcome, not an error."""

    def __init__(
        self,
        tracer: Tracer,
        tunable: tuple[str, ...],
        recorder: Recorder,
        options: TracerOptions,
        accepted: frozenset[str],
        rules: ReaskRules,
        measure: TraceMeasure,
    ) -> None:
        super().__init__(tunable, recorder)
        self.questions, self.strands, self.writer = tracer.questions, tracer.strands, tracer.writer
        self._options, self._measure = options, measure
        self._caller = Caller(rules=rules, options=accepted, strict=True)

    async def aforward(self, text: str, title: str | None = None, domain: str | None = None) -> dspy.Prediction:
        """Raises `BackendError` when a model cannot be reached."""
        replies, asked = dict[str, Reply](), list[tuple[Ask, Reply]]()

        async def answer(ask: Ask) -> Reply:
            # A stage is asked once: if the first question is unusable, no other is tried.
            if (earlier := replies.get(ask.stage)) is not None:
                return Reply(status="unread", problems=earlier.problems)
            reply = replies[ask.stage] = await self._caller.answer(ask)
            asked.append((ask, reply))
            return reply

        tracer = Tracer(self.questions, self.strands, self.writer)
        outcome = await tracer.generate(sample_of(text, title=title, domain=domain), self._options, answer)
        return dspy.Prediction(measured=await self._measure.measure(outcome, replies), asked=asked)


def to_json(value: Any) -> Any:
    """A value in JSON form."""
    return to_jsonable_python(value, fallback=str)


class TunedPart(BaseModel):
    """What optimizers change in a predictor, in JSON form. If `temperature` is None, the plan or the model decides."""

    instructions: str
    demos: list[dict[str, Any]]
    temperature: float | None = None


def tuned_parts(program: dspy.Module) -> dict[str, TunedPart]:
    """What optimizers can change in a program, by predictor name."""
    return {name: _tuned_part(predictor) for name, predictor in program.named_predictors()}


def _tuned_part(predictor: dspy.Predict) -> TunedPart:
    """Without DSPy's own marks and repeated demonstrations."""
    demos = list[dict[str, Any]]()
    for demo in to_json([dict(demo) for demo in predictor.demos]):
        fields = {name: value for name, value in demo.items() if name != "augmented" and name[:5] != "dspy_"}
        demos += [fields] if fields not in demos else []
    temperature = predictor.config.get("temperature")
    return TunedPart(instructions=predictor.signature.instructions, demos=demos, temperature=temperature)


def changed_copy(program: Program, parts: Mapping[str, TunedPart]) -> Program:
    """A copy of a program with these parts. Everything else stays, including field names and prefixes."""
    copy: Program = program.deepcopy()
    for name, predictor in copy.named_predictors():
        if (part := parts.get(name)) is not None and part != _tuned_part(predictor):
            predictor.signature = predictor.signature.with_instructions(part.instructions)
            predictor.demos = [dict(demo) for demo in part.demos]
            config = {key: value for key, value in predictor.config.items() if key != "temperature"}
            predictor.config = config if part.temperature is None else {**config, "temperature": part.temperature}
    return copy
