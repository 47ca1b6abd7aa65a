"""The page: one HTML file that holds its style, its script and its traces. Its Content-Security-Policy lets no request out
and runs no script and no style but the page's own, known by their hashes."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import jinja2
from markupsafe import Markup

from programs.errors import UserError
from programs.files import JOURNAL, beside, in_place, run_name
from programs.reports.charts import charts_of, longest
from programs.reports.source import ReportedRun, read_run
from programs.reports.traces import GRADE, SCORE, pieces_of
from programs.statistics.counts import Spread
from programs.versions import stamp

GENERATOR = "SynthReasoner report"
TILES = (
    "accepted traces",
    "attempts turned down by the judges",
    "mean score of the accepted traces (1-10)",
    "agreement (Krippendorff's alpha)",
    "mean grade of the answers (0-1)",
    "tokens for an accepted trace",
    "cost",
)
"""The numbers that stand above all others, where they are known."""
WHOLE, TWO, THREE = "{:,.0f}", "{:.2f}", "{:.3f}"


def write_report(document: Path, page: Path, most: int) -> list[str]:
    """Reads the document, writes the page in one step, and says in lines for a person what it holds: of `most` traces at
    most, the newest. Raises `UserError`, also before writing over another's file, and `StorageError`."""
    if page.resolve() in (document.resolve(), beside(document, JOURNAL).resolve()):
        raise UserError(f"--output: {page} is what the report is made from; name another file")
    if page.is_dir():
        raise UserError(f"--output: {page} is a folder; name a file")
    if page.exists() and not _is_ours(page):
        raise UserError(f"{page} is there and is no report; name another file with --output")
    run = read_run(document, most)
    notes = [run.note] if run.note else []
    if len(run.newest) < (total := run.counts.became.total()):
        notes.append(f"{len(run.newest):,} of {total:,} traces, the newest, can be read here; the numbers are of all.")
    groups = _figures(run)
    known = {name: text for figures in groups.values() for name, text in figures.items()}
    template, style, script = (
        Path(__file__).with_name(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    # Jinja escapes what models and papers wrote; base64 and our own files need none.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["said"] = _said
    texts = environment.from_string(template).stream(
        generator=GENERATOR,
        policy=_policy(script, style),
        style=Markup(style),
        script=Markup(script),
        title=run_name(document),
        written=stamp(),
        run=run,
        notes=notes,
        tiles={name: known[name] for name in TILES if name in known},
        charts=charts_of(run.counts.charts, run.spent),
        longest=longest,
        groups=groups,
        lost=_losses(run),
        pieces=map(Markup, pieces_of(run.newest)),
    )
    with in_place(page) as file:
        for text in texts:
            file.write(text.encode("utf-8", "surrogatepass"))
    return [f"{page}: {len(run.newest)} traces, {page.stat().st_size / 1e6:.1f} MB", *notes]


def _figures(run: ReportedRun) -> dict[str, dict[str, str]]:
    """All numbers by group and name, in order. What is not known is left out, never shown as 0."""
    accepted, notable = run.counts.became["accepted"], run.counts.notable.most_common()

    def spanned(spread: Spread) -> str:
        return "{1} ({0} to {2})".format(*(f"{spread.quantile(share) or 0:,g}" for share in (0.05, 0.5, 0.95)))

    groups = {
        "The run": {name: form.format(value) for name, value, form in _numbers(run) if value is not None},
        "Shares of accepted traces": {name: f"{count / accepted:.1%}" for name, count in notable},
        "Of accepted traces: median (5% to 95%)": {
            name: spanned(spread) for name, spread in run.counts.numbers.items() if spread.known
        },
    }
    return {group: figures for group, figures in groups.items() if figures}


def _numbers(run: ReportedRun) -> Iterator[tuple[str, float | int | None, str]]:
    became, accepted = run.counts.became, run.counts.became["accepted"]
    yield "accepted traces", accepted, WHOLE
    judged = run.note is None and (became["below"] or run.judges)
    yield "attempts turned down by the judges", became["below"] if judged else None, WHOLE
    for name in sorted(became.keys() - {"accepted", "below"}):
        yield f"traces not taken: {name}", became[name], WHOLE
    scored, graded = run.counts.numbers[SCORE], run.counts.numbers[GRADE]
    if judges := run.judges:
        yield "mean score of the accepted traces (1-10)", scored.mean, TWO
        yield "accepted traces without a score", scored.missing or None, WHOLE
        yield "agreement (Krippendorff's alpha)", judges.alpha, THREE
        for judge, ratings in judges.judges.items():
            yield f"mean rating by {judge}", ratings.mean, TWO
            yield f"verdicts missing from {judge}", ratings.unscored or None, WHOLE
    yield "mean grade of the answers (0-1)", graded.mean, THREE
    yield "accepted traces without a mean grade", (graded.missing or None) if graded.known else None, WHOLE
    if run.findings and (solved := run.findings.blind_solve):
        yield "questions that need the paper", solved.needs_paper, WHOLE
        yield "questions answered without the paper", solved.known, WHOLE
    if spent := run.spent:
        counts = ("prompt", "completion", "calls", "seconds", "uncounted")
        read, written, calls, seconds, uncounted = (sum(row[name] for row in spent) for name in counts)
        counted = not uncounted
        yield "calls", calls, WHOLE
        yield "tokens read", read if counted else None, WHOLE
        yield "tokens written", written if counted else None, WHOLE
        yield "seconds of waiting for the models", seconds, WHOLE
        yield "cost", run.cost, "{:,.2f}" if (run.cost or 0) >= 100 else "{:.4g}"
        yield "calls for an accepted trace", calls / accepted if accepted else None, "{:,.1f}"
        yield "tokens for an accepted trace", (read + written) / accepted if counted and accepted else None, WHOLE


def _losses(run: ReportedRun) -> dict[str, dict[str, int | str]]:
    """The funnel, by what went into a step."""
    rows = dict[str, dict[str, int | str]]()
    for step in run.funnel.steps if run.funnel else ():
        lost = "; ".join(f"{count:,} {reason}" for reason, count in step.lost.items()) or "nothing"
        rows[step.what] = {"went in": step.entered, "lost": lost, "left": step.left, "as": step.became}
    if run.funnel and (taken := run.funnel.taken_over):
        rows["taken over from a document"] = {"went in": "", "lost": "", "left": taken, "as": "accepted traces"}
    return rows


def _said(value: float | str | None) -> str:
    if value is None:
        return "not known"
    return value if isinstance(value, str) else f"{round(value, 1):,}"


def _policy(script: str, style: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    return "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; form-action 'none'".format(*digests)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(1024)
