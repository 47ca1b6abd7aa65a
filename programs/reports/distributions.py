"""Charts of numbers that every trace has, or may have: scores, grades, lengths."""

from collections.abc import Sequence

from programs.reports.chart import Chart, Series
from programs.reports.charting import binned, bins, chart_of, lacking, nice_edges
from programs.reports.reading import Reading
from programs.reports.statistics import Spread, in_bins

TENTHS = [number / 10 for number in range(11)]
GRADE_EDGES = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
Readings = Sequence[Reading]


def scores(readings: Readings) -> Chart | None:
    about = "Mean of the judges' overall ratings of each accepted trace."
    edges = [1 + number / 2 for number in range(19)]
    return binned(readings, "Judges' scores", about, "score (1-10)", lambda reading: reading.counted.score, edges)


def ratings(readings: Readings) -> Chart | None:
    judges = list(dict.fromkeys(judge for reading in readings for judge in sorted(reading.counted.ratings)))
    points = range(1, 11)
    runs = [
        [Series(judge, [found.get(judge, Spread()).counts[point] for point in points]) for judge in judges]
        for found in (reading.counted.ratings for reading in readings)
    ]
    missing = [(judge, spread.missing) for reading in readings for judge, spread in reading.counted.ratings.items()]
    about = "Overall ratings as given, of all judged traces, those turned down included." + lacking(missing)
    return chart_of(readings, "Ratings by judge", about, ("rating", "traces"), [str(point) for point in points], runs)


def differences(readings: Readings) -> Chart | None:
    about = "Highest overall rating less the lowest, of each accepted trace."
    edges = [0.0, 1, 2, 3, 4, 5, 9]
    return binned(
        readings, "Difference between judges", about, "points apart", lambda reading: reading.counted.difference, edges
    )


def grades(readings: Readings) -> Chart | None:
    found = [reading.counted.grades for reading in readings]
    runs = [
        [
            Series(name.replace("_", " ").removesuffix(" score"), in_bins(spread, GRADE_EDGES))
            for name, spread in grades.items()
        ]
        for grades in found
    ]
    missing = [(reading.name, grades["overall_score"].missing) for reading, grades in zip(readings, found, strict=True)]
    about = "Grades of the answers of accepted traces." + lacking(missing)
    return chart_of(readings, "Grades", about, ("grade (0-1)", "traces"), bins(GRADE_EDGES), runs, "grid")


def difficulty(readings: Readings) -> Chart | None:
    about = "1 less the pass rate of another model that has the passage, of each accepted trace."
    return binned(
        readings, "Measured difficulty", about, "difficulty (0-1)", lambda reading: reading.counted.difficulty, TENTHS
    )


def lengths(readings: Readings) -> list[Chart | None]:
    return [_length(readings, name) for name in ("thought", "answer", "passage")]


def _length(readings: Readings, name: str) -> Chart | None:
    edges = nice_edges(value for reading in readings for value in reading.counted.words[name].counts)
    about = f"Words in the {name} of each accepted trace."
    return binned(readings, f"Length of the {name}", about, "words", lambda reading: reading.counted.words[name], edges)
