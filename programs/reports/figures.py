"""The numbers of a report's summary: for one run, or two of them with their difference."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from programs.reports.source import ReportedRun

MISSING = "not known"
WHOLE, ONE, TWO, THREE, PERCENT, BRIEF = "{:,.0f}", "{:,.1f}", "{:.2f}", "{:.3f}", "{:.1%}", "{:.4g}"

Value = float | int | None
Line = tuple[str, Value, str]
"""A name, what it comes to, and how that is written."""


@dataclass(frozen=True)
class Figure:
    """One number of each run, under one name. None is what is not known; it is never shown as 0."""

    group: str
    name: str
    values: Sequence[Value]
    form: str = WHOLE

    @property
    def shown(self) -> list[str]:
        """Each value for a person."""
        return [MISSING if value is None else self.form.format(value) for value in self.values]

    @property
    def difference(self) -> str:
        """The second less the first, with its sign."""
        first, last = self.values[0], self.values[-1]
        if first is None or last is None:
            return MISSING
        shown = self.form.format(abs(last - first))
        return f"{'+' if last > first else '−'}{shown}" if any(digit in shown for digit in "123456789") else "0"


def figures_of(runs: Sequence[ReportedRun]) -> list[Figure]:
    """All numbers, in order. One that no run knows is left out."""
    each = [
        {(group, name): (value, form) for group, lines in GROUPS.items() for name, value, form in lines(run)}
        for run in runs
    ]
    keys = dict.fromkeys(key for found in each for key in found)
    figures = [
        Figure(*key, [found.get(key, (None, ""))[0] for found in each], next(f[key][1] for f in each if key in f))
        for key in keys
    ]
    return [figure for figure in figures if any(value is not None for value in figure.values)]


def _traces(run: ReportedRun) -> Iterator[Line]:
    became, facts = run.counts.became, run.facts
    yield "accepted traces", became["accepted"], WHOLE
    yield "attempts turned down by the judges", became["below"] if facts.note is None else None, WHOLE
    for name, count in became.items():
        if name not in ("accepted", "below"):
            yield f"traces not taken: {name}", count, WHOLE
    for step in facts.funnel.steps if facts.funnel else []:
        yield step.what, step.entered, WHOLE


def _judges(run: ReportedRun) -> Iterator[Line]:
    numbers, judges = run.counts.numbers, run.judges
    if judges is None:
        return
    yield "mean score of the accepted traces (1-10)", numbers["score"].mean, TWO
    yield "accepted traces without a score", numbers["score"].missing or None, WHOLE
    yield "mean difference between the judges of a trace", numbers["difference"].mean, TWO
    yield "agreement (Krippendorff's alpha)", judges.alpha, THREE
    for pair in judges.pairs:
        yield f"agreement of {' and '.join(pair.judges)} (weighted kappa)", pair.weighted_kappa, THREE
    for judge, ratings in judges.judges.items():
        yield f"mean rating by {judge}", ratings.mean, TWO
        yield f"verdicts missing from {judge}", ratings.unscored or None, WHOLE


def _grades(run: ReportedRun) -> Iterator[Line]:
    for name, spread in run.counts.grades.items():
        yield "mean grade (0-1)" if name == "overall_score" else name.replace("_", " "), spread.mean, THREE
    graded = run.counts.grades["overall_score"]
    yield "accepted traces without a mean grade", (graded.missing or None) if graded.known else None, WHOLE


def _thoughts(run: ReportedRun) -> Iterator[Line]:
    said = run.thoughts
    if said is None:
        return
    if said.kinds:
        yield "thoughts with a wrong turn", said.with_wrong_turn / said.traces, PERCENT
    yield "thoughts that begin like the most frequent one", max(said.openings.values()) / said.traces, PERCENT
    yield "traces that need the passage", said.needing_passage, WHOLE
    yes, no = (said.yes_or_no.get(answer, 0) for answer in ("yes", "no"))
    yield "share of yes, of the answers yes and no", yes / (yes + no) if yes + no else None, PERCENT


def _checks(run: ReportedRun) -> Iterator[Line]:
    found = run.facts.findings
    if found and found.steps:
        yield "steps of thoughts", found.steps.steps, WHOLE
        yield "steps that the passage contradicts, by a model's word", found.steps.contradicted, WHOLE
    if found and found.blind_solve:
        yield "questions that need the paper", found.blind_solve.needs_paper, WHOLE
        yield "questions answered without the paper", found.blind_solve.known, WHOLE
        yield "mean measured difficulty", found.blind_solve.mean_difficulty, TWO


def _words(run: ReportedRun) -> Iterable[Line]:
    names = ("passage", "question", "thought", "answer")
    return [(name, run.counts.numbers[name].quantile(0.5), WHOLE) for name in names]


def _spent(run: ReportedRun) -> Iterator[Line]:
    spent, accepted = run.facts.spent, run.counts.became["accepted"]
    if not spent:
        return
    counted = not any(row["uncounted"] for row in spent)
    read, written = (sum(row[name] for row in spent) if counted else None for name in ("prompt", "completion"))
    calls = sum(row["calls"] for row in spent)
    yield "calls", calls, WHOLE
    yield "tokens read", read, WHOLE
    yield "tokens written", written, WHOLE
    yield "seconds of waiting for the models", sum(row["seconds"] for row in spent), WHOLE
    yield "cost", run.facts.cost, BRIEF
    if accepted:
        yield "calls for an accepted trace", calls / accepted, ONE
        yield "tokens for an accepted trace", None if read is None else (read + written) / accepted, WHOLE


GROUPS = {
    "Traces": _traces,
    "Judges": _judges,
    "Grades of the answers": _grades,
    "Thoughts": _thoughts,
    "Checks": _checks,
    "Words (median)": _words,
    "Spent by all runs": _spent,
}
