"""What is counted for a report: bins, means and differences, and nothing in the place of what is missing."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.counts import Spread
from programs.report import main
from programs.reports import charts
from programs.reports.chart import Chart
from programs.reports.charting import nice_edges
from programs.reports.figures import Figure, percent, three, whole
from programs.reports.origin import Seen
from programs.reports.statistics import NUMBERS, Number, Statistics
from tests.reports.building import record, unit, write_run

VALUES = st.lists(st.integers(0, 5000), min_size=1, max_size=50)


@given(VALUES)
def test_a_spread_knows_mean_and_median(values: list[int]) -> None:
    spread = Spread()
    for value in [*values, None]:
        spread.add(value)
    assert spread.mean == pytest.approx(mean(values))
    assert spread.quantile(0.5) == median_low(values)
    assert (spread.known, spread.missing) == (len(values), 1)


@given(VALUES)
def test_bins_hold_every_value_once(values: list[int]) -> None:
    spread = Spread()
    for value in values:
        spread.add(value)
    edges = nice_edges(values)
    assert 5 <= len(edges) - 1 <= 14
    assert edges == sorted(set(edges))
    assert edges[0] <= min(values) <= max(values) <= edges[-1]
    assert sum(spread.in_bins(edges)) == len(values)


def test_bins_are_from_one_edge_up_to_below_the_next() -> None:
    spread = Spread(2)
    for value in (0.0, 0.1, 0.19, 0.2, 1.0):
        spread.add(value)
    assert spread.in_bins([0, 0.1, 0.2, 1]) == [1, 2, 2]


def test_what_is_missing_is_no_zero() -> None:
    assert Spread().mean is None
    assert Spread().quantile(0.5) is None
    figure = Figure("Judges", "alpha", (None, 0.5), three)
    assert figure.shown == ["not known", "0.500"]
    assert figure.difference == "not known"
    counted = Statistics()
    counted.add(Seen(record(1, verdicts=[])))
    assert counted.agreement.result() is None
    assert (counted.grades["overall_score"].known, counted.grades["overall_score"].missing) == (0, 1)


@pytest.mark.parametrize(
    ("values", "form", "said"),
    [
        ((1000, 2500), whole, "+1,500"),
        ((3, 3), whole, "0"),
        ((0.5, 0.25), three, "−0.250"),
        ((0.5, 0.5001), three, "0"),
        ((0.5, 0.4), percent, "−10.0 %"),
    ],
)
def test_differences_have_their_sign(values: tuple[float, float], form: object, said: str) -> None:
    assert Figure("", "", values, form).difference == said  # type: ignore[arg-type]


def test_only_accepted_traces_are_in_the_distributions_but_all_in_the_ratings() -> None:
    counted = Statistics()
    counted.add(Seen(record(2, score=7)))
    counted.add(Seen(record(2, score=3, attempt=1), "below"))
    assert counted.became == {"accepted": 1, "below": 1}
    assert counted.numbers["score"].counts == {7: 1}
    assert counted.ratings["openai/a"].counts == {8: 1, 4: 1}
    assert counted.numbers["thought"].known == 1
    assert counted.kinds.total() == 1


def test_a_chart_has_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "CHARTS", [*charts.CHARTS])
    steps = Number("Paragraphs", "Of each accepted thought.", "paragraphs", lambda record: len(record.steps))
    monkeypatch.setitem(NUMBERS, "paragraphs", steps)

    @charts.chart
    def accepted(readings: charts.Readings) -> Chart | None:
        counts = [{"accepted": reading.counted.accepted} for reading in readings]
        return charts.named(readings, "Accepted alone", "As counted.", ("became", "traces"), counts)

    document = write_run(tmp_path / "run.json", [unit(0), unit(1)])
    assert main([str(document)]) == 0
    page = document.with_suffix(".html").read_text()
    assert 'id="chart-paragraphs"' in page
    assert 'id="chart-accepted-alone"' in page
