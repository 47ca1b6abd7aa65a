"""How good a trace is, by one measure with a scale of its own. Ratings of judges and grades are never compared."""

from collections.abc import Callable
from dataclasses import dataclass

from programs.records import Record


@dataclass(frozen=True)
class Measure:
    """A measure: its scale, the margin from which on a difference counts, and what a trace without a score is called.
    `of` gives None for such a trace, never a default."""

    name: str
    low: float
    high: float
    margin: float
    missing: str
    of: Callable[[Record], float | None]


def _by_judges(record: Record) -> float | None:
    return record.metadata.quality_score


def _by_grades(record: Record) -> float | None:
    return record.answer_grades.overall_score if record.answer_grades else None


MEASURES = {
    "judges": Measure("judges", 1, 10, 1.0, "no judge rated it (--score grades goes by grades)", _by_judges),
    "grades": Measure("grades", 0, 1, 0.1, "it has no grades (--score judges goes by judges)", _by_grades),
}
