"""The model's own reasoning (`--thought model|both`): thoughts that a model had, not thoughts that it composed.

The written trace of a variation is made as ever, since its answer is grounded in the passage. Then the question is asked as
a person would, at most `--tries` times, until an answer makes the same main claim as the grounded one. Tries that answer
otherwise are attempts that were turned down. One without a thought, or whose texts fail their checks, is no attempt; one
that could not be answered or compared is open: where no other is taken, a later run goes on with it.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache

from programs.asking.ask import Answering
from programs.asking.reply import StageFailed
from programs.records import Agreed
from programs.rejection import Reason
from programs.settings import TracerOptions
from programs.stages.checks import own_problems
from programs.stages.solve import CompareStage
from programs.stages.thought import AttemptPlan, Draft, OwnStage, own_draft
from programs.traces.variation import Attempt, Variation

log = logging.getLogger("synthreasoner")

STAGE, COMPARING = OwnStage(), CompareStage()

UNREASONED = "the model returned no reasoning"
OPEN = "without an answer so far"

Judging = Callable[[Variation, AttemptPlan, Draft, Agreed | None], Awaitable[None]]
"""Adds an attempt to a variation, with the verdicts on it."""


async def think(own: Variation, written: Variation, options: TracerOptions, answer: Answering, judge: Judging) -> None:
    """Decides `own`, by the answer of `written`, which has been decided."""
    if not written.accepted:
        own.status = "rejected" if written.status == "rejected" else "failed"
        own.rejection, own.failure = written.rejection, written.failure
        return
    lost: Counter[str] = Counter()
    for number in range(options.tries):
        try:
            why = await _try(own, written.last, number, options, answer, judge)
        except StageFailed as failure:
            if failure.reply.fault == "server":
                own.failed(failure)
                return
            why, own.failure = OPEN, failure
        if why is None:
            own.decide()
            return
        lost[why] += 1
    detail = ", ".join(f"{count} {why}" for why, count in lost.most_common())
    own.turn_down("failed" if lost[OPEN] else "rejected", Reason.OWN_THOUGHT, detail)


async def _try(
    own: Variation, grounded: Attempt, number: int, options: TracerOptions, answer: Answering, judge: Judging
) -> str | None:
    """One try: why it is not taken, or None. Raises `StageFailed` where it could not be answered or compared."""
    plan = AttemptPlan(own.key.variation, number, grounded.plan.temperature, None, options.setting, thought="model")
    name = own.key.named(plan.name)
    ask = STAGE.ask(own.passage, own.question, plan, name)
    reply = await answer(ask)
    ask.value_of(reply)
    draft = own_draft(reply)
    if draft is None:
        _warn()
        return UNREASONED
    if own_problems(draft.thought.texts, draft.answer, own.question, plan.setting):
        return "unusable"
    reference = grounded.draft.answer
    ask = COMPARING.ask(own.question, reference, draft.answer, f"{name}/{grounded.plan.name}", options.comparer)
    reply = await answer(ask)
    found = ask.value_of(reply)
    agreed = Agreed(agreement=found.agreement, reason=found.reason, reference=reference, compared_by=reply.model)
    of_the_written = {stage: grounded.draft.replies[stage] for stage in ("trace", "answer")}
    replies = {**draft.replies, **of_the_written, "agreement": reply}
    draft = replace(draft, checkable=grounded.draft.checkable, replies=replies)
    if found.agreement != "equivalent":
        own.attempts.append(Attempt(plan, draft, [], "below", agreed=agreed))
        return str(found.agreement)
    await judge(own, plan, draft, agreed)
    return Reason.JUDGED.value if own.last.standing == "below" else None


@cache
def _warn() -> None:
    """Once: a model that does not reason would be asked in vain for a whole run."""
    log.warning(
        "%s with an answer, so there is no thought to keep: name one that reasons with --stage-model own=NAME, or "
        "see what its server returns",
        UNREASONED,
    )
