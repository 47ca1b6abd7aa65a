"""`python -m programs.review`: a person walks through a review list, and what they say become labels.

1. Each decision is on the disk before the next trace is shown; the file is only ever appended to, and the last word counts.
2. It goes on where it was left: what has a label is not shown again, what was skipped is.
3. A person can go back and decide otherwise, rate from 1 to 10, comment, and see the whole passage.
4. What is shown is all that a judge had and said; nothing in it can do anything to the terminal.
5. The labels are what `programs.judges.labels` reads, and what `optimize.compile --stage judge` learns from.
6. Nothing that a person wrote is lost: not by a review, not by a run, not by a damaged file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from optimize.judging import PREDICTOR
from programs.judges.labels import read_labels
from programs.judges.walk import ReviewLabels
from programs.tracer import load_tracer
from tests.lab import ROOT, environment
from tests.optimize import judging
from tests.reviewing import item, labels_in, review, write_list


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    return write_list(tmp_path / "out.review.jsonl", [item(number) for number in range(4)])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "out.labels.jsonl"


def decided(labels: Path) -> dict[str, Any]:
    """What was said last of each trace."""
    return {line["id"]: line["human"] for line in labels_in(labels)}


def test_every_decision_is_a_label(listed: Path, labels: Path) -> None:
    code, out, _ = review(listed, "a", "reject", "7", "A 10")
    assert code == 0
    assert decided(labels) == {
        "trace-0": {"correct": True},
        "trace-1": {"correct": False},
        "trace-2": {"overall": 7},
        "trace-3": {"correct": True, "overall": 10},
    }
    assert f"2 accepted, 1 rejected, 2 rated, 0 without a label; in {labels}" in out.replace("\n", " ")
    found = read_labels(labels).answers
    assert [(one.correct, one.overall) for one in found] == [(True, None), (False, None), (None, 7), (True, 10)]
    assert [one.question for one in found] == [item(number).question for number in range(4)]
    assert [one.key_passage for one in found] == [item(number).key_passage for number in range(4)]
    assert [one.thought for one in found] == [item(number).thought for number in range(4)]


def test_a_decision_is_on_the_disk_before_the_next_trace_is_shown(listed: Path, labels: Path) -> None:
    command = [sys.executable, "-u", "-m", "programs.review", str(listed)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number, word in enumerate(("a", "r 2")):
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            while f"Why does lamp {number + 1} drift?" not in process.stdout.readline():
                assert process.poll() is None
            assert len(labels_in(labels)) == number + 1
        process.kill()
    assert decided(labels) == {"trace-0": {"correct": True}, "trace-1": {"correct": False, "overall": 2}}
    code, out, _ = review(listed, "q")
    assert code == 0
    assert "3 of 4, 2 without a label" in out


def test_it_goes_on_where_it_was_left(listed: Path, labels: Path) -> None:
    review(listed, "a", "s", "r", "q")
    assert list(decided(labels)) == ["trace-0", "trace-2"]
    _, out, _ = review(listed, "a", "a")
    assert "Why does lamp 1 drift?" in out
    assert "Why does lamp 3 drift?" in out
    assert "Why does lamp 0 drift?" not in out
    assert "Why does lamp 2 drift?" not in out
    assert list(decided(labels)) == ["trace-0", "trace-2", "trace-1", "trace-3"]
    before = labels.read_bytes()
    code, out, _ = review(listed)
    assert (code, labels.read_bytes()) == (0, before)
    assert "0 without a label" in out


def test_going_back_the_last_word_counts_and_the_first_is_kept(listed: Path, labels: Path) -> None:
    _, out, _ = review(listed, "b", "a", "r", "b", "b", "r 2", "q")
    assert "this is the first one" in out
    assert "you said: accepted" in out
    lines = labels_in(labels)
    assert [(line["id"], line["human"]) for line in lines] == [
        ("trace-0", {"correct": True}),
        ("trace-1", {"correct": False}),
        ("trace-0", {"correct": False, "overall": 2}),
    ]
    found = read_labels(labels)
    assert [(one.correct, one.overall) for one in found.answers] == [(False, 2), (False, None)]
    assert dict(found.skipped) == {"label that a later one replaced": 1}


def test_comments_stay_with_the_decision_in_either_order(listed: Path, labels: Path) -> None:
    review(listed, "c  too sure of it ", "r", "a", "b", "c fine, all told", "q")
    lines = labels_in(labels)
    assert [(line["id"], line["human"], line["comment"]) for line in lines] == [
        ("trace-0", None, "too sure of it"),
        ("trace-0", {"correct": False}, "too sure of it"),
        ("trace-1", {"correct": True}, None),
        ("trace-1", {"correct": True}, "fine, all told"),
    ]
    assert [one.correct for one in read_labels(labels).answers] == [False, True]
    _, out, _ = review(listed, "b", "b", "q")
    assert "you said: accepted, comment: fine, all told" in out


@pytest.mark.parametrize("word", ["", "11", "0", "a 11", "accept it", "c", "a 1 2", "7.5"])
def test_what_means_nothing_changes_nothing(word: str, listed: Path, labels: Path) -> None:
    code, out, _ = review(listed, word)
    assert code == 0
    assert labels.read_bytes() == b""
    assert "1 of 4, 4 without a label" in out
    assert "accept" in out.split("1 of 4")[1] or "comment after the c" in out


def test_of_a_long_passage_the_evidence_is_shown_and_the_whole_on_demand(tmp_path: Path) -> None:
    passage = "It was never calibrated. " + "Nothing else is known of it. " * 200 + "The last lamp failed."
    path = write_list(tmp_path / "out.review.jsonl", [item(0, key_passage=passage)])
    _, out, _ = review(path, "q")
    for shown in ("Paper 0", "question, by a student (beginner level)", "Perhaps lamp 0 is old.", "never calibrated."):
        assert shown in out
    assert "the judges, 5 apart (accepted)" in out
    assert "It asserts the cause." in out
    assert "The last lamp failed." not in out
    _, out, _ = review(path, "p", "q")
    assert "The last lamp failed." in out


def test_nothing_in_a_trace_can_act_on_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold red]hello[/bold red] [/nothing]"
    path = write_list(tmp_path / "out.review.jsonl", [item(0, thought=evil, title=evil, question=evil, answer=evil)])
    code, out, _ = review(path, "q")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold red]hello[/bold red] [/nothing]" in out


def test_where_there_is_nothing_to_review_it_is_said(tmp_path: Path) -> None:
    there = {
        "none.json": "there is neither",
        "a.journal.jsonl": "python -m programs.document",
        "b.json": "no judges rated",
    }
    for name, said in there.items():
        if name != "none.json":
            (tmp_path / name).write_text("{}")
        code, _, err = review(tmp_path / name.replace(".journal.jsonl", ".json"))
        assert (code, said in err) == (2, True)
    code, out, _ = review(write_list(tmp_path / "out.review.jsonl", []))
    assert (code, out.strip()) == (0, "nothing to review: no two judges are far apart; see --random")
    assert not (tmp_path / "out.labels.jsonl").exists()


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": "x"}'])
def test_what_is_no_review_list_is_refused(line: str, listed: Path) -> None:
    listed.write_text(f"{item(0).model_dump_json()}\n{line}\n")
    code, _, err = review(listed, "q")
    assert code == 2
    assert "out.review.jsonl:2 is no trace of a review list" in err


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": "x", "human": {"overall": 70}}', '{"id": "trace-0", "hum'])
def test_a_damaged_file_of_labels_is_refused_and_left_as_it_is(line: str, listed: Path, labels: Path) -> None:
    review(listed, "a", "q")
    labels.write_text(f"{labels.read_text()}{line}")
    before = labels.read_bytes()
    code, _, err = review(listed, "a")
    assert code == 2
    assert "out.labels.jsonl:2 is no label: mend or delete that line" in err
    assert labels.read_bytes() == before


def test_two_reviews_do_not_write_one_file(listed: Path, labels: Path) -> None:
    with ReviewLabels(labels):
        code, _, err = review(listed, "a")
    assert code == 2
    assert "in use by another review" in err


def test_a_label_that_cannot_be_written_is_no_label(
    listed: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review(listed, "a", "q")
    before = labels.read_bytes()
    written = os.write
    monkeypatch.setattr(os, "write", lambda file, data: written(file, data[: len(data) // 2]))
    code, _, err = review(listed, "r")
    monkeypatch.undo()
    assert code == 1
    assert "what was said before is kept" in err
    assert labels.read_bytes() == before


def test_judges_are_tuned_by_what_was_said(tmp_path: Path) -> None:
    """The judges of `tests.optimize.judging` are lenient until their prompt tells them to look at the passage."""
    answers = judging.records(28)
    items = [
        item(
            number,
            question=one["question"],
            key_passage=one["key_passage"],
            answer=one["answer"],
            thought=f"<thought>\nPerhaps, number {number}.\n</thought>",
        )
        for number, one in enumerate(answers)
    ]
    path = write_list(tmp_path / "out.review.jsonl", items)
    code, _, _ = review(path, *("a" if one["human"]["correct"] else "r" for one in answers))
    assert code == 0
    with judging.judges(tmp_path) as lab:
        (tmp_path / "out.labels.jsonl").replace(tmp_path / "labelled.jsonl")
        done = lab.compile("--optimizer", "bootstrap")
        assert (done.returncode, done.stderr) == (0, "")
        assert all("Perhaps, number" in json.dumps(body["messages"]) for body in lab.server.bodies)
        found = lab.report["proof"]["composite"]
        assert (found["before"], found["after"]) == (0.5, 1.0)
        assert not [warning for warning in lab.report["warnings"] if "thought" in warning]
    tuned = load_tracer(lab.output).dump_state()[PREDICTOR]
    assert tuned["demos"][0]["thought"].startswith("Perhaps, number"), "as judges are shown it"
