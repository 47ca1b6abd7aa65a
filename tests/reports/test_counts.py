"""What is counted for a report: bins and means, and nothing in the place of what is missing."""

from programs.reports.charts import CHARTS, Table
from programs.reports.source import Counts
from programs.reports.traces import GRADE, SCORE
from programs.run.attempts import ReadTrace
from programs.statistics.counts import Spread
from tests.reports.building import record


def test_a_spread_knows_mean_and_median_and_what_is_missing_is_no_zero() -> None:
    assert Spread().mean is Spread().quantile(0.5) is None
    spread = Spread()
    for value in (9, 10, None, 49, 50, 5000, 0):
        spread.add(value)
    assert (spread.mean, spread.quantile(0.5)) == (853, 10)
    assert (spread.known, spread.missing) == (6, 1)


def chart(counts: Counts, title: str) -> Table:
    return next(chart.table(found) for chart, found in zip(CHARTS, counts.charts, strict=True) if chart.title == title)


def test_a_missing_verdict_or_grade_is_no_zero() -> None:
    counts = Counts()
    counts.add(ReadTrace(record(1, verdicts=[])))
    assert counts.agreement.result() is None
    assert (counts.numbers[GRADE].known, counts.numbers[GRADE].missing) == (0, 1)
    assert chart(counts, "Grades")["not known"] == {"evidence usage": 1, "overall score": 1} | dict.fromkeys(
        ("question alignment", "scientific accuracy", "completeness", "uncertainty calibration", "clarity structure"), 0
    )


def test_only_accepted_traces_are_in_the_distributions_but_all_in_the_ratings() -> None:
    counts = Counts()
    counts.add(ReadTrace(record(2, score=7)))
    counts.add(ReadTrace(record(2, score=3, attempt=1), "below"))
    assert counts.became == {"accepted": 1, "below": 1}
    assert counts.numbers[SCORE].counts == {7: 1}
    assert counts.agreement.judges["openai/a"].counts == {8: 1, 4: 1}
    assert counts.numbers["words of the thought"].known == 1
    assert chart(counts, "Question types by difficulty") == {"clarification": {"beginner": 1}}
    assert chart(counts, "Ratings by judge")["4"] == {"openai/a": 1, "openai/b": 0}
