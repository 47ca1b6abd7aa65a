"""Tier 0 and the verdict. They need no model, so these tests run everywhere.

1. The Vendi score is 1 for identical texts, and the number of texts if they share no word.
2. A question of a given file is found in every part of a trace that has it, and nothing else is found.
3. No example gets a thought of its own paper, no thought is used twice, and no paper is in both splits.
4. "shown" requires both comparisons with every seed; otherwise "not shown", with the number of papers that it would take.
5. No paper is measured at a rate that it chose, and questions of others choose none.
6. Neither --help nor tier 0 loads torch, and a tier that needs it says what to install.
"""

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.proving import tiers
from programs.proving.distributions import distinct_share, distributions, vendi_score
from programs.proving.examples import (
    Choice,
    Example,
    example_of,
    outside_choices,
    split_by_paper,
    swap_thoughts,
    trace_name,
)
from programs.proving.options import ProveOptions
from programs.proving.tiers import PICTURE, Lift, Results, prove
from programs.proving.training import TRAINED, Arm, ArmName, ArmResult, TrainingPlan
from programs.proving.verdict import TrainingResult, training_result
from tests.exports.building import record
from tests.lab import run_python
from tests.proving.builders import document, traces

QUESTION = "why do the outer parts of spiral galaxies turn as fast as the inner ones do"


@pytest.mark.parametrize("count", [1, 2, 12])
def test_the_vendi_score_counts_different_texts(count: int) -> None:
    identical = ["dust reddens light"] * count
    different = [f"word{chr(97 + number)} text{chr(97 + number)}" for number in range(count)]
    assert vendi_score(identical) == pytest.approx(1, abs=1e-6)
    assert vendi_score(different) == pytest.approx(count, rel=0.05)
    assert vendi_score([*identical, *different]) < count + 2
    assert distinct_share(identical, 2) == pytest.approx(1 / count)


