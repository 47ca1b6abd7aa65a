"""Invariants of pairs, labels and labelled steps.

1. dpo: chosen is the best accepted trace of a question; every worse one by the margin is rejected once, the worst first;
   never two questions, never a pair of equal texts, never scores of two measures, never a rejected trace as chosen.
2. kto: the label is what the run decided, or with `--min-score` the score; without a score there is no label.
3. prm: labels come from checked steps and the kind `wrong` alone, and each is about its own paragraph.
"""

from pathlib import Path
from typing import Any

import pytest

from programs.exports.reinforcement import label_of
from programs.records import StepRecord
from programs.traces.line import LEFT_OUT
from tests.exports.building import Made, export_to, laid, made, plain_document, record, refused, rows


@pytest.mark.parametrize(
    ("words", "rejected"),
    [
        ([], [3, 4, 5.5, 6.9]),
        (["--margin", "1.1"], [3, 4, 5.5, 6.9]),
        (["--margin", "1.2"], [3, 4, 5.5]),
        (["--margin", "5"], [3]),
        (["--min-score", "8"], [3, 4, 5.5, 6.9]),
    ],
)
def test_1_the_best_trace_with_those_worse_by_the_margin(judged: Path, words: list[str], rejected: list[float]) -> None:
    found = rows(export_to(judged, "dpo", *words))
    assert [(row["score_chosen"], row["score_rejected"]) for row in found] == [(8, score) for score in rejected]
    for row in found:
        assert "score 8.0." in row["chosen"][0]["content"]
        assert f"score {row['score_rejected']}." in row["rejected"][0]["content"]
        assert row["prompt"][1]["content"].startswith("Why is the slope of text 1")


def test_1_without_a_pair_the_export_is_refused_with_all_reasons(judged: Path) -> None:
    said = refused(judged, "dpo", "--margin", "5.1")
    assert said.startswith("nothing to export to dpo: 6 traces read, none left: ")
    assert "1 x questions without two traces that are 5.1 apart (--margin)" in said
    assert "1 x questions with a single trace" in said
    alone = plain_document(judged.with_name("alone.json"), [record(1, score=8.0)])
    assert refused(alone, "dpo").endswith("a document has no rejected traces")


NO_PAIR: dict[str, tuple[str, list[Any]]] = {
    "equal texts": (
        "1 x questions without two traces",
        [record(1, score=score, thought="The same.", variation=number) for number, score in enumerate((9.0, 3.0))],
    ),
    "not rated": ("1 x questions with fewer than", [record(1, score=9.0), record(1, grade=0.5, variation=1)]),
    "two questions of one name": (
        "2 x questions with a single trace",
        [record(1, score=9.0), record(1, score=3.0, question="Another one?", variation=1)],
    ),
    "none accepted": ("without an accepted trace", [Made(None, below=[record(1, score=5.0), record(1, score=2.0)])]),
    "best too low": ("whose best trace is below 8.5", [record(1, score=8.0), record(1, score=3.0, variation=1)]),
}


@pytest.mark.parametrize(("reason", "units"), NO_PAIR.values(), ids=NO_PAIR)
def test_1_what_makes_no_pair(tmp_path: Path, units: list[Any], reason: str) -> None:
    words = ("--min-score", "8.5") if "8.5" in reason else ()
    assert reason in refused(laid(tmp_path, units), "dpo", *words)


def test_1_what_makes_a_pair(tmp_path: Path) -> None:
    """What was turned down is never chosen, and 8.3 - 7.3 is less than 1."""
    below: list[Any] = [Made(record(1, score=6.0), below=[record(1, score=9.0), record(1, score=2.0)])]
    decimals: list[Any] = [record(1, score=8.3), record(1, score=7.3, variation=1)]
    for pair, units in {(6, 2): below, (8.3, 7.3): decimals}.items():
        (row,) = rows(export_to(laid(tmp_path / str(pair), units), "dpo"))
        assert (row["score_chosen"], row["score_rejected"]) == pair


def test_2_labels_are_what_the_run_decided_or_the_score_decides(judged: Path, tmp_path: Path) -> None:
    scores = [4.0, 5.5, 8.0, 6.9, 9.0, 3.0]
    found = rows(export_to(judged, "kto"))
    assert [row["quality_score"] for row in found] == scores
    assert [row["label"] for row in found] == [False, False, True, True, True, False]
    by_score = rows(export_to(judged, "kto", "--min-score", "5.5", output="by-score"))
    assert [row["label"] for row in by_score] == [score >= 5.5 for score in scores]
    unscored = laid(tmp_path / "unscored", [record(1), record(2, score=9.0)])
    assert [row["label"] for row in rows(export_to(unscored, "kto", "--min-score", "5"))] == [True]


