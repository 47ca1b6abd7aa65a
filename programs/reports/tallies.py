"""Charts of what is counted by name: steps of the funnel, kinds of questions, stages, reasons."""

from collections import Counter
from collections.abc import Iterable, Sequence

from programs.reports.chart import COLOURS, Chart, Form, Series
from programs.reports.charting import chart_of, largest
from programs.reports.reading import Reading

Readings = Sequence[Reading]

STATUSES = {
    "supported": "var(--good)",
    "inferred": "var(--fair)",
    "outside": "var(--chart-6)",
    "contradicted": "var(--bad)",
    None: "var(--edge)",
}
"""What a passage says of a step, with its colour."""
NEEDS = {
    "needs_paper": "needs the paper",
    "known": "answered without",
    "unanswered": "unanswered",
    None: "undecided",
}
LEVELS = ("beginner", "intermediate", "advanced")


def funnel(readings: Readings) -> Chart | None:
    funnels = [reading.facts.funnel for reading in readings]
    names = list(dict.fromkeys(step.what for funnel in funnels if funnel for step in funnel.steps if step.entered))
    runs = []
    for funnel in funnels:
        steps = {step.what: step for step in funnel.steps} if funnel else {}
        left = [steps[name].left if name in steps else None for name in names]
        lost = [sum(steps[name].lost.values()) if name in steps else None for name in names]
        runs.append([Series("went on", left), Series("lost", lost)])
    about = "What went into each step on the way from texts to traces, and how much of it was lost there."
    return chart_of(
        readings,
        "From texts to traces",
        about,
        ("step", "number"),
        names,
        runs,
        "stack",
        share=False,
        colours=(COLOURS[0], "var(--edge)"),
    )


def kinds(readings: Readings) -> Chart | None:
    counts = [reading.counted.kinds for reading in readings]
    types = largest(_summed((kind, number) for found in counts for (kind, _), number in found.items()))
    levels = sorted({level for found in counts for _, level in found}, key=_level)
    runs = [[Series(kind, [found[kind, level] for level in levels]) for kind in types] for found in counts]
    about = "Accepted traces."
    return chart_of(readings, "Question types by difficulty", about, ("difficulty", "traces"), levels, runs, "grid")


def steps(readings: Readings) -> Chart | None:
    counts = [reading.counted.steps for reading in readings]
    if not any(status for found in counts for _, status in found):
        return None
    kinds = list(dict.fromkeys(kind for found in counts for kind, _ in found))
    runs = [
        [Series(status or "not judged", [found[kind, status] for kind in kinds]) for status in STATUSES]
        for found in counts
    ]
    about = (
        "Steps of accepted thoughts, by what a model says that the passage says of them. Wrong ones are meant to be."
    )
    names = [kind.replace("_", " ") for kind in kinds]
    return chart_of(
        readings,
        "What carries the steps",
        about,
        ("kind", "steps"),
        names,
        runs,
        "stack",
        share=False,
        colours=tuple(STATUSES.values()),
    )


def needs(readings: Readings) -> Chart | None:
    runs = [[Series("traces", [reading.counted.needs[need] for need in NEEDS])] for reading in readings]
    about = "What another model needed to answer the question of each accepted trace."
    return chart_of(readings, "Need of the paper", about, ("need", "traces"), list(NEEDS.values()), runs, "bars")


def tokens(readings: Readings) -> Chart | None:
    about = "Tokens of all runs by stage, as the servers count them."
    return _by_stage(readings, "Tokens by stage", about, "tokens", {"read": "prompt", "written": "completion"})


def seconds(readings: Readings) -> Chart | None:
    about = "Seconds of waiting for replies, all runs. Calls overlap: the runs took less."
    return _by_stage(readings, "Time by stage", about, "seconds", {"seconds": "seconds"})


def lost_traces(readings: Readings) -> Chart | None:
    about = "Traces that were tried and not accepted, by reason, over all runs."
    return _reasons(readings, "Why traces were not taken", about, [r.facts.lost_traces for r in readings])


def lost_questions(readings: Readings) -> Chart | None:
    about = "Questions that were drafted and not used, each by its first reason, over all runs."
    return _reasons(readings, "Why questions were not used", about, [r.facts.lost_questions for r in readings])


def _by_stage(readings: Readings, title: str, about: str, unit: str, columns: dict[str, str]) -> Chart | None:
    sums = [_sums(reading, columns) for reading in readings]
    stages = largest(_summed((stage, sum(c.values())) for found in sums for stage, c in found.items() if c))
    runs = [
        [
            Series(name, [counts[column] if (counts := found.get(stage)) else None for stage in stages])
            for name, column in columns.items()
        ]
        for found in sums
    ]
    form: Form = "stack" if len(columns) > 1 else "bars"
    return chart_of(readings, title, about, ("stage", unit), stages, runs, form, share=False)


def _sums(reading: Reading, columns: dict[str, str]) -> dict[str, Counter[str] | None]:
    """By stage over its models; None where tokens are asked for and some were not counted."""
    sums: dict[str, Counter[str] | None] = {}
    for row in reading.facts.spent or []:
        before = sums.get(row["stage"], Counter[str]())
        counted = "seconds" in columns or not row["uncounted"]
        more = Counter({column: row[column] for column in columns.values()})
        sums[row["stage"]] = before + more if counted and before is not None else None
    return sums


def _reasons(readings: Readings, title: str, about: str, found: Sequence[dict[str, int] | None]) -> Chart | None:
    names = largest(_summed(item for counts in found if counts for item in counts.items()))
    runs = [[Series("number", [None if counts is None else counts.get(name, 0) for name in names])] for counts in found]
    return chart_of(readings, title, about, ("reason", "number"), names, runs, "bars", share=False)


def _level(level: str) -> tuple[int, str]:
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def _summed(items: Iterable[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for name, count in items:
        total[name] += count
    return total
