"""`python -m programs.review`: a person walks through traces, and what they say become labels.

1. Shown are the traces on which two judges differ by 3 or more, the furthest first, or a random sample of all that was
   judged: the draw is the seed's alone, and a larger one goes on with the smaller.
2. Each decision is on the disk before the next trace is shown; the file is only ever appended to, and the last word counts.
3. It goes on where it was left: what has a label is not shown again, what was skipped is. A person can go back.
4. What is shown is all that a judge had and said; nothing in it can do anything to the terminal.
5. The labels are what `programs.judges.labels` reads, and what `optimize.compile --stage judge` learns from.
6. Nothing that a person wrote is lost: not by a review, not by a damaged file.
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
from programs.judges.review_list import far_apart, random_sample
from programs.judges.walk import ReviewLabels
from programs.run.journal import Journal
from programs.tracer import load_tracer
from tests.exports.building import Made, plain_document, record
from tests.lab import ROOT, environment
from tests.optimize import judging
from tests.reviewing import judged, labels_in, review, trace


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return judged(tmp_path, [trace(number) for number in range(4)])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "out.labels.jsonl"


def decided(labels: Path) -> dict[str, Any]:
    """What was said last of each trace."""
    return {line["id"]: line["human"] for line in labels_in(labels)}


EVERYTHING = 1000
RATED = [(5, 5), (1, 10), (5, 7), (4, 7), (6, 6), (2, 8)]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Traces 0 to 5, of which 2 and 3 were turned down, and one whose question was left out."""
    made = [trace(number, overalls) for number, overalls in enumerate(RATED)]
    units = [Made(None, below=[one]) if number in (2, 3) else one for number, one in enumerate(made)]
    left_out = Made(None, below=[trace(9, (1, 10))], status="withdrawn")
    return judged(tmp_path_factory.mktemp("rated"), [*units, left_out])


def test_1_those_far_apart_are_shown_the_furthest_first(rated: Path) -> None:
    found = far_apart(rated, EVERYTHING, ())
    assert [(one.id, one.became) for one in found] == [
        ("trace-1", "accepted"),
        ("trace-5", "accepted"),
        ("trace-3", "below"),
    ]
    assert [one.id for one in far_apart(rated, 1, {"trace-1"})] == ["trace-5"]
    with Journal(rated.with_name("out.journal.jsonl")):
        assert len(far_apart(rated, EVERYTHING, ())) == 3, "also while a run writes it"


def test_1_a_sample_is_the_seeds_alone(rated: Path) -> None:
    every = [one.id for one in random_sample(rated, EVERYTHING, 0)]
    assert sorted(every) == [f"trace-{number}" for number in range(6)]
    assert [one.id for one in random_sample(rated, 3, 0)] == every[:3]
    other = [one.id for one in random_sample(rated, EVERYTHING, 1)]
    assert other != every
    assert sorted(other) == sorted(every)


def test_1_a_document_without_journal_or_judges_has_a_sample(tmp_path: Path) -> None:
    document = plain_document(tmp_path / "plain.json", [record(1), record(2)])
    assert review(document)[:2] == (
        0,
        "nothing to review: no two judges are far apart without your label; see --random\n",
    )
    assert not (tmp_path / "plain.labels.jsonl").exists()
    code, out, _ = review(document, "a", "r", options=("--random", "5"))
    assert (code, "1 accepted, 1 rejected, 0 rated, 0 without a label" in out) == (0, True)
    assert review(tmp_path / "none.json")[0] == 2


def test_2_every_decision_is_a_label(document: Path, labels: Path) -> None:
    code, out, _ = review(document, "a", "reject", "7", "A 10")
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
    made = [trace(number) for number in range(4)]
    assert [one.question for one in found] == [one.user_interaction.question for one in made]
    assert [one.key_passage for one in found] == [one.source_paper.text for one in made]
    assert [one.thought for one in found] == [one.reasoning_trace for one in made]


def test_2_a_decision_is_on_the_disk_before_the_next_trace_is_shown(document: Path, labels: Path) -> None:
    command = [sys.executable, "-u", "-m", "programs.review", str(document)]
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


