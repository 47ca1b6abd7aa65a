"""The funnel from input lines to accepted traces, with a reason for every loss; the cost of an accepted trace; and the
findings of the optional checks. All figures are queries to the journal's index.

The first step, if present, covers what one run read; all others cover every run of the journal. In each step, what entered
equals what was lost plus what is left. What is left enters the next step if both steps count the same thing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from programs.inputs.report import ReadReport
from programs.option_groups import Price
from programs.run.index import UNDECIDED, Index
from programs.traces.line import IMPORTED, WITHDRAWN

TRIED = f"from variation where status != '{WITHDRAWN}' and basis != '{IMPORTED}'"
"""The variations that count. Withdrawn ones are counted as lost questions; imported ones were not decided by our rules."""

MAX_LOSSES = 20


class Step(BaseModel):
    """`entered` == sum of `lost` + `left`. `what` names the things that entered, `became` the things that are left."""

    what: str
    entered: int
    lost: dict[str, int] = Field(default_factory=dict)
    left: int
    became: str


class PerTrace(BaseModel):
    """The mean cost of an accepted trace over all runs of the journal, including what was rejected and lost. `tokens` and
    `cost` are None if a server did not count some tokens, `cost` also if a price is missing."""

    calls: float
    tokens: float | None
    cost: float | None


class Funnel(BaseModel):
    """`taken_over`: accepted traces imported from a document, in no step. `per_trace`: None if there are no others."""

    steps: list[Step]
    taken_over: int = 0
    per_trace: PerTrace | None = None


class SolveFindings(BaseModel):
    """The number of questions by need, including those rejected for it, and the mean measured difficulty (1 - pass rate
    with the passage) over the `rated` questions, None if there are none."""

    known: int = 0
    needs_paper: int = 0
    unanswered: int = 0
    undecided: int = 0
    rated: int = 0
    mean_difficulty: float | None = None


class Findings(BaseModel):
    """What the checks found over all runs of a journal; None if nothing was checked."""

    blind_solve: SolveFindings | None = None


_WRITTEN = "json_extract(facts, '$.written')"
_ATTEMPTS = f"select sum({_WRITTEN}), sum(max({_WRITTEN} - 1, 0)), sum(json_extract(facts, '$.unused')) {TRIED}"
_POOLS = (
    "select count(*), sum(usable = 0), sum(usable = 0 and not exists (select 1 from sample where sample.key = pool.key)),"
    " sum(drafted), sum(usable) from pool"
)
_LOST_QUESTIONS = (
    "select lost.key, sum(lost.value) from pool, json_each(facts, '$.lost') lost group by lost.key order by 2 desc, 1"
)
_LOST_TRACES = f"select loss, count(*) {TRIED} and loss is not null group by loss order by 2 desc, 1"


def funnel_of(index: Index, prices: Mapping[str, Price], report: ReadReport | None = None) -> Funnel:
    """The funnel as it is now. `report`: what one run read, if known; it gives the first step."""
    tried, accepted, used = _sums(index, f"select count(*), sum(status = 'accepted'), count(distinct question) {TRIED}")
    pools, without_usable, unfinished, drafted, usable = _sums(index, _POOLS)
    written, remade, unused = _sums(index, _ATTEMPTS)
    (taken_over,) = _sums(index, f"select count(*) from variation where basis = '{IMPORTED}'")
    without = index.without_questions()
    no_questions = {
        **without,
        "no usable question": without_usable - unfinished,
        "no usable question so far": unfinished,
    }
    attempts = {"rejected and made again": remade, "not needed by the present rules": unused}
    steps = [
        _step("texts started by all runs", pools + sum(without.values()), no_questions, "texts with questions"),
        _step("questions drafted", drafted, dict(index.query(_LOST_QUESTIONS)), "usable questions"),
        _step("usable questions", usable, {"not used so far": usable - used}, "questions worked on"),
        _step("attempts written", written + unused, attempts, "last attempts"),
        _step("traces tried", tried, dict(index.query(_LOST_TRACES)), "accepted traces"),
    ]
    if report is not None:
        lost = {"blank": report.blank, **report.skipped}
        what = "lines and passages" if report.documents else "lines"
        steps.insert(0, _step(f"{what} read by this run", report.lines, lost, "texts"))
    per_trace = _per_trace(index.spent(), accepted, prices) if accepted else None
    return Funnel(steps=steps, taken_over=taken_over, per_trace=per_trace)


def _sums(index: Index, query: str) -> list[int]:
    (row,) = index.query(query)
    return [int(count or 0) for count in row]


def _step(what: str, entered: int, lost: Mapping[str, int], became: str) -> Step:
    lost = {reason: count for reason, count in lost.items() if count}
    return Step(what=what, entered=entered, lost=lost, left=entered - sum(lost.values()), became=became)


def _per_trace(spent: list[dict[str, Any]], accepted: int, prices: Mapping[str, Price]) -> PerTrace:
    tokens = sum(row["prompt"] + row["completion"] for row in spent)
    cost = cost_of(spent, prices)
    return PerTrace(
        calls=round(sum(row["calls"] for row in spent) / accepted, 2),
        tokens=None if any(row["uncounted"] for row in spent) else round(tokens / accepted, 1),
        cost=None if cost is None else cost / accepted,
    )


def cost_of(spent: Sequence[Mapping[str, Any]], prices: Mapping[str, Price]) -> float | None:
    """The cost of what was spent (rows of `programs.run.index.Index.spent`). None if there are no rows, or if a price or a
    token count is missing."""
    if not spent or any(row["uncounted"] or row["model"] not in prices for row in spent):
        return None
    return sum(prices[row["model"]].cost(row["prompt"], row["completion"], row["cached"]) for row in spent)


def losses(index: Index, since: int) -> dict[str, int]:
    """The most frequent reasons, with details, why traces and texts were lost since offset `since` in the journal."""
    query = (
        "select name, count(*) from (select status || ': ' || why as name from variation where at >= ? and why is not null"
        " union all select 'failed: ' || failure from sample where at >= ? and failure is not null)"
        " group by name order by 2 desc, 1 limit ?"
    )
    return dict(index.query(query, since, since, MAX_LOSSES))


def findings_of(index: Index) -> Findings:
    solved = (
        "select json_extract(facts, '$.solved.need') need, json_extract(facts, '$.solved.difficulty') at from variation"
    )
    needs = dict(index.query(f"select need, count(*) from ({solved}) where need is not null group by need"))
    ((rated, mean),) = index.query(f"select count(at), round(avg(at), 4) from ({solved})")
    return Findings(
        blind_solve=SolveFindings(**needs, rated=rated, mean_difficulty=mean) if needs else None,
    )


def findings_in_words(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yields a name and a readable line for each kind of findings."""
    if (solve := findings.blind_solve) is not None:
        mean = "unknown" if solve.mean_difficulty is None else f"{solve.mean_difficulty:.2f}"
        asked = solve.known + solve.needs_paper + solve.unanswered + solve.undecided
        yield (
            "blind solve",
            f"of {asked} questions {solve.known} known, {solve.needs_paper} need the paper, {solve.unanswered} unanswered, "
            f"{solve.undecided} {UNDECIDED}; mean difficulty {mean} over {solve.rated}",
        )


def funnel_in_words(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """Yields what entered each step and what became of it, in words. Steps that nothing entered are left out."""
    for step in funnel.steps:
        if step.entered:
            lost = "".join(f"\n- {count} {reason}" for reason, count in step.lost.items())
            yield f"{step.entered} {step.what}", f"{step.left} {step.became}{lost}"
    if funnel.taken_over:
        yield f"{funnel.taken_over} traces", "imported from a document"
    if (mean := funnel.per_trace) is not None:
        tokens = "unknown" if mean.tokens is None else f"{mean.tokens:.0f}"
        cost = "" if mean.cost is None else f", {mean.cost:.4g} in cost"
        yield "per accepted trace", f"{mean.calls:.1f} calls, {tokens} tokens{cost}, over all runs"


def counts_line(counts: Mapping[str, int], before: str = "") -> str:
    """Counts by name on one line that starts with `before`; empty if there are none."""
    return before + ", ".join(f"{count} {name}" for name, count in counts.items()) if counts else ""
