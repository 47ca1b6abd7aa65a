"""Invariants of pairs, labels and labelled steps.

1. dpo: the best accepted trace of a question is chosen, and each trace that is worse by the margin is rejected once, the
   worst first. No pair has two questions, equal texts, scores of two measures, or a rejected trace as the chosen one.
2. kto: the label is the run's decision, or with `--min-score` depends on the score; a trace without a score then has none.
3. prm: labels come only from checked steps and from the kind `wrong`, and each belongs to its own paragraph.
"""

from pathlib import Path
from typing import Any

import pytest

from programs.exports.reinforcement import label_of
from programs.record_parts import StepRecord
from programs.traces.line import LEFT_OUT
from tests.exports.building import Unit, export_error, export_to, format_rows, plain_document, record, rows, write_run


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
def test_1_the_best_trace_is_paired_with_worse_ones(judged: Path, words: list[str], rejected: list[float]) -> None:
    found = rows(export_to(judged, "dpo", *words))
    assert [(row["score_chosen"], row["score_rejected"]) for row in found] == [(8, score) for score in rejected]
    for row in found:
        assert "score 8.0." in row["chosen"][0]["content"]
        assert f"score {row['score_rejected']}." in row["rejected"][0]["content"]
        assert row["prompt"][1]["content"].startswith("Why is the slope of text 1")


def test_1_without_a_pair_the_export_is_refused_with_all_reasons(judged: Path) -> None:
    message = export_error(judged, "dpo", "--margin", "5.1")
    assert message.startswith("nothing to export to dpo: 6 traces read, none left: ")
    assert "1 x questions without two traces that are 5.1 apart (--margin)" in message
    assert "1 x questions with a single trace" in message
    alone = plain_document(judged.with_name("alone.json"), [record(1, score=8.0)])
    assert export_error(alone, "dpo").endswith("a document has no rejected traces")


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
    "none accepted": ("without an accepted trace", [Unit(None, rejected=[record(1, score=5.0), record(1, score=2.0)])]),
    "best too low": ("whose best trace is below 8.5", [record(1, score=8.0), record(1, score=3.0, variation=1)]),
}


@pytest.mark.parametrize(("reason", "units"), NO_PAIR.values(), ids=NO_PAIR)
def test_1_traces_that_make_no_pair(tmp_path: Path, units: list[Any], reason: str) -> None:
    words = ("--min-score", "8.5") if "8.5" in reason else ()
    assert reason in export_error(write_run(tmp_path, units), "dpo", *words)


def test_1_traces_that_make_a_pair(tmp_path: Path) -> None:
    """A rejected trace is never chosen, and 8.2 - 7.2, which is 0.9999999999999991, is a margin of 1."""
    rejected: list[Any] = [Unit(record(1, score=6.0), rejected=[record(1, score=9.0), record(1, score=2.0)])]
    decimals: list[Any] = [record(1, score=8.2), record(1, score=7.2, variation=1)]
    for pair, units in {(6, 2): rejected, (8.2, 7.2): decimals}.items():
        (row,) = rows(export_to(write_run(tmp_path / str(pair), units), "dpo"))
        assert (row["score_chosen"], row["score_rejected"]) == pair


def test_2_labels_follow_the_run_or_the_score(judged: Path, tmp_path: Path) -> None:
    scores = [4.0, 5.5, 8.0, 6.9, 9.0, 3.0]
    found = rows(export_to(judged, "kto"))
    assert [row["quality_score"] for row in found] == scores
    assert [row["label"] for row in found] == [False, False, True, True, True, False]
    by_score = rows(export_to(judged, "kto", "--min-score", "5.5", output="by-score"))
    assert [row["label"] for row in by_score] == [score >= 5.5 for score in scores]
    unscored = write_run(tmp_path / "unscored", [record(1), record(2, score=9.0)])
    assert [row["label"] for row in rows(export_to(unscored, "kto", "--min-score", "5"))] == [True]


def test_2_a_trace_that_one_judge_found_wrong_is_never_labelled_good(tmp_path: Path) -> None:
    wrong = record(1, score=8.0, variation=1)
    wrong.verdicts[0].accuracy = 4
    document = write_run(tmp_path, [Unit(record(1, score=9.0), rejected=[wrong])])
    found = rows(export_to(document, "kto", "--min-score", "5"))
    assert {row["quality_score"]: row["label"] for row in found} == {9.0: True, 8.0: False}


