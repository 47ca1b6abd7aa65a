"""`python -m optimize.compile --stage judge`, with judges whose verdicts depend on their prompt in a known way.

1. Demonstrations or an instruction, as an optimizer finds them, make a lenient judge look at the passage: agreement with
   people rises on held-out questions.
2. No more is asked than was said before.
3. The program that is written is the whole one; its judges, and nothing else in it, are changed. (A run asks its judges by
   its program: tests/test_own_types.py.)
4. Several judges share the prompt, and each is measured.
5. A judge that fails gives no verdict: such answers are left out of its figures, and counted.
6. (Interrupted and resumed, it pays for nothing again: tests/optimize/test_compile_ends.py. That the judges' calls are
   recorded: tests/optimize/test_judging.py.)
7. A user's mistakes are answered with one line.
"""

from pathlib import Path
from typing import Any

import pytest

from optimize.judging import PREDICTOR
from programs.compiled import identity_at
from programs.tracer import load_tracer
from tests.optimize.compiling import mistake
from tests.optimize.judging import UNREADABLE, judges, record, records


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
    assert identity_at(shop.output).model is None
    assert not identity_at(shop.output).temperatures


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
        assert "as it was" in shop.made(optimizer="bootstrap")
        assert shop.report["proof"]["composite"]["before"] is None


GOOD = records(28)
MISTAKES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "no trainset": (GOOD, {"trainset": None}, "needs --trainset"),
    "no judge": (GOOD, {"judge_models": "none", "model": "openai/any"}, "needs judges"),
    "a metric": (GOOD, {"metric": "judge"}, "--metric is not for --stage judge"),
    "no wrong answers": ([one for one in GOOD if one["human"]["correct"]], {}, "no wrong answer is on the "),
    "no labels": ([{"text": "A text."}], {}, "none of 1 records is an answer with a label"),
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
    assert identity_at(shop.output).model == "openai/poet"
