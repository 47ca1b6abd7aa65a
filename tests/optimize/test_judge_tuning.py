"""`python -m optimize.compile --stage judge`, with judges whose verdicts depend on their prompt in a known way.

Every question has a key word, which stands in its passage; an answer is right when it names that word. A judge is lenient
(it says 9 to everything) until its prompt shows an example or holds `MAGIC`: then it looks whether the answer's word is
in the passage, and says 9 or 2. What the proposer writes is now and then `MAGIC`.

1. Demonstrations or an instruction, as an optimizer finds them, make a lenient judge look at the passage: agreement with
   people rises on held-out questions.
2. No more is asked than was said before.
3. The program that is written is the whole one; its judges, and nothing else in it, are changed. (A run asks its judges by
   its program: tests/test_own_types.py.)
4. Several judges share the prompt, and each is measured.
5. A judge that fails gives no verdict: such answers are left out of its figures, and counted.
6. A user's mistakes are answered with one line.
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
from tests.optimize.compiling import DULL, MAGIC, Proposer, Shop, World, mistake, opened
from tests.standin.panel import verdict
from tests.standin.scientist import Answer, Asked

UNREADABLE = "who can tell"
"""An answer with these words gets no verdict from a judge called `mute`."""


def key_word(number: int) -> str:
    """The word that the right answers to a question name."""
    return f"word{chr(97 + number // 26)}{chr(97 + number % 26)}"


def record(number: int, right: bool, version: int = 0, **given: Any) -> dict[str, Any]:
    """A labelled answer to the question with this number."""
    word = key_word(number) if right else key_word(number + 100)
    return {
        "question": f"What makes sample {number} drift?",
        "key_passage": f"Sample {number} drifts because of {key_word(number)}. The lamps were off at night.",
        "reference": f"It is {key_word(number)}.",
        "answer": f"In version {version} it is {word} that makes it drift.",
        "human": {"correct": int(right)},
        **given,
    }


def records(questions: int) -> list[dict[str, Any]]:
    """Two right answers and a wrong one to every question."""
    kinds = [(True, 0), (True, 1), (False, 2)]
    return [record(number, right, version) for number in range(questions) for right, version in kinds]


def judge(asked: Asked) -> Any:
    """A verdict, as this module's docstring says."""
    word = re.findall(r"it is (\w+) that", asked.text)[-1]
    if asked.body["model"] == "mute" and UNREADABLE in asked.text:
        return "I would rather not say."
    if EXAMPLE not in asked.text and MAGIC not in asked.text:
        return verdict(9)
    return verdict(9 if word in asked.given("passage") else 2)


@contextmanager
def judges(
    folder: Path, lines: list[dict[str, Any]] | None = None, judge: Answer = judge, **server: Any
) -> Iterator[Shop]:
    """A shop with these labelled answers, or with those to 28 questions, that compiles the judges' prompt."""
    trainset = folder / "labelled.jsonl"
    given = records(28) if lines is None else lines
    trainset.write_text("".join(f"{json.dumps(line)}\n" for line in given), encoding="utf-8")
    base = {"stage": "judge", "trainset": str(trainset), "judge_models": "openai/any"}
    numbers = {"num_train": 8, "num_val": 8, "num_test": 20}
    world = World(stages={"judge": judge}, proposer=Proposer((DULL, MAGIC)))
    with opened(folder, world, {**base, **numbers}, **server) as shop:
        yield shop


@pytest.mark.parametrize("optimizer", ["optuna", "gepa"])
def test_it_makes_a_lenient_judge_strict(optimizer: str, tmp_path: Path) -> None:
    with judges(tmp_path) as shop:
        printed, report = shop.made(optimizer=optimizer, budget="light"), shop.report
    found = report["proof"]["composite"]
    assert (found["before"], found["after"]) == (0.5, 1.0)
    assert found["interval"]["low"] > 0.3
    lenient = report["proof"]["metrics"]["openai/any: leniency"]
    assert (lenient["before"], lenient["after"]) == (0.5, 0.0)
    assert report["improved"] is True
    assert (report["data"]["test"]["answers"], report["data"]["test"]["questions"]) == (60, 20)
    assert "The compiled program is better: 0.500 before, 1.000 after" in printed
    assert "| openai/any: balanced accuracy | 0.500 | 1.000 | +0.500 (+0." in shop.text

    plain, tuned = load_tracer().dump_state(), load_tracer(shop.output).dump_state()
    assert {name for name in plain if tuned[name] != plain[name]} == {PREDICTOR}
    assert read_identity(shop.output).model is None
    assert not read_identity(shop.output).temperatures


def test_several_judges_share_the_prompt_and_one_that_fails_is_left_out(tmp_path: Path) -> None:
    answers = [f"In {number} it is x that does it, {UNREADABLE}." for number in range(28)]
    unreadable = [record(number, False, answer=answer) for number, answer in enumerate(answers)]
    with judges(tmp_path, [*records(28), *unreadable]) as shop:
        shop.made(optimizer="bootstrap", judge_models="openai/any,openai/mute")
        report, text = shop.report, shop.text
    assert (report["settings"]["model"], report["judges"]) == ("openai/any", ["openai/any", "openai/mute"])
    assert [*report["proof"]["stages"]["openai/mute"].values()] == [20, 80, 20, 80]
    mute, other = (report["proof"]["metrics"][f"openai/{name}: balanced accuracy"] for name in ("mute", "any"))
    assert (mute["pairs"], other["pairs"]) == (20, 20)
    assert mute["after"] == 1.0
    assert "| openai/mute | 20 of 80 | 20 of 80 |" in text


def test_where_no_judge_ever_answers_that_is_said(tmp_path: Path) -> None:
    with judges(tmp_path, judge=lambda _: "I would rather not say.") as shop:
        assert "the program is unchanged" in shop.made(optimizer="bootstrap")
        assert shop.report["proof"]["composite"]["before"] is None


GOOD = records(28)
MISTAKES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "no trainset": (GOOD, {"trainset": None}, "needs --trainset"),
    "no judge": (GOOD, {"judge_models": "none", "model": "openai/any"}, "needs judges"),
    "a metric": (GOOD, {"metric": "judge"}, "--metric cannot be used with --stage judge"),
    "no wrong answers": ([one for one in GOOD if one["human"]["correct"]], {}, " side has no wrong answer"),
    "no labels": ([{"text": "A text."}], {}, "none of 1 records is a labelled answer"),
}


@pytest.mark.parametrize(("lines", "options", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line(lines: list[dict[str, Any]], options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with judges(tmp_path, lines) as shop:
        assert said in mistake(shop, **options)


def test_a_program_given_is_gone_on_from(tmp_path: Path) -> None:
    tracer = load_tracer()
    name, writer = "writer.answer", dict(tracer.named_predictors())["writer.answer"]
    writer.signature = writer.signature.with_instructions("Write it in blank verse.")
    tracer.save(tmp_path / "verse.json", model="openai/poet")
    with judges(tmp_path) as shop:
        shop.made(optimizer="bootstrap", program=str(tmp_path / "verse.json"))
    assert load_tracer(shop.output).dump_state()[name] == tracer.dump_state()[name]
    assert read_identity(shop.output).model == "openai/poet"
