"""Invariants of the `table` format: a row is flat, has every column, and says what the record says."""

from __future__ import annotations

import json

from programs.exports.format import Candidate
from programs.exports.table import TABLE
from programs.exports.view import View
from programs.records import Record
from tests.exports.building import record

KINDS = {"string": str, "int64": int, "float64": float, "bool": bool}


def test_a_row_is_flat_and_says_what_the_record_says() -> None:
    graded, plain = record(1, score=7.0, grade=0.25, extra={"doi": "10.1/x"}), record(2)
    columns = TABLE.columns(View())
    for one in (graded, plain):
        (row,) = TABLE.rows([Candidate(one)], View())
        assert isinstance(row, dict)
        assert list(row) == list(columns)
        for name, kind in columns.items():
            assert row[name] is None or type(row[name]) is KINDS[str(kind)], name
        assert row["reasoning_trace"] == one.reasoning_trace
        assert json.loads(row["source_paper_extra"]) == one.source_paper.extra
        assert row["answer_grades_overall_score"] == (one.answer_grades.overall_score if one.answer_grades else None)
    assert columns["generation_temperature"] == "float64"


def test_every_field_of_a_record_has_its_column() -> None:
    columns = TABLE.columns(View())
    assert all(any(name == one or one.startswith(f"{name}_") for one in columns) for name in Record.model_fields)
