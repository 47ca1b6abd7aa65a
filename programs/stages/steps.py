"""The step check as a module: a model says whether the passage supports each step of a thought."""

from collections.abc import Collection, Sequence
from typing import Any

from programs.asking.ask import Ask, Subject
from programs.asking.caller import PredictorModule
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.stages.judge import output_ask
from signatures.trials import CheckSteps, StepVerdict, StepVerdicts

NEEDS_A_SENTENCE = ("supported", "inferred", "contradicted")


class StepStage(PredictorModule):
    """Asks about the steps of one thought, all in one call."""

    signature = CheckSteps

    def ask(self, passage: Passage, steps: Sequence[str], subject: Subject, model: str) -> Ask:
        """`subject` identifies the draft (sample, question, attempt); `model` names the model that checks."""
        wanted = range(1, len(steps) + 1)
        shown = [f"{number}. {' '.join(text.split())}" for number, text in zip(wanted, steps, strict=True)]
        inputs, last = {"passage": passage.shown, "steps": "\n".join(shown)}, len(passage.spans)
        return output_ask("steps", self.predict, inputs, subject, model, lambda said: _problems(said[-1], wanted, last))


def verdicts_in(reply: Reply, steps: int, sentences: int) -> dict[int, StepVerdict]:
    """The usable verdicts of a reply, by the number of the step. A verdict that has to rest on a sentence must name one of
    the passage. A step whose verdicts differ has none."""
    given = [] if reply.output is None else StepVerdicts.model_validate(reply.output).items
    usable: dict[int, StepVerdict] = {}
    for step in range(1, steps + 1):
        verdicts = [verdict for verdict in given if verdict.step == step]
        if len({(verdict.status, verdict.sentence) for verdict in verdicts}) == 1 and _grounded(verdicts[0], sentences):
            usable[step] = verdicts[0]
    return usable


def _grounded(verdict: StepVerdict, sentences: int) -> bool:
    return verdict.status not in NEEDS_A_SENTENCE or 1 <= verdict.sentence <= sentences


def _problems(verdicts: Any, wanted: Collection[int], sentences: int) -> list[str]:
    given = [verdict.step for verdict in verdicts.items]
    faults = [f"there is no verdict on step {step}" for step in wanted if step not in given]
    faults += [f"step {step} has several verdicts" for step in wanted if given.count(step) > 1]
    return faults + [
        f"step {verdict.step} is {verdict.status} by sentence {verdict.sentence}; name one from 1 to {sentences}"
        for verdict in verdicts.items
        if not _grounded(verdict, sentences)
    ]
