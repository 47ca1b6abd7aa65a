"""The numbers of a report's summary: for one run, or two of them with their difference."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from programs.reports.reading import Reading

MISSING = "not known"

Number = float | int | None
Form = Callable[[float], str]


def whole(value: float) -> str:
    return f"{value:,.0f}"


def one(value: float) -> str:
    return f"{value:,.1f}"


def two(value: float) -> str:
    return f"{value:.2f}"


def three(value: float) -> str:
    return f"{value:.3f}"


def percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def brief(value: float) -> str:
    return f"{value:.4g}"


@dataclass(frozen=True)
class Figure:
    """One number of each run, under one name. None is what is not known; it is never shown as 0."""

    group: str
    name: str
    values: tuple[Number, ...]
    form: Form = whole

    @property
    def shown(self) -> list[str]:
        """Each value for a person."""
        return [MISSING if value is None else self.form(value) for value in self.values]

    @property
    def difference(self) -> str:
        """The second less the first, with its sign."""
        first, last = self.values[0], self.values[-1]
        if first is None or last is None:
            return MISSING
        change = last - first
        shown = self.form(abs(change))
        return "0" if not any(digit in shown for digit in "123456789") else f"{'+' if change > 0 else '−'}{shown}"


def figures_of(readings: list[Reading]) -> list[Figure]:
    """All numbers, in order. One that no run knows is left out."""
    each = [list(_figures(reading)) for reading in readings]
    keys = list(dict.fromkeys((group, name) for figures in each for group, name, _, _ in figures))
    by_key = [{(group, name): (value, form) for group, name, value, form in figures} for figures in each]
    found = []
    for key in keys:
        values = tuple(figures.get(key, (None, whole))[0] for figures in by_key)
        form = next(figures[key][1] for figures in by_key if key in figures)
        if any(value is not None for value in values):
            found.append(Figure(*key, values, form))
    return found


def _figures(reading: Reading) -> Iterator[tuple[str, str, Number, Form]]:
    for group, figures in (
        ("Traces", _traces(reading)),
        ("Judges", _judges(reading)),
        ("Grades of the answers", _grades(reading)),
        ("Thoughts", _thoughts(reading)),
        ("Checks", _checks(reading)),
        ("Words (median)", _words(reading)),
        ("Spent by all runs", _spent(reading)),
    ):
        yield from ((group, name, value, form) for name, value, form in figures)


def _traces(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    became, facts = reading.counted.became, reading.facts
    yield "accepted traces", reading.counted.accepted, whole
    yield "attempts turned down by the judges", became["below"] if reading.note is None else None, whole
    for name, count in became.items():
        if name not in ("accepted", "below"):
            yield f"traces not taken: {name}", count, whole
    for step in facts.funnel.steps if facts.funnel else []:
        yield step.what, step.entered, whole


def _judges(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    counted, judges = reading.counted, reading.judges
    if judges is None:
        return
    yield "mean score of the accepted traces (1-10)", counted.numbers["score"].mean, two
    yield "accepted traces without a score", counted.numbers["score"].missing or None, whole
    yield "mean difference between the judges of a trace", counted.numbers["difference"].mean, two
    yield "agreement (Krippendorff's alpha)", judges.alpha, three
    for pair in judges.pairs:
        yield f"agreement of {' and '.join(pair.judges)} (weighted kappa)", pair.weighted_kappa, three
    for judge, ratings in judges.judges.items():
        yield f"mean rating by {judge}", ratings.mean, two
        yield f"verdicts missing from {judge}", ratings.unscored or None, whole


def _grades(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    for name, spread in reading.counted.grades.items():
        yield "mean grade (0-1)" if name == "overall_score" else name.replace("_", " "), spread.mean, three
    graded = reading.counted.grades["overall_score"]
    yield "accepted traces without a mean grade", graded.missing if graded.known and graded.missing else None, whole


def _thoughts(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    said = reading.thoughts
    if said is None:
        return
    answers = said.yes_or_no
    if said.kinds:
        yield "thoughts with a wrong turn", said.with_wrong_turn / said.traces, percent
        yield "different orders of kinds, of all thoughts", said.different_sequences / said.traces, percent
    yield "thoughts that begin like the most frequent one", max(said.openings.values()) / said.traces, percent
    yield "traces that need the passage", said.needing_passage, whole
    if asked := answers.get("yes", 0) + answers.get("no", 0):
        yield "share of yes, of the answers yes and no", answers.get("yes", 0) / asked, percent


def _checks(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    found = reading.facts.findings
    if found and found.steps:
        yield "steps of thoughts", found.steps.steps, whole
        yield "steps that the passage contradicts, by a model's word", found.steps.contradicted, whole
    if found and found.blind_solve:
        solve = found.blind_solve
        yield "questions that need the paper", solve.needs_paper, whole
        yield "questions answered without the paper", solve.known, whole
        yield "mean measured difficulty", solve.mean_difficulty, two


def _words(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    for name in ("passage", "question", "thought", "answer"):
        yield name, reading.counted.numbers[name].quantile(0.5), whole


def _spent(reading: Reading) -> Iterable[tuple[str, Number, Form]]:
    spent, accepted = reading.facts.spent, reading.counted.accepted
    if not spent:
        return
    counted = not any(row["uncounted"] for row in spent)
    read, written = (sum(row[name] for row in spent) if counted else None for name in ("prompt", "completion"))
    calls, seconds = sum(row["calls"] for row in spent), sum(row["seconds"] for row in spent)
    yield "calls", calls, whole
    yield "tokens read", read, whole
    yield "tokens written", written, whole
    yield "seconds of waiting for the models", seconds, whole
    yield "cost", reading.facts.cost, brief
    if accepted:
        yield "calls for an accepted trace", calls / accepted, one
        yield "tokens for an accepted trace", (read + written) / accepted if read is not None else None, whole
