"""Labelled answers are read in every form that they come in; what is none is refused with its file and line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from optimize.labels import NO_BASIS, NO_LABEL, REPLACED, read_labels
from programs.errors import UserError
from programs.inputs.report import Skip

GOOD: dict[str, Any] = {
    "question": "Why does dust redden light?",
    "reference": "It scatters blue light more.",
    "answer": "Because blue light is scattered more strongly.",
    "human": {"correct": 1},
}


def written(folder: Path, *records: Any) -> Path:
    path = folder / "labels.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("human", "correct", "overall"),
    [
        ({"correct": 1}, True, None),
        ({"correct": 0}, False, None),
        (1, True, None),
        (0.0, False, None),
        (True, True, None),
        ({"overall": 7}, None, 7),
        ({"correct": 1, "overall": 9, "note": "fine"}, True, 9),
    ],
)
def test_labels_in_every_form(tmp_path: Path, human: Any, correct: bool | None, overall: int | None) -> None:
    [found], _ = read_labels(written(tmp_path, {**GOOD, "human": human}))
    assert (found.correct, found.overall) == (correct, overall)
    assert (found.question, found.answer) == (GOOD["question"], GOOD["answer"])


def test_a_reference_or_a_key_passage_is_enough(tmp_path: Path) -> None:
    key = {**GOOD, "reference": None, "key_passage": "Dust scatters blue light."}
    found, _ = read_labels(written(tmp_path, GOOD, key, {**key, "reference": "Both."}))
    dust = key["key_passage"]
    known = [(answer.reference, answer.key_passage) for answer in found]
    assert known == [(GOOD["reference"], None), (None, dust), ("Both.", dust)]
    assert len({answer.id for answer in found}) == 3
    assert len({answer.question_key for answer in found}) == 1


def test_files_may_be_packed(tmp_path: Path) -> None:
    plain, packed = written(tmp_path, GOOD), tmp_path / "labels.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_labels(packed) == read_labels(plain)
    packed.write_bytes(packed.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"labels\.jsonl\.gz:1: "):
        read_labels(packed)


def test_records_of_no_use_are_skipped_and_counted(tmp_path: Path) -> None:
    bare = {**GOOD, "reference": "  ", "key_passage": None}
    unlabelled = {**GOOD, "human": None}
    [_], skipped = read_labels(written(tmp_path, bare, GOOD, "", unlabelled, bare, GOOD))
    assert skipped == {NO_BASIS: 2, NO_LABEL: 1, "duplicate text": 1}


def test_the_last_label_counts_over_all_files(tmp_path: Path) -> None:
    """Two people, or one on two days: what was said last stands, and it is said that labels were replaced."""
    rated = [{**GOOD, "human": {"overall": overall}} for overall in (8, 8, 3)]
    other = {**GOOD, "answer": "Another.", "human": 0}
    paths = []
    for name, records in (("a", [rated[0], other]), ("b", [rated[1]]), ("c", [rated[2]])):
        (tmp_path / name).mkdir()
        paths.append(str(written(tmp_path / name, *records)))
    found, skipped = read_labels(*paths)
    assert [(answer.answer, answer.overall) for answer in found] == [(GOOD["answer"], 3), ("Another.", None)]
    assert skipped == {Skip.DUPLICATE.value: 1, REPLACED: 1}
    assert [answer.overall for answer in read_labels(*reversed(paths))[0]] == [8, None]
    assert read_labels(written(tmp_path, rated[0], other, *rated[1:])) == (found, skipped)


NO_LABELS: tuple[Any, ...] = (7, {}, {"correct": 2}, {"overall": 7.5}, {"correct": 1, "overall": 11}, {"overall": True})


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("not json", "not JSON"),
        ("[1]", "not an object"),
        ({**GOOD, "question": None}, "`question` and `answer`"),
        ({**GOOD, "answer": " "}, "`question` and `answer`"),
        ({**GOOD, "answer": ["x"]}, "`answer` is not a text"),
        *(({**GOOD, "human": human}, "`human` must be") for human in NO_LABELS),
    ],
)
def test_what_is_no_labelled_answer_is_refused_with_its_line(tmp_path: Path, record: Any, why: str) -> None:
    with pytest.raises(UserError, match=rf"labels\.jsonl:2: .*{why}"):
        read_labels(written(tmp_path, GOOD, record))


def test_files_without_an_answer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is empty"):
        read_labels(written(tmp_path))
    with pytest.raises(UserError, match=f"1 with {NO_LABEL}"):
        read_labels(written(tmp_path, {**GOOD, "human": None}))
    with pytest.raises(UserError, match="Cannot read"):
        read_labels(tmp_path / "missing.jsonl")
