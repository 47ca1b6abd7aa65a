"""The page: one HTML file that holds its style, its script and its traces, and may load nothing else.

Its Content-Security-Policy lets no request out and runs no script and no style but the page's own, known by their hashes.
"""

import base64
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup

from programs.errors import UserError
from programs.files import JOURNAL, beside, in_place, run_name
from programs.reports.charts import charts_of, longest
from programs.reports.figures import figures_of, losses_of
from programs.reports.source import read_run
from programs.reports.traces import pieces_of
from programs.versions import stamp

_HERE = Path(__file__)
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
    groups = figures_of(run)
    known = {name: text for figures in groups.values() for name, text in figures.items()}
    template, style, script = (_HERE.with_name(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
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
        lost=losses_of(run),
        pieces=map(Markup, pieces_of(run.newest)),
    )
    with in_place(page) as file:
        for text in texts:
            file.write(text.encode("utf-8", "surrogatepass"))
    return [f"{page}: {len(run.newest)} traces, {page.stat().st_size / 1e6:.1f} MB", *notes]


def _said(value: float | str | None) -> str:
    if value is None:
        return "not known"
    return value if isinstance(value, str) else f"{round(value, 1):,}"


def _policy(script: str, style: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    return "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; form-action 'none'".format(*digests)


def _is_ours(path: Path) -> bool:
    """Whether a file is a report, and so may be written over."""
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(1024)
