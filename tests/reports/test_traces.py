"""What a page holds of the traces: every record can be read back whole, beside its passage, which is stored once."""

from __future__ import annotations

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
