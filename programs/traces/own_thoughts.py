"""A model's own reasoning (`--thought model|both`): a thought that it had before it answered, not one that it composed.

The written trace of a variation is made first, since its answer is grounded in the passage. Then the question is asked as a
person would, at most `--tries` times, until an answer makes the same main claim as the grounded one and is not rejected by
judges. A try with another answer is a rejected attempt. A try without a thought, or whose texts fail their checks, is no
attempt. A try that could not be answered or compared stays open: if no other is accepted, a later run continues with it.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache

from programs.asking.ask import AnswerAsk
from programs.asking.reply import StageFailed
from programs.record_parts import AnswerAgreement
from programs.rejection import Reason
from programs.settings import TracerOptions
from programs.stages.checks import own_problems
from programs.stages.solve import CompareStage
from programs.stages.thought import AttemptPlan, Draft, OwnStage, own_draft
from programs.traces.variation import Attempt, Variation

log = logging.getLogger("synthreasoner")

OWN_STAGE, COMPARE_STAGE = OwnStage(), CompareStage()

NO_REASONING = "the model returned no reasoning"
UNANSWERED = "unanswered so far"

Judging = Callable[[Variation, AttemptPlan, Draft, AnswerAgreement | None], Awaitable[None]]
"""Judges a draft, and adds it to the variation as an attempt."""


async def make_own_thought(
    own: Variation, written: Variation, options: TracerOptions, answer: AnswerAsk, judge: Judging
) -> None:
    """Makes and decides `own`; its answer is compared with that of `written`, which is already decided."""
    if not written.accepted:
        own.status = "rejected" if written.status == "rejected" else "failed"
        own.rejection, own.failure = written.rejection, written.failure
        return
    reasons: Counter[str] = Counter()
    for number in range(options.tries):
        try:
            why = await _try(own, written.last, number, options, answer, judge)
        except StageFailed as failure:
            if failure.reply.fault == "server":
                own.fail(failure)
                return
            why, own.failure = UNANSWERED, failure
        if why is None:
            own.decide()
            return
        reasons[why] += 1
    detail = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
    own.reject("failed" if reasons[UNANSWERED] else "rejected", Reason.OWN_THOUGHT, detail)


async def _try(
    own: Variation, grounded: Attempt, number: int, options: TracerOptions, answer: AnswerAsk, judge: Judging
) -> str | None:
    """Makes one try. Returns why it is rejected, or None. Raises `StageFailed` if it could not be answered or compared."""
    plan = AttemptPlan(own.key.variation, number, grounded.plan.temperature, None, options.setting, origin="model")
    ask = OWN_STAGE.ask(own.passage, own.question, plan)
    reply = await answer(ask)
    ask.value_of(reply)
    draft = own_draft(reply)
    if draft is None:
        _warn()
        return NO_REASONING
    if own_problems(draft.thought.texts, draft.answer, own.question, plan.setting):
        return "unusable"
    reference = grounded.draft.answer
    pair = (*own.key.subject(plan.name), grounded.plan.name)
    ask = COMPARE_STAGE.ask(own.question, reference, draft.answer, pair, options.comparer)
    reply = await answer(ask)
    compared = ask.value_of(reply)
    agreed = AnswerAgreement(
        agreement=compared.agreement, reason=compared.reason, reference=reference, compared_by=reply.model
    )
    written_replies = {stage: grounded.draft.replies[stage] for stage in ("trace", "answer")}
    replies = {**draft.replies, **written_replies, "agreement": reply}
    draft = replace(draft, checkable=grounded.draft.checkable, replies=replies)
    if agreed.agreement != "equivalent":
        own.attempts.append(Attempt(plan, draft, [], "below", dict(draft.replies), agreed=agreed))
        return str(agreed.agreement)
    await judge(own, plan, draft, agreed)
    return Reason.JUDGED.value if own.last.standing == "below" else None


@cache
def _warn() -> None:
    """Warns once per process: a model that does not reason would be asked in vain for the whole run."""
    log.warning(
        "%s with its answer, so there is no thought to keep: choose a reasoning model with --stage-model own=NAME, or "
        "check what its server returns",
        NO_REASONING,
    )