def test_3_it_goes_on_where_it_was_left(document: Path, labels: Path) -> None:
    review(document, "a", "s", "r", "q")
    assert list(decided(labels)) == ["trace-0", "trace-2"]
    _, out, _ = review(document, "a", "a")
    assert [f"Why does lamp {number} drift?" in out for number in range(4)] == [False, True, False, True]
    assert list(decided(labels)) == ["trace-0", "trace-2", "trace-1", "trace-3"]
    before = labels.read_bytes()
    assert "nothing to review" in review(document)[1]
    assert labels.read_bytes() == before


def test_3_going_back_the_last_word_counts_and_the_first_is_kept(document: Path, labels: Path) -> None:
    _, out, _ = review(document, "b", "a", "r", "b", "b", "r 2", "q")
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


@pytest.mark.parametrize("word", ["", "11", "0", "a 11", "accept it", "c", "a 1 2", "7.5"])
def test_2_what_means_nothing_changes_nothing(word: str, document: Path, labels: Path) -> None:
    code, out, _ = review(document, word)
    assert code == 0
    assert labels.read_bytes() == b""
    assert "1 of 4, 4 without a label" in out
    assert "accept" in out.split("1 of 4")[1]


def test_4_all_that_a_judge_had_and_said_is_shown_and_nothing_acts_on_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold red]hello[/bold red] [/nothing]"
    document = judged(tmp_path, [trace(0, thought=evil, title=evil, question=evil, answer=evil)])
    code, out, _ = review(document, "q")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold red]hello[/bold red] [/nothing]" in out
    for shown in ("question, by a student (advanced)", "Lamp 0 drifts by 4 percent.", "strict, accepted"):
        assert shown in out
    assert "overall 3. It asserts the cause." in out


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": "x", "human": {"overall": 70}}', '{"id": "trace-0", "hum'])
def test_6_a_damaged_file_of_labels_is_refused_and_left_as_it_is(line: str, document: Path, labels: Path) -> None:
    review(document, "a", "q")
    labels.write_text(f"{labels.read_text()}{line}")
    before = labels.read_bytes()
    for options in ((), ("--random", "3")):
        code, _, err = review(document, "a", options=options)
        assert code == 2
        assert "out.labels.jsonl:2 is no label: mend or delete that line" in err
    assert labels.read_bytes() == before


def test_6_two_reviews_do_not_write_one_file(document: Path, labels: Path) -> None:
    with ReviewLabels(labels):
        code, _, err = review(document, "a")
    assert code == 2
    assert "in use by another review" in err


def test_6_a_label_that_cannot_be_written_is_no_label(
    document: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review(document, "a", "q")
    before = labels.read_bytes()
    written = os.write
    monkeypatch.setattr(os, "write", lambda file, data: written(file, data[: len(data) // 2]))
    code, _, err = review(document, "r")
    monkeypatch.undo()
    assert code == 1
    assert "what was said before is kept" in err
    assert labels.read_bytes() == before


def test_5_judges_are_tuned_by_what_was_said(tmp_path: Path) -> None:
    """The judges of `tests.optimize.judging` are lenient until their prompt tells them to look at the passage."""
    answers = judging.records(28)
    document = judged(
        tmp_path / "run",
        [
            trace(
                number,
                question=one["question"],
                text=one["key_passage"],
                answer=one["answer"],
                thought=f"Perhaps, number {number}.",
                kind=f"kind-{number}",
            )
            for number, one in enumerate(answers)
        ],
    )
    code, _, _ = review(document, *("a" if one["human"]["correct"] else "r" for one in answers))
    assert code == 0
    with judging.judges(tmp_path) as lab:
        (tmp_path / "run" / "out.labels.jsonl").replace(tmp_path / "labelled.jsonl")
        done = lab.compile("--optimizer", "bootstrap")
        assert (done.returncode, done.stderr) == (0, "")
        assert all("Perhaps, number" in json.dumps(body["messages"]) for body in lab.server.bodies)
        found = lab.report["proof"]["composite"]
        assert (found["before"], found["after"]) == (0.5, 1.0)
        assert not [warning for warning in lab.report["warnings"] if "thought" in warning]
    tuned = load_tracer(lab.output).dump_state()[PREDICTOR]
    assert tuned["demos"][0]["thought"].startswith("Perhaps, number"), "as judges are shown it"
