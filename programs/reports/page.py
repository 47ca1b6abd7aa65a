"""The page: one HTML file that holds its style, its script and its traces, and may load nothing else.

Its Content-Security-Policy lets no request out and runs no script and no style but the page's own, known by their hashes.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from programs.errors import UserError
from programs.files import in_place
from programs.reports.charts import longest, panels_of
from programs.reports.figures import figures_of
from programs.reports.options import ReportOptions
from programs.reports.source import read_run
from programs.reports.traces import packed
from programs.versions import stamp

GENERATOR = "SynthReasoner report"
TILES = (
    "accepted traces",
    "attempts turned down by the judges",
    "mean score of the accepted traces (1-10)",
    "agreement (Krippendorff's alpha)",
    "mean grade (0-1)",
    "tokens for an accepted trace",
    "cost",
)
"""The numbers that stand above all others: the first six of these that are known."""


def write_report(options: ReportOptions) -> list[str]:
    """Reads what is named, writes the page in one step, and says in lines for a person what it holds. Raises `UserError`
    for what is no document and before writing over another's file, `JournalError` for what cannot be read or written."""
    if options.page.exists() and not _is_ours(options.page):
        raise UserError(f"{options.page} is there and is no report; name another file with --output")
    names = _short_names(options.inputs)
    both = len(names) > 1
    most = max(1, options.max_traces // len(names))
    runs = [
        read_run(path, name, most, name if both else None) for path, name in zip(options.inputs, names, strict=True)
    ]
    notes = [f"{run.path}: {run.facts.note}" if both else run.facts.note for run in runs if run.facts.note]
    traces = [trace for run in runs for trace in run.newest]
    if len(traces) < (total := sum(run.counts.became.total() for run in runs)):
        notes.append(f"{len(traces):,} of {total:,} traces, the newest, can be read here; the numbers are of all.")
    figures = figures_of(runs)
    values = {
        "title": " and ".join(names),
        "runs": runs,
        "notes": notes,
        "tiles": [figure for name in TILES for figure in figures if figure.name == name][:6],
        "charts": panels_of(runs),
        "groups": [list(group) for _, group in groupby(figures, key=attrgetter("group"))],
        "shown": len(traces),
        "written": stamp(),
    }
    with in_place(options.page) as file:
        for text in _rendered(packed(traces), **values):
            file.write(text.encode("utf-8", "surrogatepass"))
    return [f"{options.page}: {len(traces)} traces, {options.page.stat().st_size / 1e6:.1f} MB", *notes]


def _rendered(pieces: Iterable[str], **values: Any) -> Iterator[str]:
    """The page as a stream of texts. Text from models and papers is escaped by Jinja; base64 has nothing to escape, and
    style and script are this package's own files."""
    style, script = (Markup(_asset(name)) for name in ("page.css", "page.js"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.globals.update(generator=GENERATOR, longest=longest, policy=_policy(style, script))
    template = environment.from_string(_asset("page.html"))
    return iter(template.stream(style=style, script=script, pieces=map(Markup, pieces), **values))


def _policy(style: str, script: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    return "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; form-action 'none'".format(*digests)


def _asset(name: str) -> str:
    return (resources.files("programs.reports") / name).read_text(encoding="utf-8")


def _is_ours(path: Path) -> bool:
    """Whether a file is a report, and so may be written over."""
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(1024)


def _short_names(paths: list[Path]) -> list[str]:
    """The shortest names that tell the documents apart."""
    stems = [path.name.removesuffix(".jsonl").removesuffix(".json").removesuffix(".journal") for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
