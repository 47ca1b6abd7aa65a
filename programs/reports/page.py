"""Writes the page: one HTML file with its style, script and traces. Its Content-Security-Policy blocks all requests, and
all scripts and styles other than the page's own, which it allows by hash."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from programs.errors import UserError
from programs.files import atomic_write, run_name
from programs.reports.charts import charts_of
from programs.reports.source import ReportedRun, read_run
from programs.reports.traces import GRADE, SCORE, page_pieces
from programs.statistics.counts import Spread
from programs.versions import utc_now

GENERATOR = "SynthReasoner report"
TILES = (
    "accepted traces",
    "rejected attempts",
    "mean score of the accepted traces (1-10)",
    "agreement (Krippendorff's alpha)",
    "mean grade of the answers (0-1)",
    "tokens per accepted trace",
    "cost",
)
"""The numbers at the top of the page, if known."""
_WHOLE = "{:,.0f}"
_TWO_DECIMALS, _THREE_DECIMALS = "{:.2f}", "{:.3f}"


def write_report(document: Path, page: Path, max_traces: int) -> list[str]:
    """Reads the document and writes the page atomically, with the newest `max_traces` traces. Returns lines for the
    terminal. Raises `UserError`, also if `page` is a file that is not a report, and `StorageError`."""
    if page.is_dir():
        raise UserError(f"--output: {page} is a folder; name a file")
    if page.exists() and not _is_report(page):
        raise UserError(f"{page} exists and is not a report; name another file with --output")
    run = read_run(document, max_traces)
    notes = [run.note] if run.note else []
    if len(run.newest) < (total := run.counts.outcomes.total()):
        notes.append(f"The newest {len(run.newest):,} of {total:,} traces can be read here; the numbers cover all.")
    with atomic_write(page) as file:
        for text in _page_texts(run, run_name(document), notes):
            file.write(text.encode("utf-8", "surrogatepass"))
    return [f"{page}: {len(run.newest)} traces to read, {page.stat().st_size / 1e6:.1f} MB", *notes]


def _page_texts(run: ReportedRun, title: str, notes: Sequence[str]) -> Iterator[str]:
    """The page piece by piece."""
    template, style, script = (
        Path(__file__).with_name(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    # Jinja escapes text by models and papers. Our own files and base64 need no escaping.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    groups = _figures(run)
    return environment.from_string(template).generate(
        generator=GENERATOR,
        policy=_security_policy(script, style),
        style=Markup(style),
        script=Markup(script),
        title=title,
        written=utc_now(),
        run=run,
        notes=notes,
        tiles={name: groups["The run"][name] for name in TILES if name in groups["The run"]},
        charts=charts_of(run.counts.charts, run.summary.get("spent_in_all") or []),
        groups=groups,
        losses=_funnel_rows(run),
        pieces=map(Markup, page_pieces(run.newest)),
    )


def _figures(run: ReportedRun) -> dict[str, dict[str, str]]:
    """All numbers by group and name, in order. Unknown ones are left out, never shown as 0."""
    accepted, notable = run.counts.outcomes["accepted"], run.counts.notable.most_common()

    def median_and_range(spread: Spread) -> str:
        return "{1} ({0} to {2})".format(*(f"{spread.quantile(share) or 0:,g}" for share in (0.05, 0.5, 0.95)))

    groups = {
        "The run": {name: pattern.format(value) for name, value, pattern in _numbers(run) if value is not None},
        "Shares of accepted traces": {name: f"{count / accepted:.1%}" for name, count in notable},
        "Of accepted traces: median (5% to 95%)": {
            name: median_and_range(spread) for name, spread in run.counts.numbers.items() if spread.known
        },
    }
    return {group: figures for group, figures in groups.items() if figures}


def _numbers(run: ReportedRun) -> Iterator[tuple[str, float | int | None, str]]:
    outcomes = run.counts.outcomes
    accepted = outcomes["accepted"]
    yield "accepted traces", accepted, _WHOLE
    judged = run.note is None and (outcomes["below"] or run.judges)
    yield "rejected attempts", outcomes["below"] if judged else None, _WHOLE
    for name in sorted(outcomes.keys() - {"accepted", "below"}):
        yield f"traces not accepted: {name}", outcomes[name], _WHOLE
    scored, graded = run.counts.numbers[SCORE], run.counts.numbers[GRADE]
    if judges := run.judges:
        yield "mean score of the accepted traces (1-10)", scored.mean, _TWO_DECIMALS
        yield "accepted traces without a score", scored.missing or None, _WHOLE
        yield "agreement (Krippendorff's alpha)", judges.alpha, _THREE_DECIMALS
        for judge, ratings in judges.judges.items():
            yield f"mean rating by {judge}", ratings.mean, _TWO_DECIMALS
            yield f"verdicts missing from {judge}", ratings.unscored or None, _WHOLE
    yield "mean grade of the answers (0-1)", graded.mean, _THREE_DECIMALS
    yield "accepted traces without a mean grade", (graded.missing or None) if graded.known else None, _WHOLE
    if solved := (run.summary.get("findings") or {}).get("blind_solve"):
        yield "questions that need the paper", solved["needs_paper"], _WHOLE
        yield "questions answered without the paper", solved["known"], _WHOLE
    if spent := run.summary.get("spent_in_all"):
        counts = ("prompt", "completion", "calls", "seconds", "uncounted")
        read, written, calls, seconds, uncounted = (sum(row[name] for row in spent) for name in counts)
        counted = not uncounted
        yield "calls", calls, _WHOLE
        yield "tokens read", read if counted else None, _WHOLE
        yield "tokens written", written if counted else None, _WHOLE
        yield "seconds spent waiting for models", seconds, _WHOLE
        # The `cost` in a document's summary is that of its latest run only.
        cost = run.summary.get("cost_in_all")
        yield "cost", cost, "{:,.2f}" if (cost or 0) >= 100 else "{:.4g}"
        yield "calls per accepted trace", calls / accepted if accepted else None, "{:,.1f}"
        yield "tokens per accepted trace", (read + written) / accepted if counted and accepted else None, _WHOLE


def _funnel_rows(run: ReportedRun) -> dict[str, dict[str, int | str]]:
    rows = dict[str, dict[str, int | str]]()
    funnel = run.summary.get("funnel") or {"steps": []}
    for step in funnel["steps"]:
        lost = "; ".join(f"{count:,} {reason}" for reason, count in step["lost"].items()) or "nothing"
        rows[step["what"]] = {"went in": step["entered"], "lost": lost, "left": step["left"], "as": step["became"]}
    if imported := funnel.get("taken_over"):
        rows["taken over from a document"] = {"went in": "", "lost": "", "left": imported, "as": "accepted traces"}
    return rows


def _security_policy(script: str, style: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    return "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; form-action 'none'".format(*digests)


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(1024)
