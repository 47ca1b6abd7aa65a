"""The model's own reasoning (`--thought model|both`): thoughts that a model had, not thoughts that it composed.

The written trace of a variation is made as ever, since its answer is grounded in the passage. Then the question is asked as
a person would, at most `tries` times, until an answer makes the same main claim as the grounded one: what the model thought
before it is the thought. Tries that answer otherwise are attempts of the unit that were turned down, for preference pairs.

A try without a thought, or whose texts fail their checks, is no attempt; its reply stays in the journal. One that could not
be answered or compared is open: where no other is taken, a later run goes on with it.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from programs.asking.plan import Answering, StageFailed
from programs.passage import Passage
from programs.records import Agreed
from programs.stages.own import OwnStage, own_draft, own_problems
from programs.stages.questions import Question
from programs.stages.solve import SolveStages
from programs.stages.trace import Draft, Spot
from programs.traces.decision import Standing, Verdicts
from programs.traces.unit import Attempt, Unit
from signatures.vocabulary import ThoughtOrigin

log = logging.getLogger("synthreasoner")

OWN = "no own thought was taken"
UNREASONED = "the model returned no reasoning"
OPEN = "without an answer so far"

Judged = Callable[[Draft, str], Awaitable[tuple[Verdicts, Standing]]]
"""What the panel says of a draft with this name, and where that puts it."""


@dataclass(frozen=True)
class OwnRules:
    """How often a question is asked at most, who compares the answers, and whether the written traces are kept too."""

    tries: int
    judge: str
    beside_written: bool = False

    @property
    def basis(self) -> str:
        beside = " beside written ones" if self.beside_written else ""
        return f"own thoughts{beside} in {self.tries} tries, compared by {self.judge}"

    @property
    def thoughts(self) -> tuple[ThoughtOrigin, ...]:
        """The traces of each variation."""
        return ("written", "model") if self.beside_written else ("model",)


class OwnThinker:
    """Fills units with a model's own thoughts, by the rules."""

    def __init__(self, rules: OwnRules, stage: OwnStage | None = None, comparing: SolveStages | None = None) -> None:
        self.rules = rules
        self.stage = stage or OwnStage()
        self.comparing = comparing or SolveStages()
        self._warned = False

    async def think(
        self, passage: Passage, question: Question, unit: Unit, written: Unit, answer: Answering, judged: Judged
    ) -> None:
        """Decides `unit`, by the answer of `written`, which has been decided."""
        if written.status != "accepted":
            unit.status = "rejected" if written.status == "rejected" else "failed"
            unit.reason, unit.failure = written.reason, written.failure
            return
        lost: Counter[str] = Counter()
        for number in range(self.rules.tries):
            try:
                why = await self._try(passage, question, unit, written, number, answer, judged)
            except StageFailed as failure:
                if failure.reply.fault == "server":
                    unit.failed(failure)
                    return
                why = OPEN
            if why is None:
                unit.decide()
                return
            lost[why] += 1
        unit.status = "failed" if lost[OPEN] else "rejected"
        unit.reason = f"{OWN}: {', '.join(f'{count} {why}' for why, count in lost.most_common())}"

    async def _try(
        self,
        passage: Passage,
        question: Question,
        unit: Unit,
        written: Unit,
        number: int,
        answer: Answering,
        judged: Judged,
    ) -> str | None:
        """One try: why it is not taken, or None. Raises `StageFailed` where it could not be answered or compared."""
        reference = written.attempts[-1]
        spot = Spot(
            unit.key.variation, number, reference.spot.temperature, None, reference.spot.setting, thought="model"
        )
        name = unit.key.named(spot.name)
        ask = self.stage.ask(passage, question, spot, name)
        reply = await answer(ask)
        if reply.status != "ok":
            raise StageFailed(ask.stage, reply)
        draft = own_draft(reply)
        if draft is None:
            self._warn()
            return UNREASONED
        if own_problems(draft, spot, question.text):
            return "unusable"
        draft.replies.update({stage: reference.draft.replies[stage] for stage in ("trace", "answer")})
        compare = self.comparing.comparison(
            question,
            reference.draft.answer,
            draft.answer,
            f"compare/{name}/{reference.spot.name}/{self.rules.judge}",
            self.rules.judge,
        )
        reply = draft.replies["agreement"] = await answer(compare)
        if reply.status != "ok":
            raise StageFailed(compare.stage, reply)
        found = compare.read(reply.output)
        agreed = Agreed(
            agreement=found.agreement, reason=found.reason, reference=reference.draft.answer, compared_by=reply.model
        )
        if found.agreement != "equivalent":
            unit.attempts.append(Attempt(spot, draft, [], "below", agreed=agreed))
            return str(found.agreement)
        verdicts, standing = await judged(draft, name)
        unit.attempts.append(Attempt(spot, draft, verdicts, standing, agreed=agreed))
        return "turned down by the judges" if standing == "below" else None

    def _warn(self) -> None:
        """Once: a model that does not reason would be asked in vain for a whole run."""
        if not self._warned:
            self._warned = True
            log.warning(
                "%s with an answer, so there is no thought to keep: name one that reasons with --stage-model own=NAME, or "
                "see what its server returns",
                UNREASONED,
            )