def test_tier_0_counts(tmp_path: Path) -> None:
    (tmp_path / "given.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    path = document(tmp_path, 3, 2)
    options = ProveOptions(document=path, against=[str(tmp_path / "given.jsonl")])
    found = prove(options, print).distributions
    assert (found.thoughts.traces, found.papers, found.sampled, found.given_away) == (6, 3, 6, [])
    assert found.types == {"mechanism": 3, "critical": 3}
    assert found.thoughts.openings == {"paper 0 has": 2, "paper 1 has": 2, "paper 2 has": 2}
    saved = Results.model_validate_json((tmp_path / "out-proof" / "results.json").read_text())
    assert saved.distributions == found
    assert not (tmp_path / "out-proof" / PICTURE).exists()


@pytest.mark.parametrize("part", ["question", "thought", "answer"])
def test_a_given_question_is_found(part: str, tmp_path: Path) -> None:
    (tmp_path / "given.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    text = f"One asked: {QUESTION.upper()}? It is dark matter."
    unnamed = record(1, id=None, question_id=None, **{part: text})
    found = distributions([unnamed], [str(tmp_path / "given.jsonl")], 0)
    hits = [(hit.id, hit.part, hit.place) for hit in found.given_away or ()]
    assert hits == [(trace_name(unnamed), part, "given.jsonl:1")]


@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.integers(0, 5))
def test_thoughts_are_swapped_between_papers(papers: list[int], seed: int) -> None:
    examples = [Example(str(n), f"p{paper}", [], f"thought {n}", "a") for n, paper in enumerate(papers)]
    found = swap_thoughts(examples, seed)
    paper_of = {one.id: one.paper for one in examples}
    assert all(paper_of[one] != other.paper for one, other in found.items())
    assert len({other.id for other in found.values()}) == len(found)
    if 2 * max(map(papers.count, papers)) <= len(papers):
        assert len(found) == len(examples)
    if len({*papers}) >= 4:
        train, held = split_by_paper(examples, 0.3, seed)
        assert not {one.paper for one in train} & {one.paper for one in held}
        assert min(len({one.paper for one in part}) for part in (train, held)) >= 2


ARMS = [Arm("untouched"), *(Arm(name, seed, rate) for seed in range(3) for rate in (1e-5, 1e-4) for name in TRAINED)]


def result_of(loss: Callable[[Arm, int], float], count: int = 24) -> TrainingResult:
    """The result of training if each arm's loss for a paper's question is `loss(arm, number)`; below 2.5 it is right."""
    held = [Example(f"q{n}", f"paper {n:02}", [], "t", "a", "", Choice(f"q{n}", "", [], (), 0)) for n in range(count)]
    choices = [one.choice._replace(paper=one.paper) for one in held if one.choice]
    others = [Choice(f"other {n}", f"other {n}", [], (), 0) for n in range(4)]
    results = []
    for arm in ARMS:
        losses = {one.id: loss(arm, number) for number, one in enumerate(held)}
        right = {**{name: value < 2.5 for name, value in losses.items()}, **{one.id: arm.rate < 5e-5 for one in others}}
        results.append(ArmResult(arm=arm, tokens=1, steps=1, losses=losses, direct=losses, choices=right))
    return training_result(TrainingPlan(held, held, choices, others, 1, 1, ARMS), results, 0)


@pytest.mark.parametrize(
    ("thoughts", "answers", "swapped", "verdict"),
    [
        (2.0, 2.5, 2.6, "shown"),
        (2.0, 2.5, 1.5, "not shown: the thought arm is not ahead of swapped, so"),
        (2.0, 1.5, 1.5, "not shown: the thought arm is not ahead of answers and"),
        (2.0, 2.02, 2.6, "not shown: showing differences of this size would take about"),
    ],
)
def test_the_verdict_requires_both_comparisons(thoughts: float, answers: float, swapped: float, verdict: str) -> None:
    losses: dict[ArmName, float] = {"thoughts": thoughts, "answers": answers, "swapped": swapped}

    def loss(arm: Arm, number: int) -> float:
        own = (0.3 if number % 2 else -0.3) if arm.name == "thoughts" else 0
        return losses.get(arm.name, 3) + 0.1 * (number % 3) + (arm.rate > 5e-5) + own

    result = result_of(loss)
    assert result.verdict.startswith(verdict)
    assert result.shown == (verdict == "shown")
    assert {arm.arm: arm.rates for arm in result.arms}["answers"] == [1e-5], "the better rate is chosen"
    needed = result.comparisons[0].papers_needed
    assert (needed is None) == (answers < thoughts)
    assert not needed or (needed > 100) == (answers == 2.02)


def test_more_papers_are_needed_than_did_not_suffice() -> None:
    better = (-0.1, 0.4, 0.3, 0.4, 0.3)
    assert "about 6 held-out papers" in result_of(lambda arm, n: 3 - better[n] * (arm.name == "thoughts"), 5).verdict


def test_an_advantage_must_hold_with_every_seed() -> None:
    result = result_of(lambda arm, number: 3 + 0.01 * (number % 3) - (arm.name == "thoughts") * (1, 1, -0.1)[arm.seed])
    assert all(one.interval and one.interval.low > 0 for one in result.comparisons[:2])
    assert result.comparisons[0].by_seed == pytest.approx([1, 1, -0.1])
    assert (result.shown, "every seed" in result.verdict) == (False, True)


@pytest.mark.parametrize("rate", [1e-5, 1e-4])
def test_no_paper_chooses_its_own_rate(rate: float) -> None:
    """One paper is so much better at `rate` that its half chooses it. All others are better at the other rate."""
    result = result_of(lambda arm, number: 4 - (3 if number == 0 else -0.01) * (arm.rate == rate), 4)
    answers = result.arms[2]
    assert answers.rates == [1e-5, 1e-4]
    assert answers.figures["loss"] == pytest.approx(4.005), "two papers of the other half are measured at it"
    assert answers.figures["right"] == 0
    assert answers.figures["right_outside"] == 0.5, "questions of others are measured at both rates"


def test_page_and_picture_show_the_verdict(tmp_path: Path) -> None:
    results = prove(ProveOptions(document=document(tmp_path, 3, 2)), print)
    results.training = result_of(lambda arm, number: 3.0 - (arm.name == "thoughts") + 0.1 * (number % 3), 8)
    results.write(tmp_path)
    picture = (tmp_path / PICTURE).read_text()
    assert (picture.count("<circle"), picture.count('fill="#1f6f43"')) == (2, 2)
    page = (tmp_path / "README.md").read_text()
    assert page.count(results.training.verdict) == 1
    assert "| swapped | loss of the answer, nats per token | +1.000 (" in page


def test_no_file_in_the_folder_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = document(tmp_path, 3, 2), tmp_path / "out-proof"
    folder.mkdir()
    (folder / "README.md").write_text("Mine.")
    with pytest.raises(UserError, match="exists and is not a proof"):
        prove(ProveOptions(document=path), print)
    assert (folder / "README.md").read_text() == "Mine."
    folder.rename(tmp_path / "mine")
    prove(ProveOptions(document=path), print)
    monkeypatch.setattr(tiers, "StudentModel", Mock(side_effect=UserError("no student")))
    (folder / "README.md").unlink()
    with pytest.raises(UserError, match="no student"):
        prove(ProveOptions(document=path, tier="1"), print)
    results = Results.model_validate_json((folder / "results.json").read_text())
    assert (folder / "README.md").exists(), "tier 0 is written before the next tier starts"
    results.lift = Lift(traces=6, papers=3, left_out=0, own=None, other=None, more=None, copied=0)
    results.write(folder)
    with pytest.raises(UserError, match="no student"):
        prove(ProveOptions(document=path, tier="1"), print)
    kept = Results.model_validate_json((folder / "results.json").read_text())
    assert kept.lift == results.lift, "the same command replaces its results once the student is loaded"
    assert prove(ProveOptions(document=path), print).lift is None
    (old,) = folder.glob("results.json.*.old")
    assert Results.model_validate_json(old.read_text()).lift == results.lift


def test_questions_of_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "outside.jsonl"
    path.write_text(
        '{"question": "Is it?", "answer": "Yes", "context": {"contexts": ["Dust."], "labels": ["AIM"]}}\n'
        '{"question": "?", "text": "No.", "final_decision": "no"}\n'
    )
    first, second = outside_choices(path)
    assert (first.options, first.right, second.right) == (("no", "yes"), 1, 0)
    assert ["Text:\nDust.\n\n" in first.prompt[-1]["content"], "No." in second.prompt[-1]["content"]] == [True, True]
    path.write_text('{"question": "Is it?"}\n')
    with pytest.raises(UserError, match=r"outside\.jsonl:1: it has no question"):
        outside_choices(path)


def test_an_example_is_a_row_of_the_export() -> None:
    one, other = map(example_of, traces(1, 2, id=None, question_id=None))
    assert one.id != other.id, "traces without an id get different ones"
    assert "</think>" in one.prompt[0]["content"]
    assert one.thought.startswith("Paper 0 has")
    assert one.choice is not None
    assert other.choice is not None
    assert (one.choice.options[one.choice.right], other.choice.options) == ("dust", ("yes", "no"))


COMMANDS: list[tuple[list[str], int, str]] = [
    (["--help"], 0, "--tier"),
    (["out.json"], 0, "6 traces of 3 papers"),
    (["out.json", "--tier", "1"], 2, "synthreasoner[prove]"),
    (["none.json"], 2, "none.json"),
    (["out.json", "--output", "out.json/proof"], 2, "--output: cannot write"),
    (["out.json", "--outside", "out.json"], 2, "--tier 2"),
]
WITHOUT_TORCH = """
import importlib.util, json, sys
sys.modules.update(dict.fromkeys(("torch", "transformers", "trl"), None))
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("torch", "trl") else find(name, *rest)
from programs.prove import main
from tests.lab import run_command
ended = [run_command(*words, main=main) for words in json.loads(sys.argv[1])]
print(json.dumps([(done.returncode, done.stdout + done.stderr) for done in ended]))
"""


def test_tier_0_and_help_do_not_need_torch(tmp_path: Path) -> None:
    document(tmp_path, 3, 2)
    words = json.dumps([words for words, _, _ in COMMANDS])
    ended = json.loads(run_python("-c", WITHOUT_TORCH, words, cwd=tmp_path))
    assert [code for code, _ in ended] == [code for _, code, _ in COMMANDS], ended
    assert [said in printed for (_, printed), (_, _, said) in zip(ended, COMMANDS, strict=True)] == [True] * 6, ended
