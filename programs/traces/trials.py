"""The trials of accepted traces: the blind solve (`--blind-solve K`) and the step check (`--check-steps`).

The blind solve measures whether a question needs its passage, and how hard it is. Another model, the solver, answers it K
times without the passage and K times with it. A model compares each of these answers with the final answer of each of the
question's V accepted variations: K x V comparisons per setting. If variations have short answers, rules compare with the
first of these instead: K comparisons. A setting is passed if at least half of its comparisons find the same main claim.

    known        passed without the passage
    needs_paper  passed only with it
    unanswered   passed neither way
    difficulty   1 - pass rate: share of judged comparisons with the passage that fail (`difficulty_without`: without it)

A comparison that failed technically (no usable answer, or no readable comparison) is absent and does not count in a rate.
If absent ones could have decided the need, it is None: undecided, never guessed. All variations of a question share the
result, and are kept or rejected together. With `--student-model` a second, weaker model tries the same: what it fails and
the solver passes is worth training on (`programs.export --keep`).

The step check asks a model, in one call per trace, which sentence of the passage decides about each step, and how.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from programs.asking.ask import AnswerAsk, Ask, gather_all
from programs.inputs.passage import Passage
from programs.record_parts import RULES, BlindSolve, ShortAnswer, SolveTries, StepRecord, StudentSolve
from programs.rejection import Reason
from programs.settings import TracerOptions
from programs.stages.solve import CompareStage, SolveStage
from programs.stages.steps import StepStage, verdicts_in
from programs.text.short_answers import score
from programs.traces.variation import Variation
from signatures.trials import MAX_STEPS, StepVerdict
from signatures.vocabulary import Agreement, Need

SOLVE_STAGE, COMPARE_STAGE, STEP_STAGE = SolveStage(), CompareStage(), StepStage()


@dataclass(frozen=True)
class Trials:
    """Runs the trials that `options` ask for, with replies from `answer`."""

    options: TracerOptions
    answer: AnswerAsk

    async def solve_blindly(self, variations: list[Variation]) -> None:
        """Gives a question's accepted variations the same `blind_solve`. If its need is not kept, rejects all, or makes
        them `unjudged` if a later run may still decide it."""
        options, accepted = self.options, [variation for variation in variations if variation.accepted]
        if not accepted or options.blind_solve is None:
            return
        short = next((found for variation in accepted if (found := variation.last.draft.checkable.short_answer)), None)
        without, with_it = await self._solve(accepted, short, options.solver, "solve")
        student = None
        if options.student_model:
            blind, reading = await self._solve(accepted, short, options.student_model, "student")
            student = StudentSolve(solver=options.student_model, without_passage=blind, with_passage=reading)
        solve = BlindSolve(
            need=_need_of(without, with_it),
            difficulty=_difficulty(with_it.pass_rate),
            difficulty_without=_difficulty(without.pass_rate),
            without_passage=without,
            with_passage=with_it,
            solver=options.solver,
            compared_by=RULES if short else options.comparer,
            temperature=next(
                (reply.temperature for reply in accepted[0].last.trial_replies["solve"] if reply.status == "ok"), None
            ),
            variations=[each.key.variation if each.key.origin == "written" else each.key.name for each in accepted],
            student=student,
        )
        for variation in accepted:
            variation.last.blind_solve = solve
        if options.keep and solve.need not in options.keep:
            retry = solve.need is None and not all(variation.last.settled for variation in accepted)
            detail = "undecided, a later run tries again" if retry else solve.need or "undecided"
            for variation in accepted:
                variation.reject("unjudged" if retry else "rejected", Reason.NEED, detail)

    async def _solve(
        self, accepted: list[Variation], short: ShortAnswer | None, solver: str, name: str
    ) -> list[SolveTries]:
        """A model's tries without the passage and with it. The attempts keep its replies under `name`."""
        passage, question = accepted[0].passage, accepted[0].question

        async def solve_in_setting(with_passage: bool) -> SolveTries:
            numbers = range(self.options.blind_solve or 0)
            asks = [SOLVE_STAGE.ask(passage, question, with_passage, number, solver, short) for number in numbers]
            replies = await gather_all(map(self.answer, asks))
            for variation in accepted:
                variation.last.trial_replies.setdefault(name, []).extend(replies)
            tries = [
                (ask, ask.read(reply.output).text if reply.status == "ok" else None)
                for ask, reply in zip(asks, replies, strict=True)
            ]
            if short is not None:
                return tries_of([None if text is None else _compare_by_rules(text, short) for _, text in tries])
            return tries_of(await gather_all(self._compare(each, *tried) for each in accepted for tried in tries))

        return await gather_all([solve_in_setting(False), solve_in_setting(True)])

    async def _compare(self, variation: Variation, ask: Ask, text: str | None) -> Agreement | None:
        if text is None:
            return None
        _, _, *tried = ask.subject
        pair, reference = (*variation.subject, *tried), variation.last.draft.answer
        reply = await self.answer(COMPARE_STAGE.ask(variation.question, reference, text, pair, self.options.comparer))
        variation.last.trial_replies.setdefault("compare", []).append(reply)
        return reply.output["agreement"] if reply.status == "ok" else None

    async def check_steps(self, variations: list[Variation]) -> None:
        """Gives a question's accepted variations steps that a model has checked. A step without a usable verdict stays
        unchecked, and so do thoughts of more than `MAX_STEPS` steps, as a model's own may be."""
        if model := self.options.checker:
            await gather_all(self._check_variation(variation, model) for variation in variations if variation.accepted)

    async def _check_variation(self, variation: Variation, model: str) -> None:
        passage, attempt = variation.passage, variation.last
        steps = attempt.draft.steps
        if not 0 < len(steps) <= MAX_STEPS:
            return
        reply = await self.answer(STEP_STAGE.ask(passage, [text for _, text in steps], variation.subject, model))
        attempt.trial_replies["steps"] = [reply]
        verdicts = verdicts_in(reply, len(steps), len(passage.spans))
        attempt.steps = [
            StepRecord(kind=kind, text=text, **_verdict_fields(verdicts.get(number), passage, reply.model or model))
            for number, (kind, text) in enumerate(steps, start=1)
        ]


