"""`python -m optimize.compile --stage judge`, with judges whose verdicts depend on their prompt in a known way.

Every question has a key word in its passage, and an answer is right if it names that word. A judge is lenient (it rates
everything 9) unless its prompt contains a demonstration or `HELPFUL`; then it rates an answer 9 if its word is in the
passage, else 2. The proposer alternates between `USELESS` and `HELPFUL`.

1. The demonstrations or the instruction that an optimizer finds make a lenient judge strict: on held-out questions, its
   agreement with people rises.
2. A compilation makes no more calls than promised.
3. The written program is a whole one, in which only the judge's prompt is changed. (A run uses the judge's prompt of its
   program: tests/test_own_types.py.)
4. Several judges share the prompt, and each is measured.
5. A judge that fails gives no verdict; these answers are left out of its figures, and counted.
6. A user's mistake is an error of one line.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from optimize.judging import PREDICTOR
from programs.compiled import read_identity
from programs.tracer import load_tracer
from signatures.prompt import EXAMPLE
from tests.optimize.compiling import HELPFUL, USELESS, CompileLab, Proposer, WeakBrain, compile_user_error, open_lab
from tests.standin.panel import verdict
from tests.standin.scientist import AnswerFunction, StageRequest

UNREADABLE = "who can tell"
"""The judge `mute` gives answers with these words no verdict."""


def key_word(number: int) -> str:
    """The word that makes an answer to this question right."""
    return f"word{chr(97 + number // 26)}{chr(97 + number % 26)}"


def labelled_answer(number: int, right: bool, version: int = 0, **fields: Any) -> dict[str, Any]:
    """A labelled answer to the question with this number."""
    word = key_word(number) if right else key_word(number + 100)
    return {
        "question": f"What makes sample {number} drift?",
        "key_passage": f"Sample {number} drifts because of {key_word(number)}. The lamps were off at night.",
        "reference": f"It is {key_word(number)}.",
        "answer": f"In version {version} it is {word} that makes it drift.",
        "human": {"correct": int(right)},
        **fields,
    }


def labelled_answers(questions: int) -> list[dict[str, Any]]:
    """Two right answers and a wrong one to every question."""
    kinds = [(True, 0), (True, 1), (False, 2)]
    return [labelled_answer(number, right, version) for number in range(questions) for right, version in kinds]


def judge(request: StageRequest) -> Any:
    """A verdict as described in the module docstring."""
    word = re.findall(r"it is (\w+) that", request.text)[-1]
    if request.body["model"] == "mute" and UNREADABLE in request.text:
        return "I would rather not say."
    if EXAMPLE not in request.text and HELPFUL not in request.text:
        return verdict(9)
    return verdict(9 if word in request.input("passage") else 2)


@contextmanager
def judge_lab(
    folder: Path, lines: list[dict[str, Any]] | None = None, judge: AnswerFunction = judge, **server: Any
) -> Iterator[CompileLab]:
    """Yields a lab that tunes the judge's prompt on these labelled answers (default: answers to 28 questions)."""
    trainset = folder / "labelled.jsonl"
    records = labelled_answers(28) if lines is None else lines
    trainset.write_text("".join(f"{json.dumps(line)}\n" for line in records), encoding="utf-8")
    base = {"stage": "judge", "trainset": str(trainset), "judge_models": "openai/any"}
    numbers = {"num_train": 8, "num_val": 8, "num_test": 20}
    brain = WeakBrain(stages={"judge": judge}, proposer=Proposer((USELESS, HELPFUL)))
    with open_lab(folder, brain, {**base, **numbers}, **server) as lab:
        yield lab


