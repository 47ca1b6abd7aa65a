"""The causal check (`--causal-check RATE`): has a trace read its passage?

Of a share of the accepted traces the passage is altered in one place (`programs.checks.altered` says how), and everything
from the context analysis to the answer is made again for the same question, apart from the normal trace. A trace whose
numbers come from the passage follows; one that repeats the old number, which now stands nowhere, does not read.

Which traces are looked at is fixed by the unit's key and the seed: a higher rate adds others, and drops none.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from programs.asking.plan import Ask, Plan, StageFailed
from programs.checks.altered import Alteration, altered, appearing, outcome_of
from programs.passage import Passage
from programs.records import CausalCheck
from programs.stages.questions import Question
from programs.stages.trace import Draft, Spot
from programs.units.unit import Unit, UnitKey

Result = TypeVar("Result")
Remake = Callable[[Passage, Question, Spot], Plan[Draft]]
"""Everything from the context analysis to the answer, for a question to a passage."""

PURPOSE = "causal"
DEEPER = 6
"""So much further along their text these stages count than the same ones of the trace itself."""


@dataclass(frozen=True)
class CausalRules:
    """The share of accepted traces to look at, 0 to 1, and the seed by which they are chosen."""

    rate: float
    seed: int = 0

    @property
    def basis(self) -> str:
        return f"causal check of {self.rate:g}"

    def chosen(self, key: UnitKey) -> bool:
        digest = hashlib.blake2b(f"causal/{self.seed}/{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.rate * 2**64

    def plan(self, passage: Passage, question: Question, units: list[Unit], remake: Remake) -> Plan[None]:
        """Gives the chosen ones of a question's accepted units their `causal_check`."""
        wanted = [unit for unit in units if unit.status == "accepted" and self.chosen(unit.key)]
        if wanted:
            yield [_checked(passage, question, unit, remake) for unit in wanted]


def _checked(passage: Passage, question: Question, unit: Unit, remake: Remake) -> Plan[None]:
    attempt = unit.attempts[-1]
    draft, spot = attempt.draft, attempt.spot
    sample = passage.sample
    head = [sample.title if sample.title_given else "", sample.domain if sample.domain_given else ""]
    alteration = altered(sample.text, draft.text, draft.answer, "\n".join([question.text, question.asked_by, *head]))
    if alteration is None:
        attempt.causal_check = CausalCheck(outcome=None, reason="no number and no direction that could be altered")
        return
    other = Passage(sample.model_copy(update={"text": alteration.text}))
    digest = hashlib.blake2b(alteration.text.encode(), digest_size=4).hexdigest()
    try:
        plan = remake(other, question, spot)
        made = yield from _apart(plan, f"altered-{spot.variation}-{digest}")
    except StageFailed as failure:
        attempt.more[PURPOSE] = [failure.reply]
        attempt.causal_check = _record(alteration, None, str(failure))
    else:
        attempt.more[PURPOSE] = list(made.replies.values())
        attempt.causal_check = _record(alteration, made)


def _apart(plan: Plan[Result], name: str) -> Plan[Result]:
    """The same plan with keys of its own, its cost counted apart."""
    try:
        asks = next(plan)
        while True:
            asks = plan.send((yield [_renamed(ask, name) for ask in asks]))
    except StopIteration as end:
        return cast(Result, end.value)


def _renamed(ask: Ask, name: str) -> Ask:
    return replace(ask, key=f"{ask.key}/{name}", purpose=PURPOSE, depth=ask.depth + DEEPER)


def _record(alteration: Alteration, made: Draft | None, reason: str | None = None) -> CausalCheck:
    found = CausalCheck(
        outcome=None,
        kind=alteration.kind,
        old=alteration.old,
        new=alteration.new,
        places=list(alteration.places),
        reason=reason,
    )
    if made is None:
        return found
    old_found, new_found = appearing(alteration, f"{made.text}\n{made.answer}")
    update = {
        "outcome": outcome_of(old_found, new_found),
        "old_found": old_found,
        "new_found": new_found,
        "reasoning_trace": made.text,
        "final_answer": made.answer,
    }
    return found.model_copy(update=update)
