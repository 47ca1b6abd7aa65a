"""What a page holds of the traces: every record can be read back whole, beside its passage, which is stored once."""

import base64
import zlib
from typing import Any

import orjson

from programs.records import Record
from programs.reports.traces import kept, packed
from programs.run.attempts import ReadTrace
from tests.reports.building import record


def unpacked(piece: str) -> Any:
    return orjson.loads(zlib.decompress(base64.b64decode(piece)))


def test_what_is_packed_can_be_read_back() -> None:
    records = [record(number, variation=variation) for variation in range(3) for number in range(12)]
    rows, *pieces = map(unpacked, packed([kept(ReadTrace(made)) for made in records]))
    assert [row["key"] for row in rows] == [made.id for made in records]
    assert len(pieces) == 6, "a passage is stored once"
    for row, made in zip(rows, records, strict=True):
        text, found = pieces[row["piece"]]["text"], pieces[row["piece"]]["records"][row["at"]]
        assert text == made.source_paper.text
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
    _, piece = map(unpacked, packed([kept(ReadTrace(one))]))
    made = piece["records"][0]["made"]
    assert [point["rests_on"] for point in made["rubric"]] == ["Dust.", ""]
    assert None not in [value for point in made["rubric"] for value in point.values()]
    assert made["left_out_of_short_answer_and_rubric"] == lost


def test_traces_of_one_id_can_be_told_apart() -> None:
    traces = [kept(ReadTrace(record(4, id=name))) for name in ("a", "a", None)]
    keys = [row["key"] for row in unpacked(next(packed(traces)))]
    assert len(set(keys)) == 3
    assert keys[0] == "a"


def test_a_figure_of_older_versions_that_said_nothing_is_not_shown() -> None:
    old = record(1).model_dump()
    old["metadata"]["evidence_found"] = 1.0
    _, piece = map(unpacked, packed([kept(ReadTrace(Record.model_validate(old)))]))
    assert "evidence_found" not in str(piece)