@pytest.mark.parametrize("optimizer", ["optuna", "gepa"])
def test_tuning_makes_a_lenient_judge_strict(optimizer: str, tmp_path: Path) -> None:
    with judge_lab(tmp_path) as lab:
        printed, report = lab.compile_ok(optimizer=optimizer, budget="light"), lab.report
    composite = report["proof"]["composite"]
    assert (composite["before"], composite["after"]) == (0.5, 1.0)
    assert composite["interval"]["low"] > 0.3
    leniency = report["proof"]["metrics"]["openai/any: leniency"]
    assert (leniency["before"], leniency["after"]) == (0.5, 0.0)
    assert report["improved"] is True
    assert (report["data"]["test"]["answers"], report["data"]["test"]["questions"]) == (60, 20)
    assert "The compiled program is better: 0.500 before, 1.000 after" in printed
    assert "| openai/any: balanced accuracy | 0.500 | 1.000 | +0.500 (+0." in lab.report_text

    plain, tuned = load_tracer().dump_state(), load_tracer(lab.output).dump_state()
    assert {name for name in plain if tuned[name] != plain[name]} == {PREDICTOR}
    assert read_identity(lab.output).model is None
    assert not read_identity(lab.output).temperatures


def test_several_judges_share_the_prompt_and_failed_verdicts_are_left_out(tmp_path: Path) -> None:
    answers = [f"In {number} it is x that does it, {UNREADABLE}." for number in range(28)]
    unreadable = [labelled_answer(number, False, answer=answer) for number, answer in enumerate(answers)]
    with judge_lab(tmp_path, [*labelled_answers(28), *unreadable]) as lab:
        lab.compile_ok(optimizer="bootstrap", judge_models="openai/any,openai/mute")
        report, text = lab.report, lab.report_text
    assert (report["settings"]["model"], report["judges"]) == ("openai/any", ["openai/any", "openai/mute"])
    assert [*report["proof"]["stages"]["openai/mute"].values()] == [20, 80, 20, 80]
    mute, other = (report["proof"]["metrics"][f"openai/{name}: balanced accuracy"] for name in ("mute", "any"))
    assert (mute["pairs"], other["pairs"]) == (20, 20)
    assert mute["after"] == 1.0
    assert "| openai/mute | 20 of 80 | 20 of 80 |" in text


def test_if_no_judge_ever_answers_the_program_is_unchanged(tmp_path: Path) -> None:
    with judge_lab(tmp_path, judge=lambda _: "I would rather not say.") as lab:
        assert "the program is unchanged" in lab.compile_ok(optimizer="bootstrap")
        assert lab.report["proof"]["composite"]["before"] is None


VALID = labelled_answers(28)
MISTAKES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "no trainset": (VALID, {"trainset": None}, "needs --trainset"),
    "no judge": (VALID, {"judge_models": "none", "model": "openai/any"}, "needs judges"),
    "a metric": (VALID, {"metric": "judge"}, "--metric cannot be used with --stage judge"),
    "a setting": (VALID, {"setting": "open"}, "--setting cannot be used with --stage judge"),
    "no wrong answers": ([answer for answer in VALID if answer["human"]["correct"]], {}, " side has no wrong answer"),
    "no labels": ([{"text": "A text."}], {}, "none of 1 records is a labelled answer"),
}


@pytest.mark.parametrize(("lines", "options", "error"), MISTAKES.values(), ids=MISTAKES)
def test_errors_are_one_line(lines: list[dict[str, Any]], options: dict[str, Any], error: str, tmp_path: Path) -> None:
    with judge_lab(tmp_path, lines) as lab:
        assert error in compile_user_error(lab, **options)


def test_tuning_starts_from_a_given_program(tmp_path: Path) -> None:
    tracer = load_tracer()
    name, writer = "writer.answer", dict(tracer.named_predictors())["writer.answer"]
    writer.signature = writer.signature.with_instructions("Write it in blank verse.")
    tracer.save(tmp_path / "verse.json", model="openai/poet")
    with judge_lab(tmp_path) as lab:
        lab.compile_ok(optimizer="bootstrap", program=str(tmp_path / "verse.json"))
    assert load_tracer(lab.output).dump_state()[name] == tracer.dump_state()[name]
    assert read_identity(lab.output).model == "openai/poet"
