"""Making a report: what is read becomes one file, put in its place in one step."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from programs.errors import UserError
from programs.files import in_place
from programs.reports.charts import charts_of
from programs.reports.figures import Figure, figures_of
from programs.reports.options import ReportOptions
from programs.reports.packing import Packed, pack
from programs.reports.page import is_ours, rendered
from programs.reports.reading import Reading, read
from programs.versions import stamp

PAGE_BYTES = 600_000
"""About what a page takes without its traces."""
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


@dataclass(frozen=True)
class Made:
    """A report that was written: its `notes` are for a person, `status` is the run's, `shown` of `traces` can be read in
    it, and it takes `bytes`."""

    path: Path
    status: str | None
    shown: int
    traces: int
    bytes: int
    notes: list[str]


def make(options: ReportOptions) -> Made:
    """Reads what is named and writes the page. Raises `UserError` for what is no document and before writing over another's
    file, `JournalError` for what cannot be read or written."""
    if options.page.exists() and not is_ours(options.page):
        raise UserError(f"{options.page} is there and is no report; name another file with --output")
    readings, sample = read(options)
    room = int(options.max_megabytes * 1e6) - PAGE_BYTES
    packed = pack(sample, room, {"runs": [reading.name for reading in readings]})
    notes = [*_notes(readings), *_sampled(packed, sample.seen)]
    with in_place(options.page) as file:
        for text in _page(readings, packed, notes):
            file.write(text.encode("utf-8", "surrogatepass"))
    size = options.page.stat().st_size
    return Made(options.page, readings[0].facts.status, packed.traces, sample.seen, size, notes)


def _page(readings: list[Reading], packed: Packed, notes: list[str]) -> Iterator[str]:
    figures = figures_of(readings)
    return rendered(
        packed.pieces,
        index=packed.index,
        title=" and ".join(reading.name for reading in readings),
        readings=readings,
        together=len(readings) > 1,
        shown=packed.traces,
        notes=notes,
        written=stamp(),
        tiles=_tiles(figures),
        figures=figures,
        charts=charts_of(readings),
    )


def _tiles(figures: list[Figure]) -> list[Figure]:
    by_name = {figure.name: figure for figure in figures}
    return [by_name[name] for name in TILES if name in by_name][:6]


def _notes(readings: list[Reading]) -> Iterator[str]:
    for reading in readings:
        if reading.note:
            yield f"{reading.path}: {reading.note}" if len(readings) > 1 else reading.note


def _sampled(packed: Packed, traces: int) -> Iterator[str]:
    if packed.traces < traces:
        yield (
            f"{packed.traces:,} of {traces:,} traces can be read here, chosen by a hash of their passages; "
            "the numbers and charts are of all."
        )