@pytest.mark.parametrize("status", LEFT_OUT)
def test_2_traces_that_older_versions_left_out_are_in_no_preference_data(tmp_path: Path, status: str) -> None:
    old = Unit(None, rejected=[record(1, score=3.0, variation=1)], status=status)
    path = write_run(tmp_path, [record(1, score=9.0), old, Unit(None, rejected=[record(1, score=4.0, variation=2)])])
    assert [row["quality_score"] for row in rows(export_to(path, "kto"))] == [9.0, 4.0]
    assert [row["score_rejected"] for row in rows(export_to(path, "dpo"))] == [4.0]


@pytest.mark.parametrize("status", ["rejected", "unjudged"])
def test_2_a_rejected_question_is_in_no_preference_data(tmp_path: Path, status: str) -> None:
    """This holds for the attempts of the variation that was rejected for it and of the question's other variations."""
    rejected = [record(1, score=3.0), record(1, score=8.0, variation=5)]
    known = Unit(None, rejected=rejected, status=status, reason="blind solve: known")
    other = Unit(None, rejected=[record(1, score=2.0, variation=1)], reason="quality 2.0 after 1 attempts")
    kept = Unit(record(2, score=9.0), rejected=[record(2, score=4.0, variation=1)])
    document = write_run(tmp_path, [other, known, kept])
    for words in ((), ("--min-score", "5")):
        found = export_to(document, "kto", *words, output=f"kto{len(words)}")
        assert {row["quality_score"]: row["label"] for row in rows(found)} == {9.0: True, 4.0: False}
    assert [row["score_rejected"] for row in rows(export_to(document, "dpo"))] == [4.0]


def record_with_steps(*steps: tuple[str, str | None], **given: Any) -> Any:
    checks = [{"status": status, "judged_by": "checker-7b"} if status else {} for _, status in steps]
    kinds = [{"kind": kind, "text": f"{number}. {kind}"} for number, (kind, _) in enumerate(steps)]
    return record(steps=[kind | check for kind, check in zip(kinds, checks, strict=True)], **given)


def test_3_each_label_belongs_to_its_own_paragraph() -> None:
    kinds = ("recalls", "tries", "wrong", "doubts", "takes_back", "considers", "settles")
    statuses = (None, "supported", None, "outside", "inferred", "contradicted", None)
    first, second = format_rows("prm", record_with_steps(*zip(kinds, statuses, strict=True)))
    asked = "Why is the slope of text 0 1.0?"
    assert first["prompt"] == f"{asked}\n\n0. recalls"
    assert (first["completions"], first["labels"]) == (["1. tries", "2. wrong"], [True, False])
    assert second["prompt"] == "\n\n".join([asked, "0. recalls", "1. tries", "2. wrong", "3. doubts"])
    assert (second["completions"], second["labels"]) == (["4. takes_back", "5. considers"], [True, False])


def test_3_verdicts_by_rules_of_older_versions_are_no_labels() -> None:
    assert StepRecord.model_validate({"move": "of another tool", "text": "It rises."}).kind == "of another tool"
    assert StepRecord.model_validate({"move": "correction", "text": "It falls."}).kind == "takes_back"
    old = {"move": "weighing", "text": "The slope rises.", "status": "contradicted", "conflict": "falls, not rises"}
    by_rule = StepRecord.model_validate({**old, "judged_by": "rule"})
    assert (by_rule.kind, by_rule.status, label_of(by_rule)) == ("considers", None, None)
    assert label_of(StepRecord.model_validate({**old, "judged_by": "checker-7b"})) is False
    assert label_of(StepRecord.model_validate({"move": "wrong_turn", "text": "The slope rises."})) is False


@pytest.mark.parametrize("steps", [(), (("tries", None), ("doubts", "outside"))])
def test_3_a_trace_without_labels_is_left_out_with_the_reason(steps: Any, tmp_path: Path) -> None:
    document = plain_document(tmp_path / "doc.json", [record_with_steps(*steps)])
    assert "1 x none of its steps has a label" in export_error(document, "prm")
