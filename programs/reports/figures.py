"""The numbers of a report's summary. What is not known is left out, never shown as 0."""

from collections.abc import Iterator

from programs.reports.source import ReportedRun
from programs.reports.traces import GRADE, SCORE

WHOLE, ONE, TWO, THREE, BRIEF = "{:,.0f}", "{:,.1f}", "{:.2f}", "{:.3f}", "{:.4g}"

Line = tuple[str, float | int | None, str]
"""A name, what it comes to, and how that is written."""


def figures_of(run: ReportedRun) -> dict[str, dict[str, str]]:
    """All numbers for a person, by group and name, in order."""
    groups = {
        group: {name: form.format(value) for name, value, form in lines(run) if value is not None}
        for group, lines in GROUPS.items()
    }
    accepted = run.counts.became["accepted"]
    groups["Shares of accepted traces"] = {
        name: f"{count / accepted:.1%}" for name, count in run.counts.notable.most_common()
    }
    groups["Of accepted traces: median (5% to 95%)"] = {
        name: "{1} ({0} to {2})".format(*(f"{spread.quantile(share) or 0:,g}" for share in (0.05, 0.5, 0.95)))
        for name, spread in run.counts.numbers.items()
        if spread.known
    }
    return {group: figures for group, figures in groups.items() if figures}


def losses_of(run: ReportedRun) -> dict[str, dict[str, int | str]]:
    """The funnel, by what went into a step."""
    if run.funnel is None:
        return {}
    rows: dict[str, dict[str, int | str]] = {
        step.what: {
            "went in": step.entered,
            "lost": "; ".join(f"{count:,} {reason}" for reason, count in step.lost.items()) or "nothing",
            "left": step.left,
            "as": step.became,
        }
        for step in run.funnel.steps
    }
    if taken := run.funnel.taken_over:
        rows["taken over from a document"] = {"went in": "", "lost": "", "left": taken, "as": "accepted traces"}
    return rows


def _traces(run: ReportedRun) -> Iterator[Line]:
    became = run.counts.became
    yield "accepted traces", became["accepted"], WHOLE
    judged = run.note is None and (became["below"] or run.judges)
    yield "attempts turned down by the judges", became["below"] if judged else None, WHOLE
    for name, count in became.items():
        if name not in ("accepted", "below"):
            yield f"traces not taken: {name}", count, WHOLE
    if run.findings and (solved := run.findings.blind_solve):
        yield "questions that need the paper", solved.needs_paper, WHOLE
        yield "questions answered without the paper", solved.known, WHOLE


def _judged(run: ReportedRun) -> Iterator[Line]:
    scored, graded = run.counts.numbers[SCORE], run.counts.numbers[GRADE]
    if judges := run.judges:
        yield "mean score of the accepted traces (1-10)", scored.mean, TWO
        yield "accepted traces without a score", scored.missing or None, WHOLE
        yield "agreement (Krippendorff's alpha)", judges.alpha, THREE
        for judge, ratings in judges.judges.items():
            yield f"mean rating by {judge}", ratings.mean, TWO
            yield f"verdicts missing from {judge}", ratings.unscored or None, WHOLE
    if graded.known:
        yield "mean grade of the answers (0-1)", graded.mean, THREE
        yield "accepted traces without a mean grade", graded.missing or None, WHOLE


def _spent(run: ReportedRun) -> Iterator[Line]:
    accepted = run.counts.became["accepted"]
    if not (spent := run.spent):
        return
    read, written, calls, seconds = (
        sum(row[name] for row in spent) for name in ("prompt", "completion", "calls", "seconds")
    )
    counted = not any(row["uncounted"] for row in spent)
    yield "calls", calls, WHOLE
    yield "tokens read", read if counted else None, WHOLE
    yield "tokens written", written if counted else None, WHOLE
    yield "seconds of waiting for the models", seconds, WHOLE
    yield "cost", run.cost, BRIEF
    if accepted:
        yield "calls for an accepted trace", calls / accepted, ONE
        yield "tokens for an accepted trace", (read + written) / accepted if counted else None, WHOLE


GROUPS = {
    "Traces": _traces,
    "Judges and grades": _judged,
    "Spent by all runs": _spent,
}
