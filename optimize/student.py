"""The part of the program that optimizers may change: the stages that write. Judges and graders stay as they are, since
an optimizer that could rewrite its own judge would learn to flatter itself."""

from typing import Any, NamedTuple

import dspy

from optimize.stages import STAGES
from programs.asking.ask import Answering, Ask
from programs.asking.caller import AwaitedModule, Caller, TryRules
from programs.asking.reply import Reply, StageFailed
from programs.inputs.sample import sample_of
from programs.passage import Passage
from programs.settings import TracerOptions
from programs.tracer import SampleOutcome, Tracer


class Asked(NamedTuple):
    """What a stage was asked and what came back."""

    ask: Ask
    reply: Reply


class Student(AwaitedModule):
    """Makes one trace of a text with the LM and the adapter that DSPy is configured with; with `until`, goes no further
    than that stage. `options` are what the LM may be sent (`programs.asking.caller.options_of`).

    Its predictors have the names that they have in the `Tracer` (`questions.predict`, `strands.context`, ...).
    A stage that gives nothing is an outcome, not an error: the prediction then has no unit with a trace.
    """

    def __init__(
        self,
        tracer: Tracer,
        options: frozenset[str] = frozenset({"temperature"}),
        rules: TryRules | None = None,
        until: str | None = None,
    ) -> None:
        super().__init__()
        self.questions = tracer.questions
        self.strands = tracer.strands
        self.writer = tracer.writer
        self._caller = Caller(rules=rules, options=options, strict=True)
        self._until = until

    async def aforward(
        self, text: str, title: str | None = None, domain: str | None = None, **_: Any
    ) -> dspy.Prediction:
        """Gives a Prediction with `asked` (what each stage was asked and replied, by stage), `variations` (a list of
        `Variation`, empty without questions), `pool` and `failures` (a list of `StageFailed`).
        Raises `BackendError` when the model cannot be reached or refuses."""
        asked: dict[str, Asked] = {}
        sample, options = sample_of(text, title=title, domain=domain), TracerOptions(temperature=TEMPERATURE)
        tracer = Tracer(self.questions, self.strands, self.writer)
        try:
            made = await tracer.made(sample, options, _answering(self._caller.answer, asked, self._until))
        except _Reached:
            made = SampleOutcome(self.questions.pool(Passage(sample), asked["questions"].reply, options.seed))
        failures: list[StageFailed] = [made.failure] if made.failure else []
        failures += [variation.failure for variation in made.variations if variation.failure]
        return dspy.Prediction(asked=asked, variations=made.variations, pool=made.pool, failures=failures)


TEMPERATURE = 0.7
"""The runner's default for the trace and the answer."""


class _Reached(Exception):
    """The stage that was wanted has replied."""


def _answering(answer: Answering, asked: dict[str, Asked], until: str | None) -> Answering:
    async def answered(ask: Ask) -> Reply:
        if until is not None and ask.stage != until and ask.depth >= STAGES[until].depth:
            # Asked together with the stage that is wanted, before it: nothing will read this.
            return Reply(status="unread", problems=["not wanted"])
        reply = await answer(ask)
        asked[ask.stage] = Asked(ask, reply)
        if ask.stage == until:
            raise _Reached
        return reply

    return answered
