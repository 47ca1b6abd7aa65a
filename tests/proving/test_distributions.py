"""Tier 0 and the verdict, without a model: both run wherever the project does.

1. the Vendi score is 1 for texts that are alike and their number for texts without a word in common
2. a question of a given file is found in whatever part of a trace holds it, and nothing else is
3. no thought comes from its own paper, none is given away twice, and no paper is in both splits
4. "shown" takes both comparisons; otherwise "not shown", with the papers that would be needed
5. neither --help nor tier 0 loads torch, and a tier that needs it says what to install
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.exports.benchmarks import Benchmarks
from programs.proving.distributions import distinct_share, vendi_score
from programs.proving.examples import Example, example_of, outside_choices, split_by_paper, swapped
from programs.proving.options import ProveOptions
from programs.proving.page import picture
from programs.proving.results import Results
from programs.proving.tiers import prove
from programs.proving.training import TRAINED, Arm, ArmName, ArmResult, Course
from programs.proving.verdict import training_result
from tests.lab import environment
from tests.proving.making import document, traces

QUESTION = "why do the outer parts of spiral galaxies turn as fast as the inner ones do"


@given(st.integers(1, 12))
def test_vendi_counts_what_is_different(count: int) -> None:
    alike = ["dust reddens light"] * count
    different = [f"word{chr(97 + number)} text{chr(97 + number)}" for number in range(count)]
    assert vendi_score(alike) == pytest.approx(1, abs=1e-6)
    assert vendi_score(different) == pytest.approx(count, rel=0.05)
    assert vendi_score([*alike, *different]) < count + 2
    assert distinct_share(alike, 2) == pytest.approx(1 / count)


def test_tier_0_counts(tmp_path: Path) -> None:
    (tmp_path / "given.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    path = document(tmp_path, 3, 2)
    options = ProveOptions(document=path, against=[str(tmp_path / "given.jsonl")])
    found = prove(options, print).distributions
    assert (found.traces, found.papers, found.sampled, found.contaminated) == (6, 3, 6, [])
    assert found.types == {"mechanism": 3, "critical": 3}
    assert found.openings == {"paper 0 has": 2, "paper 1 has": 2, "paper 2 has": 2}
    saved = Results.model_validate_json((tmp_path / "out-proof" / "results.json").read_text())
    assert saved.distributions == found
    assert not (tmp_path / "out-proof" / "intervals.svg").exists()


@pytest.mark.parametrize("part", ["question", "thought", "answer"])
def test_a_given_question_is_found(part: str, tmp_path: Path) -> None:
    from programs.proving.distributions import distributions
    from tests.exports.building import record

    (tmp_path / "given.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    text = f"One asked: {QUESTION.upper()}? It is dark matter."
    found = distributions([(record(1, **{part: text}), "paper")], [str(tmp_path / "given.jsonl")], 0)
    assert [(hit.part, hit.line) for hit in found.contaminated or ()] == [(part, 1)]


def test_a_frame_of_many_questions_is_nobodys() -> None:
    frame = "answer the following question about the sky with one of the options that are given"
    with contextlib.closing(sqlite3.connect("")) as database:
        questions = Benchmarks(database)
        assert all(questions.add(f"file:{number}", f"{frame}: is it number {number}?") for number in range(12))
        assert questions.question_in(f"Please {frame}: is it blue?") is None


papers_of_examples = st.lists(st.integers(0, 6), min_size=2, max_size=30)


@given(papers_of_examples, st.integers(0, 5))
def test_thoughts_are_swapped_between_papers(papers: list[int], seed: int) -> None:
    examples = [Example(str(n), f"p{paper}", [], f"thought {n}", "a") for n, paper in enumerate(papers)]
    found = swapped(examples, seed)
    own = {one.id: one.paper for one in examples}
    assert all(own[one] != other.paper for one, other in found.items())
    assert len({other.id for other in found.values()}) == len(found)
    if 2 * max(map(papers.count, papers)) <= len(papers):
        assert len(found) == len(examples)
    if len({*papers}) >= 4:
        train, held = split_by_paper(examples, 0.3, seed)
        assert not {one.paper for one in train} & {one.paper for one in held}
        assert min(len({one.paper for one in part}) for part in (train, held)) >= 2


def course(count: int) -> Course:
    held = [Example(f"q{n}", f"paper {n}", [], "t", "a") for n in range(count)]
    arms = [Arm("untouched"), *(Arm(name, 0, rate) for name in TRAINED for rate in (1e-5, 1e-4))]
    return Course(held, held, [], 1000, arms)


def results_of(found: Course, losses: dict[ArmName, float]) -> list[ArmResult]:
    """Every question has a loss of its own; at the second rate all are worse."""

    def loss(arm: Arm, number: int) -> float:
        return losses.get(arm.name, 3.0) + 0.1 * (number % 3) + (1 if arm.rate == 1e-4 else 0) + 0.01 * (arm.seed)

    return [
        ArmResult(name=arm.name, seed=arm.seed, rate=arm.rate, losses=made, direct=made, choices={}, seconds=1)
        for arm in found.arms
        for made in [{one.id: loss(arm, number) for number, one in enumerate(found.held)}]
    ]


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ({"thoughts": 2.0, "answers": 2.5, "swapped": 2.6}, "shown"),
        ({"thoughts": 2.0, "answers": 2.5, "swapped": 1.5}, "not shown: the thought arm is not ahead of swapped"),
        ({"thoughts": 2.0, "answers": 1.5, "swapped": 1.5}, "not shown: the thought arm is not ahead of answers and"),
    ],
)
def test_the_verdict_takes_both(losses: dict[ArmName, float], verdict: str) -> None:
    found = course(24)
    results = results_of(found, losses)
    # How much better differs from paper to paper.
    for one in results:
        if one.name == "thoughts":
            one.losses = {name: loss + 0.2 * (int(name[1:]) % 2) for name, loss in one.losses.items()}
    said = training_result(found, results, 0)
    assert said.verdict.startswith(verdict)
    assert said.shown == (verdict == "shown")
    assert {arm.arm: arm.rates for arm in said.arms}["answers"] == [1e-5], "the better rate is chosen"


def test_a_small_difference_says_what_size_it_takes() -> None:
    found = course(8)
    results = results_of(found, {"thoughts": 2.0, "answers": 2.1, "swapped": 3.0})
    for one in results:
        if one.name == "thoughts":
            one.losses = {name: loss + (0.8 if int(name[1:]) % 2 else -0.8) for name, loss in one.losses.items()}
    said = training_result(found, results, 0)
    assert not said.shown
    assert "would take about" in said.verdict
    assert (said.comparisons[0].papers_needed or 0) > 100


def test_the_picture_shows_each_interval(tmp_path: Path) -> None:
    results = prove(ProveOptions(document=document(tmp_path, 3, 2)), print)
    assert picture(results) is None
    losses: dict[ArmName, float] = {"thoughts": 2.0, "answers": 2.5, "swapped": 2.6}
    results.training = training_result(course(8), results_of(course(8), losses), 0)
    drawn = picture(results) or ""
    assert drawn.count("<circle") == 2


def test_questions_of_others(tmp_path: Path) -> None:
    path = tmp_path / "outside.jsonl"
    path.write_text(
        '{"question": "Is it?", "answer": "Yes"}\n{"question": "Or?", "text": "No.", "final_decision": "no"}\n'
    )
    first, second = outside_choices(path)
    assert (first.options, first.right, second.right) == (("no", "yes"), 1, 0)
    assert "No." in second.prompt[-1]["content"]
    path.write_text('{"question": "Is it?"}\n')
    with pytest.raises(UserError, match="line 1"):
        outside_choices(path)


def test_an_example_is_a_row_of_the_export() -> None:
    one, other = map(example_of, traces(1, 2))
    assert "</think>" in one.prompt[0]["content"]
    assert one.thought.startswith("Paper 0 has")
    assert one.choice is not None
    assert other.choice is not None
    assert (one.choice.options[one.choice.right], other.choice.options) == ("dust", ("yes", "no"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "--tier"),
        (["out.json"], 0, "6 traces of 3 papers"),
        (["out.json", "--tier", "1"], 2, "synthreasoner[prove]"),
        (["none.json"], 2, "none.json"),
        (["out.json", "--outside", "out.json"], 2, "--tier 2"),
    ],
)
def test_what_is_not_installed_is_not_needed(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    document(tmp_path, 3, 2)
    run = "import runpy, sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'trl'), None))\n"
    run += "import importlib.util as u; find = u.find_spec\n"
    run += "u.find_spec = lambda name, *rest: None if name in ('torch', 'trl') else find(name, *rest)\n"
    run += "runpy.run_module('programs.prove', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", run, *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
