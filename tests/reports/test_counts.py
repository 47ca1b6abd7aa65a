"""What is counted for a report: bins, means and differences, and nothing in the place of what is missing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import mean, median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.report import main
from programs.reports import charts, traces
from programs.reports.counting import NUMBERS, TENTHS, Counts, Number, ReadTrace
from programs.reports.figures import PERCENT, THREE, WHOLE, Figure
from programs.statistics.counts import Spread
from tests.reports.building import record, unit, write_run

VALUES = st.lists(st.integers(0, 5000), min_size=1, max_size=50)


@given(VALUES)
def test_a_spread_knows_mean_median_and_bins(values: list[int]) -> None:
    spread = Spread()
    for value in [*values, None]:
        spread.add(value)
    assert spread.mean == pytest.approx(mean(values))
    assert spread.quantile(0.5) == median_low(values)
    assert (spread.known, spread.missing) == (len(values), 1)
    edges = NUMBERS["thought"].edges
    assert spread.in_bins(edges) == [sum(low <= value < high for value in values) for low, high in pairwise(edges)]


def test_what_is_missing_is_no_zero() -> None:
    assert Spread().mean is None
    assert Spread().quantile(0.5) is None
    figure = Figure("Judges", "alpha", (None, 0.5), THREE)
    assert figure.shown == ["not known", "0.500"]
    assert figure.difference == "not known"
    signed = [((1000, 2500), WHOLE), ((3, 3), WHOLE), ((0.5, 0.5001), THREE), ((0.5, 0.4), PERCENT)]
    assert [Figure("", "", values, form).difference for values, form in signed] == ["+1,500", "0", "0", "−10.0%"]
    counts = Counts()
    counts.add(ReadTrace(record(1, verdicts=[])))
    assert counts.agreement.result() is None
    assert (counts.grades["overall_score"].known, counts.grades["overall_score"].missing) == (0, 1)


def test_only_accepted_traces_are_in_the_distributions_but_all_in_the_ratings() -> None:
    counts = Counts()
    counts.add(ReadTrace(record(2, score=7)))
    counts.add(ReadTrace(record(2, score=3, attempt=1), "below"))
    assert counts.became == {"accepted": 1, "below": 1}
    assert counts.numbers["score"].counts == {7: 1}
    assert counts.ratings["openai/a"].counts == {8: 1, 4: 1}
    assert counts.numbers["thought"].known == 1
    assert counts.types.total() == 1


def test_a_chart_a_number_a_facet_and_a_score_have_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = charts.Chart(
        "Accepted alone",
        "As counted.",
        "became",
        lambda run: charts.named({"accepted": run.counts.became["accepted"]}, "n"),
    )
    monkeypatch.setattr(charts, "CHARTS", [*charts.CHARTS, chart])
    number = Number("Paragraphs", "Of each thought.", "paragraphs", lambda record: len(record.steps) / 10, TENTHS)
    monkeypatch.setitem(NUMBERS, "paragraphs", number)
    monkeypatch.setitem(traces.FACETS, "Domain", lambda read: read.record.source_paper.domain)
    monkeypatch.setitem(traces.SCORES, "steps", lambda record: len(record.steps))
    row = traces.kept(ReadTrace(record(1)), None).row
    assert (row["facets"]["Domain"], row["scores"]["steps"]) == ("cosmology", 3)
    document = write_run(tmp_path / "run.json", [unit(0), unit(1)])
    assert main([str(document)]) == 0
    page = document.with_suffix(".html").read_text()
    assert "<h2>Paragraphs</h2>" in page
    assert "<h2>Accepted alone</h2>" in page
