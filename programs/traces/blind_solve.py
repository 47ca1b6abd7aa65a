"""The blind solve (`--blind-solve K`): does a question need its passage, and how hard is it?

Another model, the solver, answers each question K times without the passage and K times with it, at a temperature of
`SOLVE_TEMPERATURE` and with a sampling seed for each try. Each answer is compared with the final answer of each of the
question's V accepted variations: K x V comparisons a setting. One that makes the same main claim passes.

    setting      passed when at least half of its comparisons pass (rounded up)
    known        passed without the passage
    needs_paper  passed with it alone
    unanswered   passed in neither way
    difficulty   1 - pass rate: the share of the judged comparisons with the passage that do not pass (and without, apart)

What failed technically (no usable answer, or no readable comparison) is absent and counts nowhere. Where the absent ones
could have decided a setting, the setting is open and the question's need is None: undecided, never guessed. All this is the
question's: its variations carry the same, and are kept or turned down together.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from programs.asking.plan import Answering, Ask, Reply, together
from programs.passage import Passage
from programs.records import BlindSolve, Need, SolveTries
from programs.stages.questions import Question
from programs.stages.solve import SolveStages
from programs.traces.unit import Unit
from signatures.vocabulary import Agreement

SOLVED = "blind solve: "
"""How the reason begins of a trace that was turned down for what its question needs."""


@dataclass(frozen=True)
class SolveRules:
    """How often a question is tried in each setting, by whom, who compares the answers, and which needs are kept (empty:
    all, undecided ones too)."""

    tries: int
    solver: str
    judge: str
    keep: tuple[Need, ...] = ()

    @property
    def basis(self) -> str:
        kept = f", {','.join(sorted(self.keep))} kept" if self.keep else ""
        return f"questions solved {self.tries} times by {self.solver}, compared by {self.judge}{kept}"


class BlindSolver:
    """Solves questions blindly, by the rules."""

    def __init__(self, rules: SolveRules, stages: SolveStages | None = None) -> None:
        self.rules = rules
        self.stages = stages or SolveStages()

    async def solve(self, passage: Passage, question: Question, units: list[Unit], answer: Answering) -> None:
        """Gives the accepted ones of a question's units their `blind_solve`, which is one for all of them, and turns all of
        them down where it is not kept."""
        accepted = [unit for unit in units if unit.status == "accepted"]
        if not accepted:
            return
        numbers = range(self.rules.tries)
        asks = [
            self.stages.solve_ask(passage, question, with_passage, number, self.rules.solver)
            for with_passage in (False, True)
            for number in numbers
        ]
        replies = await together(answer(ask) for ask in asks)
        compared = await together(self._compared(unit, asks, replies, answer) for unit in accepted)
        without = [each for found in compared for each in found[: self.rules.tries]]
        with_it = [each for found in compared for each in found[self.rules.tries :]]
        solve = solved(without, with_it, self.rules, replies, [_variation(unit) for unit in accepted])
        for unit in accepted:
            unit.attempts[-1].blind_solve = solve
        self._decide(accepted, solve.need)

    async def _compared(
        self, unit: Unit, asks: list[Ask], replies: list[Reply], answer: Answering
    ) -> list[Agreement | None]:
        """How each try stands to the answer of one of the units (None: absent)."""
        attempt = unit.attempts[-1]
        name = unit.key.named(attempt.spot.name)
        compares = [
            self.stages.compare_ask(unit.question, attempt.draft, name, ask, reply.output, self.rules.judge)
            if reply.status == "ok"
            else None
            for ask, reply in zip(asks, replies, strict=True)
        ]
        answers = iter(await together(answer(ask) for ask in compares if ask is not None))
        compared: list[Reply | None] = [None if ask is None else next(answers) for ask in compares]
        attempt.more["solve"] = replies
        attempt.more["compare"] = [reply for reply in compared if reply is not None]
        return [_agreement(ask, reply) for ask, reply in zip(compares, compared, strict=True)]

    def _decide(self, accepted: list[Unit], need: Need | None) -> None:
        if not self.rules.keep or need in self.rules.keep:
            return
        open_still = need is None and not all(unit.attempts[-1].settled for unit in accepted)
        for unit in accepted:
            if open_still:
                unit.status, unit.reason = "unjudged", f"{SOLVED}undecided, to be tried again"
            else:
                unit.status, unit.reason = "rejected", f"{SOLVED}{need or 'undecided'}"


def solved(
    without: Sequence[Agreement | None],
    with_it: Sequence[Agreement | None],
    rules: SolveRules,
    replies: Sequence[Reply],
    variations: list[int | str],
) -> BlindSolve:
    """The record of what the comparisons in both settings came to (None: absent), over these variations' answers."""
    blind, reading = tries_of(without), tries_of(with_it)
    return BlindSolve(
        need=need_of(blind, reading),
        difficulty=_rest(reading.pass_rate),
        difficulty_without=_rest(blind.pass_rate),
        without_passage=blind,
        with_passage=reading,
        solver=rules.solver,
        compared_by=rules.judge,
        temperature=next((reply.temperature for reply in replies if reply.status == "ok"), None),
        variations=variations,
    )


def tries_of(found: Sequence[Agreement | None]) -> SolveTries:
    """Counts one setting's comparisons."""
    counts = Counter(found)
    judged = len(found) - counts[None]
    return SolveTries(
        asked=len(found),
        equivalent=counts["equivalent"],
        partial=counts["partial"],
        contradicts=counts["contradicts"],
        absent=counts[None],
        pass_rate=round(counts["equivalent"] / judged, 4) if judged else None,
    )


def passed(tries: SolveTries) -> bool | None:
    """Whether at least half of all comparisons pass; None where that hangs on the absent ones."""
    wanted = -(-tries.asked // 2)
    if tries.equivalent >= wanted:
        return True
    return False if tries.equivalent + tries.absent < wanted else None


def need_of(without: SolveTries, with_it: SolveTries) -> Need | None:
    """What the question needs; None: undecided."""
    blind, reading = passed(without), passed(with_it)
    if blind:
        return "known"
    if blind is None or reading is None:
        return None
    return "needs_paper" if reading else "unanswered"


def _variation(unit: Unit) -> int | str:
    return unit.key.variation if unit.key.thought == "written" else unit.key.name


def _agreement(ask: Ask | None, reply: Reply | None) -> Agreement | None:
    if ask is None or reply is None or reply.status != "ok":
        return None
    found: Agreement = ask.read(reply.output).agreement
    return found


def _rest(rate: float | None) -> float | None:
    return None if rate is None else round(1 - rate, 4)