def test_2_what_one_judge_found_wrong_is_never_labelled_good(tmp_path: Path) -> None:
    wrong = record(1, score=8.0, variation=1)
    wrong.verdicts[0].accuracy = 4
    document = laid(tmp_path, [Made(record(1, score=9.0), below=[wrong])])
    found = rows(export_to(document, "kto", "--min-score", "5"))
    assert {row["quality_score"]: row["label"] for row in found} == {9.0: True, 8.0: False}


@pytest.mark.parametrize("status", LEFT_OUT)
def test_2_traces_that_were_left_out_are_in_no_preference(tmp_path: Path, status: str) -> None:
    left_out = Made(None, below=[record(1, score=3.0, variation=1)], status=status)
    document = laid(tmp_path, [record(1, score=9.0), left_out, Made(None, below=[record(1, score=4.0, variation=2)])])
    assert [row["quality_score"] for row in rows(export_to(document, "kto"))] == [9.0, 4.0]
    assert [row["score_rejected"] for row in rows(export_to(document, "dpo"))] == [4.0]


@pytest.mark.parametrize("status", ["rejected", "unjudged"])
def test_2_a_question_that_is_not_kept_is_in_no_preference(tmp_path: Path, status: str) -> None:
    """Neither the attempts of the variation that was turned down for it, nor those of the question's other variations."""
    below = [record(1, score=3.0), record(1, score=8.0, variation=5)]
    known = Made(None, below=below, status=status, reason="blind solve: known")
    other = Made(None, below=[record(1, score=2.0, variation=1)], reason="quality 2.0 after 1 attempts")
    kept = Made(record(2, score=9.0), below=[record(2, score=4.0, variation=1)])
    document = laid(tmp_path, [other, known, kept])
    for words in ((), ("--min-score", "5")):
        found = export_to(document, "kto", *words, output=f"kto{len(words)}")
        assert {row["quality_score"]: row["label"] for row in rows(found)} == {9.0: True, 4.0: False}
    assert [row["score_rejected"] for row in rows(export_to(document, "dpo"))] == [4.0]


def stepped(*steps: tuple[str, str | None], **given: Any) -> Any:
    of_model = [{"status": status, "judged_by": "checker-7b"} if status else {} for _, status in steps]
    kinds = [{"kind": kind, "text": f"{number}. {kind}"} for number, (kind, _) in enumerate(steps)]
    return record(steps=[kind | said for kind, said in zip(kinds, of_model, strict=True)], **given)


def test_3_each_label_is_about_its_own_paragraph() -> None:
    kinds = ("recalls", "tries", "wrong", "doubts", "takes_back", "considers", "settles")
    statuses = (None, "supported", None, "outside", "inferred", "contradicted", None)
    first, second = made("prm", stepped(*zip(kinds, statuses, strict=True)))
    asked = "Why is the slope of text 0 1.0?"
    assert first["prompt"] == f"{asked}\n\n0. recalls"
    assert (first["completions"], first["labels"]) == (["1. tries", "2. wrong"], [True, False])
    assert second["prompt"] == "\n\n".join([asked, "0. recalls", "1. tries", "2. wrong", "3. doubts"])
    assert (second["completions"], second["labels"]) == (["4. takes_back", "5. considers"], [True, False])


def test_3_what_rules_of_older_versions_said_of_a_step_is_no_label() -> None:
    assert StepRecord.model_validate({"move": "of another tool", "text": "It rises."}).kind == "of another tool"
    assert StepRecord.model_validate({"move": "correction", "text": "It falls."}).kind == "takes_back"
    old = {"move": "weighing", "text": "The slope rises.", "status": "contradicted", "conflict": "falls, not rises"}
    by_rule = StepRecord.model_validate({**old, "judged_by": "rule"})
    assert (by_rule.kind, by_rule.status, label_of(by_rule)) == ("considers", None, None)
    assert label_of(StepRecord.model_validate({**old, "judged_by": "checker-7b"})) is False
    assert label_of(StepRecord.model_validate({"move": "wrong_turn", "text": "The slope rises."})) is False


@pytest.mark.parametrize("steps", [(), (("tries", None), ("doubts", "outside"))])
def test_3_without_a_label_there_is_no_row_and_it_is_said(steps: Any, tmp_path: Path) -> None:
    document = plain_document(tmp_path / "doc.json", [stepped(*steps)])
    assert "1 x none of its steps has a label" in refused(document, "prm")
