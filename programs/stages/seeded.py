"""Stage 4 with `--seed-error`: the thought is given steps of which one is wrong, and must find it and take it back."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import dspy

from programs.asking.plan import Plan, Reply, StageFailed, value_of
from programs.checks.sentences import split
from programs.checks.wrong_step import STATED, carried, is_stated, repeated, taken, takes_back, wrong_step_of
from programs.journals.tally import NO_ERROR, NOT_MENDED
from programs.passage import Passage
from programs.records import SeededError
from programs.stages.questions import Question
from programs.stages.strands import Analysed
from programs.stages.trace import NOTHING_AGAINST, Against, Draft, Spot, TraceStages, temperature_at, thought_problems
from signatures.trace_with_error import AssembleTraceWithError, MendedThought

MOST_SOUND_STEPS = 2
"""So many steps that are not seeded stand beside the wrong one."""

MARK = "+error"
"""In the names of drafts with a seeded error: they are other work than those without."""


@dataclass(frozen=True)
class GivenSteps:
    """The steps that a thought is given. `wrong` is the number of the seeded one, counted from 1."""

    steps: tuple[str, ...]
    wrong: int
    misconception: str

    @property
    def error(self) -> str:
        return self.steps[self.wrong - 1]

    @property
    def shown(self) -> str:
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, start=1))


class SeededStages(dspy.Module):
    """Assembles a trace around a seeded wrong step; the answer is written by the program's own stage. `seed` fixes which
    misconception is taken and where it stands among the steps."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.trace = dspy.Predict(AssembleTraceWithError)
        self._seed = seed

    def plan(
        self,
        writer: TraceStages,
        passage: Passage,
        question: Question,
        found: Analysed,
        spot: Spot,
        feedback: Against = NOTHING_AGAINST,
    ) -> Plan[Draft]:
        """As `TraceStages.plan`. Raises `StageFailed` also where stage 2 has no misconception that can be seeded, and where
        the thought does not take the error back, under names of their own."""
        given = given_steps(f"{self._seed}/{passage.sample.id}/{question.type.value}/{spot.name}", passage, found)
        if given is None:
            why = "no misconception of the context analysis can be made a wrong step"
            raise StageFailed(NO_ERROR, Reply(status="unusable", problems=[why]))
        plain = writer.trace_ask(passage, question, found, spot, feedback.thought)
        # What names the misconceptions would name the wrong step, and so would a list of evidence that has all others.
        analysis = found.analysis.model_copy(update={"misconceptions": []})
        evidence = [item for item in found.quoted() if _as_step(item.claim) not in given.steps]
        ask = replace(
            plain,
            predict=self.trace,
            inputs={**plain.inputs, "analysis": analysis, "evidence": evidence, "steps": given.shown},
            check=lambda values: [*thought_problems(values[-1]), *mending_problems(values[-1], given)],
            temperature=temperature_at(self.trace, spot),
        )
        reply = (yield [ask])[0]
        if reply.status == "unusable" and mending_problems(ask.read(reply.output), given):
            raise StageFailed(NOT_MENDED, reply)
        thought: MendedThought = value_of(ask, reply)
        plan = writer.answer_plan(passage, question, thought, reply, spot, feedback.answer, _repeats(given))
        draft = yield from plan
        return replace(draft, seeded=_record(given, thought, reply))


def given_steps(name: str, passage: Passage, found: Analysed) -> GivenSteps | None:
    """The steps for the draft of this name: a misconception of stage 2 as a statement, and claims of the evidence. None
    where no misconception can be used, or nothing stands beside it."""
    chance = random.Random(name)
    wrong = [
        (step, misconception)
        for misconception in found.analysis.misconceptions
        if (step := wrong_step_of(misconception)) is not None and not is_stated(step, passage.sample.text)
    ]
    if not wrong:
        return None
    error, misconception = chance.choice(wrong)
    claims = dict.fromkeys(_as_step(item.claim) for item in found.evidence if item.verified)
    sound = [claim for claim in claims if carried(error, claim) < STATED][:MOST_SOUND_STEPS]
    if not sound:
        return None
    steps = [error, *sound]
    chance.shuffle(steps)
    return GivenSteps(tuple(steps), steps.index(error) + 1, misconception)


def _as_step(claim: str) -> str:
    return f"{claim.strip().rstrip('.')}."


def mending_problems(thought: MendedThought, given: GivenSteps) -> list[str]:
    """Why a thought does not find its wrong step and take it back, in words that tell nothing of which one it is: neither a
    number, which would leave the others, nor its text; nothing wrong: an empty list."""
    if thought.wrong_step != given.wrong:
        return ["wrong_step: that is not the wrong one; compare all of the steps with the passage again"]
    problems = []
    if not taken(given.error, thought.wrong_turn):
        problems.append(
            "wrong_turn: does not take the given step that is wrong; say it as if right, with its key words"
        )
    if repeated(given.error, _last_word(thought)) is not None:
        problems.append("conclusion: says again what was found to be wrong")
    if _mended_at(thought, given.error) is None:
        problems.append(
            f"{thought.mended_in}: does not take the wrong step back; say that it was wrong, why, and what holds instead"
        )
    return problems


def _last_word(thought: MendedThought) -> str:
    """What must not say the error again: the conclusion, or its last sentence where it says the error to take it back."""
    text = thought.conclusion
    return text if thought.mended_in != "conclusion" else text[split(text)[-1].start :]


def _mended_at(thought: MendedThought, error: str) -> int | None:
    """Which step of the thought takes the error back, of those where it says that it does."""
    steps = enumerate(thought.steps())
    return next((at for at, (move, text) in steps if move == thought.mended_in and takes_back(error, text)), None)


def _repeats(given: GivenSteps) -> Callable[[str], list[str]]:
    def problems(answer: str) -> list[str]:
        sentence = repeated(given.error, answer)
        return [] if sentence is None else [f'says what was found to be wrong: "{sentence}"']

    return problems


def _record(given: GivenSteps, thought: MendedThought, reply: Reply) -> SeededError:
    moves = [move for move, _ in thought.steps()]
    mended = _mended_at(thought, given.error)
    return SeededError(
        text=given.error,
        misconception=given.misconception,
        given_steps=list(given.steps),
        given_as=given.wrong,
        wrong_step=moves.index("wrong_turn"),
        corrected_step=moves.index(thought.mended_in) if mended is None else mended,
        corrected_in=thought.mended_in,
        carried=round(carried(given.error, thought.wrong_turn), 3),
        tries=len(reply.rejected) + 1,
    )
