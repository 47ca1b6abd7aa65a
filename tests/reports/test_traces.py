"""The data of a page: every record can be decoded completely, beside its passage. In what is counted, a missing value is
never replaced by another."""

import base64
import zlib
from typing import Any

import orjson

from programs.records import Record
from programs.reports.charts import CHARTS, Table
from programs.reports.source import Counts
from programs.reports.traces import GRADE, SCORE, keep_trace, page_pieces
from programs.run.attempts import ReadTrace
from programs.statistics.counts import Spread
from tests.reports.building import record


def decoded(*traces: Record) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows and the records in a page of these traces."""
    pieces = page_pieces([keep_trace(ReadTrace(one)) for one in traces])
    rows, *records = (orjson.loads(zlib.decompress(base64.b64decode(piece))) for piece in pieces)
    return rows, records


def test_packed_records_can_be_decoded() -> None:
    records = [record(number, variation=variation) for variation in range(3) for number in range(12)]
    rows, pieces = decoded(*records)
    assert [row["key"] for row in rows] == [made.id for made in records]
    for found, made in zip(pieces, records, strict=True):
        assert found["passage"] == made.source_paper.text
        assert f"<thought>\n{found['reasoning_trace']}\n</thought>" == made.reasoning_trace
        assert found["final_answer"] == made.final_answer
        assert found["steps"] == made.compact_dump()["steps"]
        assert found["judged"]["answer_grades"] == made.compact_dump()["answer_grades"], "a missing grade is kept"
        assert set(found) | set(found["judged"]) | set(found["made"]) >= {
            name for name, part in made.compact_dump().items() if part not in (None, "", [], {})
        }


def test_a_point_without_a_sentence_is_complete_and_points_left_out_are_listed() -> None:
    fact = {"kind": "fact", "text": "It is dust.", "weight": 2, "sentence": 1, "quote": "Dust.", "start": 0, "end": 5}
    left_out = [{"reason": "not based on a sentence of the passage", "detail": 'fact "It is old."'}]
    one = record(1, rubric=[fact, {"kind": "pitfall", "text": "It is old.", "weight": -2}], unchecked=left_out)
    _, (piece,) = decoded(one)
    made = piece["made"]
    assert [point["rests_on"] for point in made["rubric"]] == ["Dust.", ""]
    assert None not in [value for point in made["rubric"] for value in point.values()]
    assert made["left_out_of_short_answer_and_rubric"] == left_out


def test_traces_with_the_same_id_have_different_keys() -> None:
    rows, records = decoded(*(record(4, id=name, reasoning_trace="") for name in ("a", "a", None)))
    assert len({row["key"] for row in rows}) == 3
    assert (rows[0]["key"], records[0]["reasoning_trace"]) == ("a", ""), "an empty thought is kept"


def test_a_spread_has_mean_and_median_and_a_missing_value_is_no_0() -> None:
    assert Spread().mean is Spread().quantile(0.5) is None
    spread = Spread()
    for value in (9, 10, None, 49, 50, 5000, 0):
        spread.add(value)
    assert (spread.mean, spread.quantile(0.5)) == (853, 10)
    assert (spread.known, spread.missing) == (6, 1)


def chart(counts: Counts, title: str) -> Table:
    return next(chart.table(found) for chart, found in zip(CHARTS, counts.charts, strict=True) if chart.title == title)


def test_a_missing_verdict_or_grade_is_not_counted_as_0() -> None:
    counts = Counts()
    counts.add(ReadTrace(record(1, verdicts=[])))
    assert counts.agreement.result() is None
    assert (counts.numbers[GRADE].known, counts.numbers[GRADE].missing) == (0, 1)
    assert chart(counts, "Grades")["not known"] == {"evidence usage": 1, "overall score": 1} | dict.fromkeys(
        ("question alignment", "scientific accuracy", "completeness", "uncertainty calibration", "clarity structure"), 0
    )


def test_distributions_count_accepted_traces_and_ratings_count_all() -> None:
    counts = Counts()
    counts.add(ReadTrace(record(2, score=7)))
    counts.add(ReadTrace(record(2, score=3, attempt=1), "below"))
    assert counts.outcomes == {"accepted": 1, "below": 1}
    assert counts.numbers[SCORE].counts == {7: 1}
    assert counts.agreement.judges["openai/a"].counts == {8: 1, 4: 1}
    assert counts.numbers["words of the thought"].known == 1
    assert chart(counts, "Question types by difficulty") == {"clarification": {"beginner": 1}}
    assert chart(counts, "Ratings by judge")["4"] == {"openai/a": 1, "openai/b": 0}
