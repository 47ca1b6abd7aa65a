"""What a page holds of the traces: every record can be read back whole, beside its passage."""

import base64
import zlib
from typing import Any

import orjson

from programs.records import Record
from programs.reports.traces import kept, pieces_of
from programs.run.attempts import ReadTrace
from tests.reports.building import record


def unpacked(*traces: Record) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows and the records that a page of these traces holds."""
    pieces = pieces_of([kept(ReadTrace(one)) for one in traces])
    rows, *records = (orjson.loads(zlib.decompress(base64.b64decode(piece))) for piece in pieces)
    return rows, records


def test_what_is_packed_can_be_read_back() -> None:
    records = [record(number, variation=variation) for variation in range(3) for number in range(12)]
    rows, pieces = unpacked(*records)
    assert [row["key"] for row in rows] == [made.id for made in records]
    for found, made in zip(pieces, records, strict=True):
        assert found["passage"] == made.source_paper.text
        assert (found["reasoning_trace"], found["final_answer"]) == (made.reasoning_trace, made.final_answer)
        assert found["steps"] == made.written()["steps"]
        assert found["judged"]["answer_grades"] == made.written()["answer_grades"], "a missing grade is said to be"
        assert set(found) | set(found["judged"]) | set(found["made"]) >= {
            name for name, part in made.written().items() if part not in (None, "", [], {})
        }


def test_a_point_without_a_sentence_lacks_nothing_and_what_was_left_out_is_called_so() -> None:
    fact = {"kind": "fact", "text": "It is dust.", "weight": 2, "sentence": 1, "quote": "Dust.", "start": 0, "end": 5}
    lost = [{"reason": "rests on no sentence of the passage", "detail": 'fact "It is old."'}]
    one = record(1, rubric=[fact, {"kind": "pitfall", "text": "It is old.", "weight": -2}], unchecked=lost)
    _, (piece,) = unpacked(one)
    made = piece["made"]
    assert [point["rests_on"] for point in made["rubric"]] == ["Dust.", ""]
    assert None not in [value for point in made["rubric"] for value in point.values()]
    assert made["left_out_of_short_answer_and_rubric"] == lost


def test_traces_of_one_id_can_be_told_apart() -> None:
    keys = [row["key"] for row in unpacked(*(record(4, id=name) for name in ("a", "a", None)))[0]]
    assert len(set(keys)) == 3
    assert keys[0] == "a"


def test_a_figure_of_older_versions_that_said_nothing_is_not_shown() -> None:
    old = record(1).model_dump()
    old["metadata"]["evidence_found"] = 1.0
    assert "evidence_found" not in str(unpacked(Record.model_validate(old)))