def _verdict_fields(verdict: StepVerdict | None, passage: Passage, model: str) -> dict[str, object]:
    if verdict is None:
        return {}
    status = None if verdict.status == "no_claim" else verdict.status
    place = {} if status in (None, "outside") else passage.quoted(verdict.sentence)
    return {"status": status, "judged_by": model, "reason": verdict.reason, **place}


def _compare_by_rules(text: str, short: ShortAnswer) -> Agreement:
    return "equivalent" if score(text, dict(short)) else "contradicts"


def tries_of(agreements: Sequence[Agreement | None]) -> SolveTries:
    """Counts the comparisons of one setting."""
    counts = Counter(agreements)
    judged = len(agreements) - counts[None]
    return SolveTries(
        asked=len(agreements),
        equivalent=counts["equivalent"],
        partial=counts["partial"],
        contradicts=counts["contradicts"],
        absent=counts[None],
        pass_rate=round(counts["equivalent"] / judged, 4) if judged else None,
    )


def passed(tries: SolveTries) -> bool | None:
    """Whether at least half of all comparisons pass; None if that depends on the absent ones."""
    if 2 * tries.equivalent >= tries.asked:
        return True
    return False if 2 * (tries.equivalent + tries.absent) < tries.asked else None


def _need_of(without: SolveTries, with_it: SolveTries) -> Need | None:
    blind, reading = passed(without), passed(with_it)
    if blind:
        return "known"
    if blind is None or reading is None:
        return None
    return "needs_paper" if reading else "unanswered"


def _difficulty(rate: float | None) -> float | None:
    return None if rate is None else round(1 - rate, 4)
