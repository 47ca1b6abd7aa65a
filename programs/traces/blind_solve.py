"""The blind solve (`--blind-solve K`): does a question need its passage, and how hard is it?

Another model, the solver, answers each question K times without the passage and K times with it, at a temperature of
`SOLVE_TEMPERATURE` and with a sampling seed for each try. Each answer is compared with the final answer of each of the
question's V accepted variations: K x V comparisons a setting. One that makes the same main claim passes. Where an answer
has a short answer, the first that there is decides instead, by rules: K comparisons, and no model compares.

    setting      passed when at least half of its comparisons pass (rounded up)
    known        passed without the passage
    needs_paper  passed with it alone
    unanswered   passed in neither way
    difficulty   1 - pass rate: the share of the judged comparisons with the passage that do not pass (and without, apart)

What failed technically (no usable answer, or no readable comparison) is absent and counts nowhere. Where the absent ones
could have decided a setting, the setting is open and the question's need is None: undecided, never guessed. All this is the
question's: its variations carry the same, and are kept or turned down together.

With `--student-model` a second, weaker model tries the same, and its pass rates stand beside the solver's: what it fails at
and the solver does not is worth training on (`programs.export --keep`).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from programs.asking.ask import Answering, Ask, together
from programs.asking.reply import Reply
from programs.records import RULES, BlindSolve, Need, ShortAnswer, SolveTries, StudentSolve
from programs.rejection import Reason
from programs.settings import TracerOptions
from programs.stages.solve import CompareStage, SolveStage
from programs.text.short_answers import score
from programs.traces.variation import Variation
from signatures.vocabulary import Agreement

SOLVING, COMPARING = SolveStage(), CompareStage()


async def solve_blindly(variations: list[Variation], options: TracerOptions, answer: Answering) -> None:
    """Gives a question's accepted variations one `blind_solve`, and turns all down where its need is not kept."""
    accepted = [variation for variation in variations if variation.accepted]
    if not accepted or options.blind_solve is None:
        return
    short = next((found for each in accepted if (found := each.last.draft.checkable.short_answer)), None)
    without, with_it, replies = await _solved(accepted, short, options, options.solver, answer, "solve")
    student = None
    if options.student_model:
        blind, reading, _ = await _solved(accepted, short, options, options.student_model, answer, "student")
        student = StudentSolve(solver=options.student_model, without_passage=blind, with_passage=reading)
    solve = BlindSolve(
        need=need_of(without, with_it),
        difficulty=_rest(with_it.pass_rate),
        difficulty_without=_rest(without.pass_rate),
        without_passage=without,
        with_passage=with_it,
        solver=options.solver,
        compared_by=RULES if short else options.comparer,
        temperature=next((reply.temperature for reply in replies if reply.status == "ok"), None),
        variations=[each.key.variation if each.key.thought == "written" else each.key.name for each in accepted],
        student=student,
    )
    for variation in accepted:
        variation.last.blind_solve = solve
    if options.keep and solve.need not in options.keep:
        _turn_down(accepted, solve.need)


async def _solved(
    accepted: list[Variation],
    short: ShortAnswer | None,
    options: TracerOptions,
    solver: str,
    answer: Answering,
    name: str,
) -> tuple[SolveTries, SolveTries, list[Reply]]:
    """A model's tries without the passage and with it, and what it replied, which the attempts keep by this name."""
    passage, question = accepted[0].passage, accepted[0].question

    async def tried(with_passage: bool) -> tuple[SolveTries, list[Reply]]:
        numbers = range(options.blind_solve or 0)
        asks = [SOLVING.ask(passage, question, with_passage, number, solver, short) for number in numbers]
        replies = await together(map(answer, asks))
        if short is not None:
            return tries_of([_by_rules(ask, reply, short) for ask, reply in zip(asks, replies, strict=True)]), replies
        compared = await together(_compared(each, asks, replies, options.comparer, answer) for each in accepted)
        return tries_of([*chain(*compared)]), replies

    (without, blind), (with_it, reading) = await together([tried(False), tried(True)])
    for variation in accepted:
        variation.last.more[name] = [*blind, *reading]
    return without, with_it, [*blind, *reading]


def _by_rules(ask: Ask, reply: Reply, short: ShortAnswer) -> Agreement | None:
    """How a try stands to the short answer (None: absent)."""
    if reply.status != "ok":
        return None
    return "equivalent" if score(ask.read(reply.output).text, dict(short)) else "contradicts"


async def _compared(
    variation: Variation, asks: list[Ask], replies: list[Reply], comparer: str, answer: Answering
) -> list[Agreement | None]:
    """How each try stands to the answer of one of the variations (None: absent)."""

    async def compare(ask: Ask, reply: Reply) -> Reply | None:
        if reply.status != "ok":
            return None
        number, solver = ask.key.split("/", 4)[3:]
        reference, other = variation.last.draft.answer, ask.read(reply.output).text
        name = f"{variation.name}/{number}/{solver}"
        return await answer(COMPARING.ask(variation.question, reference, other, name, comparer))

    compared = await together(compare(ask, reply) for ask, reply in zip(asks, replies, strict=True))
    variation.last.more.setdefault("compare", []).extend(reply for reply in compared if reply is not None)
    return [reply.output["agreement"] if reply and reply.status == "ok" else None for reply in compared]


def _turn_down(accepted: list[Variation], need: Need | None) -> None:
    open_still = need is None and not all(variation.last.settled for variation in accepted)
    for variation in accepted:
        if open_still:
            variation.turn_down("unjudged", Reason.NEED, "undecided, to be tried again")
        else:
            variation.turn_down("rejected", Reason.NEED, need or "undecided")


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


def _rest(rate: float | None) -> float | None:
    return None if rate is None else round(1 - rate, 4)
