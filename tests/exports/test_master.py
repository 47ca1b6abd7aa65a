"""Invariants of the `master` format and of `python -m programs.restore`.

1. Every record is the same when it comes back, whatever its texts, keys that no model knows, and missing parts; as JSONL
   and as Parquet.
2. A row is flat: texts, numbers and truth values alone, in the same columns in every row.
3. The document made again holds the records of the old one in their order, whatever the splits and shards, and what it
   said of itself.
4. What is no master export, or is damaged, is refused with one line, and no document is written or lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programs.document import read_records
from programs.errors import UserError
from programs.exports.format import Candidate
from programs.exports.master import MASTER, record_of
from programs.exports.view import View
from programs.records import Record
from programs.restore import main, restore
from tests.exports.building import export_to, laid, plain_document, record
from tests.test_document import MINIMAL

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | NUMBER | TEXT, lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6)  # fmt: skip
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
GRADE = st.none() | st.floats(0, 1)


@st.composite
def records(draw: Callable[..., Any]) -> Record:
    """Records as any version or tool may have made them."""
    one = record(
        draw(st.integers(0, 5)),
        text=draw(TEXT),
        answer=draw(TEXT),
        reasoning_trace=draw(TEXT),
        extra=draw(OBJECT),
        score=draw(st.none() | st.floats(1, 10)),
        grade=draw(GRADE),
    ).model_dump(mode="json")
    for part in (None, "source_paper", "user_interaction", "metadata"):
        place = one if part is None else one[part]
        for key, value in draw(OBJECT).items():
            place.setdefault(key, value)
    one["generation"] = draw(st.none() | st.just(one["generation"]))
    one["id"] = draw(st.none() | TEXT)
    one["steps"] = draw(st.lists(st.fixed_dictionaries({"kind": TEXT, "text": TEXT}), max_size=2))
    return Record.model_validate(one)


def row_of(one: Record) -> dict[str, Any]:
    (row,) = MASTER.rows([Candidate(one, position=0)], View())
    assert isinstance(row, dict)
    return row


# 1. Records come back


@given(records())
@settings(max_examples=50, deadline=None)
def test_a_record_comes_back(one: Record) -> None:
    row = orjson.loads(orjson.dumps(row_of(one)))
    assert record_of(row).model_dump(mode="json") == one.model_dump(mode="json")


@given(st.lists(records(), min_size=1, max_size=3))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_records_come_back_from_parquet(tmp_path: Path, ones: list[Record]) -> None:
    pytest.importorskip("pyarrow")
    document = plain_document(tmp_path / "in.json", ones)
    folder = export_to(document, "master", "--as", "parquet", "--overwrite")
    output = tmp_path / "again.json"
    assert restore(folder, output, overwrite=True) == len(ones)
    assert list(read_records(output)) == ones


def test_parts_that_are_missing_and_parts_that_are_empty_are_told_apart() -> None:
    empty, missing = record(1, grade=0.5), record(1)
    assert empty.answer_grades is not None
    for name in type(empty.answer_grades).model_fields:
        setattr(empty.answer_grades, name, None)
    back = record_of(row_of(empty)).answer_grades
    assert back is not None
    assert back.overall_score is None
    assert record_of(row_of(missing)).answer_grades is None


# 2. Flat


@given(records())
@settings(max_examples=25, deadline=None)
def test_a_row_is_flat_and_has_every_column(one: Record) -> None:
    row = row_of(one)
    kinds = {"string": str, "int64": int, "float64": float, "bool": bool}
    columns = MASTER.columns(View())
    assert list(row) == list(columns)
    for name, kind in columns.items():
        assert row[name] is None or type(row[name]) is kinds[str(kind)], name


def test_every_field_of_a_record_has_its_column() -> None:
    columns = MASTER.columns(View())
    for name in ("reasoning_trace", "source_paper_text", "metadata_quality_score", "answer_grades_overall_score"):
        assert name in columns
    assert columns["generation_temperature"] == "float64"
    assert columns["source_paper_extra"] == "string"


# 3. The document


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("words", [[], ["--splits", "0.5,0.3,0.2", "--shard-rows", "3"]], ids=["one", "many"])
def test_the_document_is_made_again(tmp_path: Path, words: list[str], kind: str) -> None:
    document = laid(tmp_path, [record(number, score=7.0, grade=0.25) for number in range(20)])
    folder = export_to(document, "master", "--as", kind, *words)
    assert main([str(folder), "--output", str(tmp_path / "again.json")]) == 0
    assert json.loads((tmp_path / "again.json").read_bytes()) == json.loads(document.read_bytes())


def test_a_document_of_the_minimal_format_comes_back(tmp_path: Path) -> None:
    document = tmp_path / "minimal.json"
    document.write_text(json.dumps(MINIMAL))
    restore(export_to(document, "master"), tmp_path / "again.json")
    assert list(read_records(tmp_path / "again.json")) == list(read_records(document))


def test_what_the_export_left_out_is_not_counted(tmp_path: Path) -> None:
    document = laid(tmp_path, [record(number, score=float(number + 5)) for number in range(4)])
    folder = export_to(document, "master", "--min-score", "7")
    assert restore(folder, tmp_path / "again.json") == 2
    assert json.loads((tmp_path / "again.json").read_bytes())["metadata"]["total_traces_generated"] == 2


# 4. Mistakes


def refused(folder: Path, output: Path, overwrite: bool = False) -> str:
    before = output.read_bytes() if output.exists() else None
    with pytest.raises(UserError) as caught:
        restore(folder, output, overwrite)
    assert (output.read_bytes() if output.exists() else None) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_only_a_master_export_is_taken(tmp_path: Path) -> None:
    document = laid(tmp_path, [record(1)])
    for folder in (export_to(document, "sft"), tmp_path, tmp_path / "missing", document):
        assert refused(folder, tmp_path / "again.json") == f"{folder} is no export --to master"


def test_a_document_that_is_there_stays(tmp_path: Path) -> None:
    document = laid(tmp_path, [record(1)])
    folder = export_to(document, "master")
    assert "is there already" in refused(folder, document)
    assert restore(folder, document, overwrite=True) == 1


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("damage", ["cut", "missing", "foreign"])
def test_a_damaged_export_is_refused(tmp_path: Path, damage: str, kind: str) -> None:
    folder = export_to(laid(tmp_path, [record(number) for number in range(4)]), "master", "--as", kind)
    (path,) = (folder / "data").iterdir()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b'{"position": 0}\n')
    assert refused(folder, tmp_path / "again.json").startswith(f"{folder} is damaged: ")


def test_a_row_too_few_is_noticed(tmp_path: Path) -> None:
    folder = export_to(laid(tmp_path, [record(number) for number in range(4)]), "master")
    (path,) = (folder / "data").iterdir()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "it holds 3 traces instead of 4" in refused(folder, tmp_path / "again.json")
