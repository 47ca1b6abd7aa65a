"""From what was read to accepted traces, with every loss named; what an accepted trace has cost; and what the optional
checks found. All of it is asked of the journal's index.

The first step, if it is there, is of one run's reading, all others are of every run of the journal. In each step what went
in is what was lost plus what was left, which goes into the next as long as the two count the same thing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from programs.inputs.report import ARCHIVE_REASONS, ReadReport
from programs.option_groups import Price
from programs.run.index import UNDECIDED, Index
from programs.traces.line import IMPORTED, WITHDRAWN

TRIED = f"from variation where status != '{WITHDRAWN}' and basis != '{IMPORTED}'"
"""The variations that count: where one was withdrawn its question was lost, and no rule of ours decided imported ones."""

MOST_LOSSES = 20


class Step(BaseModel):
    """`entered` == the sum of `lost` + `left`. `what` went in; `became` is what those that were left are."""

    what: str
    entered: int
    lost: dict[str, int] = Field(default_factory=dict)
    left: int
    became: str


class PerTrace(BaseModel):
    """What an accepted trace has cost over all runs of the journal, what was rejected and lost included. Tokens are None
    where a server did not count some, cost where a price is missing."""

    calls: float
    tokens: float | None
    cost: float | None


class Funnel(BaseModel):
    """`taken_over` accepted traces came from a document and through no step; `per_trace` is None while there is none."""

    steps: list[Step]
    taken_over: int = 0
    per_trace: PerTrace | None = None


class SolveFindings(BaseModel):
    """How many questions have which need, those included that were turned down for it; and the mean measured difficulty
    (1 - pass rate with the passage) over the `rated` ones, None where there is none."""

    known: int = 0
    needs_paper: int = 0
    unanswered: int = 0
    undecided: int = 0
    rated: int = 0
    mean_difficulty: float | None = None


class StepFindings(BaseModel):
    """The steps of the accepted traces, and the verdicts of models. `no_claim` ones only ask, plan or doubt."""

    steps: int = 0
    checked: int = 0
    supported: int = 0
    inferred: int = 0
    outside: int = 0
    contradicted: int = 0
    no_claim: int = 0


class Findings(BaseModel):
    """What the checks found over all runs of a journal; None: nothing was checked."""

    steps: StepFindings | None = None
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
    """The funnel as things stand. `report` is of a run's reading, where that is known."""
    tried, accepted, used = _sums(index, f"select count(*), sum(status = 'accepted'), count(distinct question) {TRIED}")
    pools, barren, under_way, drafted, usable = _sums(index, _POOLS)
    written, again, unused = _sums(index, _ATTEMPTS)
    (taken_over,) = _sums(index, f"select count(*) from variation where basis = '{IMPORTED}'")
    without, lost_questions = index.without_questions(), dict(index.query(_LOST_QUESTIONS))
    no_questions = {
        **without,
        "no usable question": barren - under_way,
        "no usable question so far": under_way,
    }
    attempts = {"turned down and made again": again, "not asked for by the present rules": unused}
    steps = [
        _step("texts begun by all runs", pools + sum(without.values()), no_questions, "texts with questions"),
        _step("questions drafted", drafted, lost_questions, "usable questions"),
        _step("usable questions", usable, {"not asked for so far": usable - used}, "questions worked on"),
        _step("attempts at a trace written", written + unused, attempts, "last attempts"),
        _step("traces tried", tried, dict(index.query(_LOST_TRACES)), "accepted traces"),
    ]
    if report is not None:
        skipped = {reason: count for reason, count in report.skipped.items() if reason not in ARCHIVE_REASONS}
        lost = {"blank": report.blank, **skipped}
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
    tokens, cost = sum(row["prompt"] + row["completion"] for row in spent), cost_of(spent, prices)
    return PerTrace(
        calls=round(sum(row["calls"] for row in spent) / accepted, 2),
        tokens=None if any(row["uncounted"] for row in spent) else round(tokens / accepted, 1),
        cost=None if cost is None else cost / accepted,
    )


def cost_of(spent: Sequence[Mapping[str, Any]], prices: Mapping[str, Price]) -> float | None:
    """What was spent by stage and model (`programs.run.index.Index.spent`) has cost. None where nothing was, and
    where a price or a count of tokens is missing."""
    if not spent or any(row["uncounted"] or row["model"] not in prices for row in spent):
        return None
    return sum(prices[row["model"]].of(row["prompt"], row["completion"], row["cached"]) for row in spent)


def losses(index: Index, since: int) -> dict[str, int]:
    """The most frequent reasons, with details, for losses of traces and texts that were decided from offset `since` on."""
    query = (
        "select name, count(*) from (select status || ': ' || why as name from variation where at >= ? and why is not null"
        " union all select 'failed: ' || failure from sample where at >= ? and failure is not null)"
        " group by name order by 2 desc, 1 limit ?"
    )
    return dict(index.query(query, since, since, MOST_LOSSES))


def findings_of(index: Index) -> Findings:
    steps = "select s.key, sum(s.value) from variation, json_each(facts, '$.steps') s group by s.key order by s.key"
    solved = (
        "select json_extract(facts, '$.solved.need') need, json_extract(facts, '$.solved.difficulty') at from variation"
    )
    counted = dict(index.query(steps))
    needs = dict(index.query(f"select need, count(*) from ({solved}) where need is not null group by need"))
    ((rated, mean),) = index.query(f"select count(at), round(avg(at), 4) from ({solved})")
    return Findings(
        steps=StepFindings(**counted) if counted else None,
        blind_solve=SolveFindings(**needs, rated=rated, mean_difficulty=mean) if needs else None,
    )


def findings_in_words(found: Findings) -> Iterator[tuple[str, str]]:
    """The findings for a person: a name and a line for each."""
    if (steps := found.steps) is not None:
        verdicts = steps.model_dump(exclude={"steps", "checked"})
        said = listed({name.replace("_", " "): count for name, count in verdicts.items()})
        yield "steps", f"{steps.checked} of {steps.steps} checked: {said}"
    if (solve := found.blind_solve) is not None:
        mean = "unknown" if solve.mean_difficulty is None else f"{solve.mean_difficulty:.2f}"
        asked = solve.known + solve.needs_paper + solve.unanswered + solve.undecided
        yield (
            "blind solve",
            f"of {asked} questions {solve.known} known, {solve.needs_paper} need the paper, {solve.unanswered} unanswered, "
            f"{solve.undecided} {UNDECIDED}; mean difficulty {mean} over {solve.rated}",
        )


def funnel_in_words(funnel: Funnel) -> Iterator[tuple[str, str]]:
    """The funnel for a person: what went in, and what became of it. Steps that nothing went into are left out."""
    for step in funnel.steps:
        if step.entered:
            lost = "".join(f"\n- {count} {reason}" for reason, count in step.lost.items())
            yield f"{step.entered} {step.what}", f"{step.left} {step.became}{lost}"
    if funnel.taken_over:
        yield f"{funnel.taken_over} traces", "taken over from a document"
    if (each := funnel.per_trace) is not None:
        tokens = "unknown" if each.tokens is None else f"{each.tokens:.0f}"
        cost = "" if each.cost is None else f", {each.cost:.4g} in cost"
        yield "an accepted trace took", f"{each.calls:.1f} calls, {tokens} tokens{cost}, over all runs"


def listed(counts: Mapping[str, int], before: str = "") -> str:
    """Counts by name on one line; nothing where there are none."""
    return before + ", ".join(f"{count} {name}" for name, count in counts.items()) if counts else ""
