"""The funnel: from what was read to accepted traces, with every loss named, and what an accepted trace has cost.

The first two steps, if they are there, are of one run's reading, all others of every run of the journal. In each step
what went in is what was lost plus what was left; what was left of one goes into the next as long as the two count the same
thing. A question's variations make more traces of it, and the journal may hold texts that this run did not read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from programs.inputs.report import ARCHIVE_REASONS, ReadReport
from programs.option_groups import Price
from programs.run import tally as names
from programs.run.index import Index


class Step(BaseModel):
    """One step: `entered` == the sum of `lost` + `left`. `what` went in; `became` is what those that were left are."""

    what: str
    entered: int
    lost: dict[str, int] = Field(default_factory=dict)
    left: int
    became: str


class PerTrace(BaseModel):
    """What an accepted trace has cost over all runs of the journal, what was rejected and lost included; traces taken over
    from a document cost nothing here. Tokens are None where a server did not count some, cost where a price is missing."""

    calls: float
    tokens: float | None
    cost: float | None


class Funnel(BaseModel):
    """`taken_over` accepted traces came from a document and through no step; `per_trace` is None while there is none."""

    steps: list[Step]
    taken_over: int = 0
    per_trace: PerTrace | None = None


def funnel_of(index: Index, prices: Mapping[str, Price], read: Sequence[Step] = ()) -> Funnel:
    """The funnel as things stand. `read` are the steps of a run's reading (`steps_of_reading`), where they are known."""
    counts = index.tally()
    counts[names.USED] += index.used_by_own()
    accepted = counts[names.ACCEPTED]
    return Funnel(
        steps=[*read, *_made(counts, index.failed())],
        taken_over=counts[names.TAKEN_OVER],
        per_trace=_per_trace(index.spent(), accepted, prices) if accepted else None,
    )


def steps_of_reading(report: ReadReport, left: Mapping[str, int]) -> list[Step]:
    """What this run read. `left` counts the texts that it read and did not begin, by why."""
    skipped = {reason: count for reason, count in report.skipped.items() if reason not in ARCHIVE_REASONS}
    texts = report.samples + report.done
    lost = {"blank": report.blank, "of other shards": report.other_shards, **skipped}
    what = "lines and passages" if report.documents else "lines"
    return [
        _step(f"{what} read by this run", report.lines, lost, "texts"),
        _step("texts read by this run", texts, left, "texts begun, now or earlier"),
    ]


def _made(counts: Counter[str], failed: int) -> list[Step]:
    texts = counts[names.TEXTS] + failed
    barren = {"no model answered": failed, "no usable question": counts[names.TEXTS_BARREN]}
    drafted, usable, used = counts[names.DRAFTED], counts[names.USABLE], counts[names.USED]
    return [
        _step("texts begun by all runs", texts, barren, "texts with questions"),
        _step("questions drafted", drafted, names.lost(names.QUESTION_LOST, counts), "usable questions"),
        _step("usable questions", usable, {"not asked for so far": usable - used}, "questions worked on"),
        _step(
            "attempts at a trace written",
            counts[names.WRITTEN],
            {
                "turned down and made again": counts[names.WRITTEN_AGAIN],
                "not asked for by the present rules": counts[names.UNUSED],
            },
            "last attempts",
        ),
        _step("traces tried", counts[names.TRIED], names.lost(names.TRACE_LOST, counts), "accepted traces"),
    ]


def _step(what: str, entered: int, lost: Mapping[str, int], became: str) -> Step:
    lost = {reason: count for reason, count in lost.items() if count}
    return Step(what=what, entered=entered, lost=lost, left=entered - sum(lost.values()), became=became)


def _per_trace(spent: list[dict[str, Any]], accepted: int, prices: Mapping[str, Price]) -> PerTrace:
    counted = all(not row["uncounted"] for row in spent)
    tokens = sum(row["prompt"] + row["completion"] for row in spent)
    cost = cost_of(spent, prices)
    return PerTrace(
        calls=round(sum(row["calls"] for row in spent) / accepted, 2),
        tokens=round(tokens / accepted, 1) if counted else None,
        cost=None if cost is None else cost / accepted,
    )


def in_words(funnel: Funnel) -> Iterable[tuple[str, str]]:
    """The funnel as rows for a person: what went in, and what became of it. Steps that nothing went into are left out."""
    for step in funnel.steps:
        if step.entered:
            lost = "".join(f"\n- {count} {reason}" for reason, count in step.lost.items())
            yield f"{step.entered} {step.what}", f"{step.left} {step.became}{lost}"
    if funnel.taken_over:
        yield f"{funnel.taken_over} traces", "taken over from a document"
    if funnel.per_trace is not None:
        each = funnel.per_trace
        tokens = "unknown" if each.tokens is None else f"{each.tokens:.0f}"
        cost = "" if each.cost is None else f", {each.cost:.4g} in cost"
        yield "an accepted trace took", f"{each.calls:.1f} calls, {tokens} tokens{cost}, over all runs"


def cost_of(spent: Sequence[Mapping[str, Any]], prices: Mapping[str, Price]) -> float | None:
    """What was spent by stage and model (`programs.run.index.Index.spent`) has cost. None where nothing was, and
    where a price or a count of tokens is missing."""
    if not spent or any(row["uncounted"] or row["model"] not in prices for row in spent):
        return None
    return sum(prices[row["model"]].of(row["prompt"], row["completion"]) for row in spent)
