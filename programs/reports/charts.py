"""The charts of a report, in their order. Those of a number that each trace has follow from `statistics.NUMBERS`."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from programs.counts import Spread
from programs.reports.chart import COLOURS, Chart, Series
from programs.reports.charting import binned, bins, chart_of, lacking, largest
from programs.reports.reading import Reading
from programs.reports.statistics import NUMBERS, TENTHS
from signatures.question_type import Difficulty

Readings = Sequence[Reading]
Make = Callable[[Readings], Chart | None]

STATUSES = {
    "supported": "var(--good)",
    "inferred": "var(--fair)",
    "outside": "var(--chart-6)",
    "contradicted": "var(--bad)",
    None: "var(--edge)",
}
"""What a model says that a passage says of a step, with its colour."""
LEVELS: tuple[str, ...] = get_args(Difficulty)
GRADE_EDGES = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

CHARTS: list[Make] = []


def chart(make: Make) -> Make:
    """Adds a chart to the report, behind those that are there: what makes it, or None where there is nothing to show."""
    CHARTS.append(make)
    return make


def charts_of(readings: Readings) -> list[Chart]:
    """All charts that have something to show."""
    made = [make(readings) for make in CHARTS]
    made += [binned(readings, number, name) for name, number in NUMBERS.items()]
    return [chart for chart in made if chart is not None]


def named(
    readings: Readings, title: str, about: str, axes: tuple[str, str], counts: Sequence[Mapping[str, int] | None]
) -> Chart | None:
    """A bar for each of the most frequent names. `counts` are of each run; None: it does not say."""
    names = largest(_summed(counts))
    runs = [[Series(axes[1], [None if found is None else found.get(name, 0) for name in names])] for found in counts]
    return chart_of(readings, title, about, axes, names, runs, "bars", share=axes[1] == "traces")


@chart
def funnel(readings: Readings) -> Chart | None:
    funnels = [{step.what: step for step in r.facts.funnel.steps} if r.facts.funnel else {} for r in readings]
    names = list(dict.fromkeys(name for steps in funnels for name, step in steps.items() if step.entered))
    runs = [
        [
            Series("went on", [steps[name].left if name in steps else None for name in names]),
            Series("lost", [sum(steps[name].lost.values()) if name in steps else None for name in names]),
        ]
        for steps in funnels
    ]
    about = "What went into each step on the way from texts to traces, and how much of it was lost there."
    axes, colours = ("step", "number"), (COLOURS[0], "var(--edge)")
    return chart_of(readings, "From texts to traces", about, axes, names, runs, "stack", share=False, colours=colours)


@chart
def question_types(readings: Readings) -> Chart | None:
    counts = [reading.counted.kinds for reading in readings]
    types = largest(_summed([{kind: number} for found in counts for (kind, _), number in found.items()]))
    levels = sorted({level for found in counts for _, level in found}, key=_level)
    runs = [[Series(kind, [found[kind, level] for level in levels]) for kind in types] for found in counts]
    title, about = "Question types by difficulty", "Accepted traces."
    return chart_of(readings, title, about, ("difficulty", "traces"), levels, runs, "grid")


@chart
def shapes(readings: Readings) -> Chart | None:
    about = "How the thoughts of accepted traces were to go."
    counts = [said.shapes if (said := reading.thoughts) else None for reading in readings]
    return named(readings, "Shapes of thoughts", about, ("shape", "traces"), counts)


@chart
def openings(readings: Readings) -> Chart | None:
    about = "The first three words of accepted thoughts, the most frequent ones. What many have in common is copied."
    counts = [said.openings if (said := reading.thoughts) else None for reading in readings]
    return named(readings, "Openings of thoughts", about, ("first words", "traces"), counts)


@chart
def kinds(readings: Readings) -> Chart | None:
    found = [reading.thoughts for reading in readings]
    names = largest(_summed([{k: n.paragraphs for k, n in said.kinds.items()} if said else None for said in found]))
    runs = []
    for said in found:
        counts = [said.kinds.get(name) if said else None for name in names]
        paragraphs = sum(count.paragraphs for count in said.kinds.values()) if said else 0
        runs.append(
            [
                Series("of paragraphs", [100 * count.paragraphs / paragraphs if count else None for count in counts]),
                Series(
                    "of thoughts", [100 * count.traces / said.traces if said and count else None for count in counts]
                ),
            ]
        )
    about = (
        "The share of all paragraphs that are of a kind, and the share of thoughts that have one, in accepted traces."
    )
    shown = [name.replace("_", " ") for name in names]
    return chart_of(readings, "Kinds of paragraphs", about, ("kind", "share of 100"), shown, runs, "bars", share=False)


@chart
def corrections(readings: Readings) -> Chart | None:
    about = "Where in accepted thoughts something is taken back: the share of the words that stand before it."
    runs = [
        [Series("corrections", said.corrections if (said := reading.thoughts) else [0] * 10)] for reading in readings
    ]
    return chart_of(readings, "Place of corrections", about, ("place (0-1)", "corrections"), bins(TENTHS), runs)


@chart
def yes_or_no(readings: Readings) -> Chart | None:
    about = "Answers in a word. Where one asks whether something holds, yes is to be as frequent as no."
    counts = [said.yes_or_no if (said := reading.thoughts) else None for reading in readings]
    return named(readings, "Yes or no", about, ("answer", "traces"), counts)


@chart
def steps(readings: Readings) -> Chart | None:
    counts = [reading.counted.steps for reading in readings]
    if not any(status for found in counts for _, status in found):
        return None
    names = list(dict.fromkeys(kind for found in counts for kind, _ in found))
    runs = [
        [Series(status or "not judged", [found[n, status] for n in names]) for status in STATUSES] for found in counts
    ]
    title = "What carries the steps"
    about = (
        "Steps of accepted thoughts, by what a model says that the passage says of them. Wrong ones are meant to be."
    )
    shown, colours = [name.replace("_", " ") for name in names], tuple(STATUSES.values())
    return chart_of(readings, title, about, ("kind", "steps"), shown, runs, "stack", share=False, colours=colours)


@chart
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


@chart
def grades(readings: Readings) -> Chart | None:
    runs = [
        [
            Series(name.replace("_", " ").removesuffix(" score"), spread.in_bins(GRADE_EDGES))
            for name, spread in reading.counted.grades.items()
        ]
        for reading in readings
    ]
    missing = [(reading.name, reading.counted.grades["overall_score"].missing) for reading in readings]
    about = "Grades of the answers of accepted traces." + lacking(missing)
    return chart_of(readings, "Grades", about, ("grade (0-1)", "traces"), bins(GRADE_EDGES), runs, "grid")


@chart
def needs(readings: Readings) -> Chart | None:
    about = "What another model needed to answer the question of each accepted trace."
    counts = [{n.replace("_", " "): c for n, c in reading.counted.needs.items()} for reading in readings]
    return named(readings, "Need of the paper", about, ("need", "traces"), counts)


@chart
def tokens(readings: Readings) -> Chart | None:
    about = "Tokens of all runs by stage, as the servers count them."
    sums = [_by_stage(reading, ("prompt", "completion")) for reading in readings]
    stages = largest(_summed([{stage: sum(c.values()) for stage, c in found.items() if c} for found in sums]))
    runs = [
        [
            Series(name, [None if (counts := found.get(stage)) is None else counts[column] for stage in stages])
            for name, column in (("read", "prompt"), ("written", "completion"))
        ]
        for found in sums
    ]
    return chart_of(readings, "Tokens by stage", about, ("stage", "tokens"), stages, runs, "stack", share=False)


@chart
def seconds(readings: Readings) -> Chart | None:
    about = "Seconds of waiting for replies, all runs. Calls overlap: the runs took less."
    counts = [_by_stage(reading, ("seconds",)) for reading in readings]
    spent = [{stage: count["seconds"] for stage, count in found.items() if count} or None for found in counts]
    return named(readings, "Time by stage", about, ("stage", "seconds"), spent)


@chart
def lost_traces(readings: Readings) -> Chart | None:
    about = "Traces that were tried and not accepted, by reason, over all runs."
    counts = [reading.facts.lost_traces for reading in readings]
    return named(readings, "Why traces were not taken", about, ("reason", "number"), counts)


@chart
def lost_questions(readings: Readings) -> Chart | None:
    about = "Questions that were drafted and not used, each by its first reason, over all runs."
    counts = [reading.facts.lost_questions for reading in readings]
    return named(readings, "Why questions were not used", about, ("reason", "number"), counts)


def _by_stage(reading: Reading, columns: Sequence[str]) -> dict[str, Counter[str] | None]:
    """By stage over its models; None where tokens are asked for and some were not counted."""
    sums: dict[str, Counter[str] | None] = {}
    for row in reading.facts.spent or []:
        before = sums.get(row["stage"], Counter[str]())
        counted = before is not None and ("seconds" in columns or not row["uncounted"])
        sums[row["stage"]] = (before or Counter()) + Counter({c: row[c] for c in columns}) if counted else None
    return sums


def _level(level: str) -> tuple[int, str]:
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def _summed(counts: Sequence[Mapping[str, int] | None]) -> Counter[str]:
    total: Counter[str] = Counter()
    for found in counts:
        total.update(found or {})
    return total
