"""Reward functions as TRL calls them (`programs.exports.rewards`, `programs.text.short_answers`).

1. 338 handwritten completions get the reward that is written beside them (completions.jsonl).
2. A number is right in any unit of its kind and in any notation, and wrong beyond its tolerance (tested with 1).
3. A completion that names everything, repeats the question or says nothing gets 0, however long it is, and at once.
4. Completions are texts or messages; without a short answer the reward is None.
5. The rubric's reward is the share of its weights that the judge found; for an unreadable judgement it is None.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.rewards import reward, rubric_reward
from programs.text.short_answers import points_share, score
from tests.exports.building import RUBRIC, format_rows, record
from tests.lab import ROOT, run_python
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

LINES = [json.loads(line) for line in Path(__file__).with_name("completions.jsonl").read_text().splitlines()]
SHORT = {line["name"]: line["short_answer"] for line in LINES if "name" in line}
COMPLETIONS = [line for line in LINES if "name" not in line]


def test_handwritten_completions_get_the_expected_reward() -> None:
    assert len(COMPLETIONS) == 338
    for line in COMPLETIONS:
        assert score(line["completion"], SHORT[line["short"]]) == line["reward"], line


NAMES = st.sampled_from(sorted(SHORT))


@given(NAMES, st.text(max_size=60) | st.sampled_from([line["completion"] for line in COMPLETIONS]))
def test_any_text_gets_0_or_1_and_an_unfinished_thought_gets_0(name: str, text: str) -> None:
    assert score(text, SHORT[name]) in (0.0, 1.0)
    assert score(f"<think>{text}", SHORT[name]) == 0.0 or "</think" in text.lower() or "[/THINK]" in text


UNITS = {"km": (1.0, r"\mathrm{km}"), "m": (1e3, r"\text{m}"), "cm": (1e5, r"\mathrm{cm}")}
FORMS = (
    r"\boxed{{{digits} {unit}}}",
    r"\boxed{{{digits}\,{latex}}}",
    r"\boxed{{{factor} \times 10^{{{power}}}\,{latex}}}",
    "About 7 of them were tried.\n\nSo it is {digits} {unit}.",
    "About 7 of them were tried.\n\nSo it is **{digits}** {unit}.",
    "<think>Or {wrong} {unit}?</think>The answer is **{factor}e{power} {unit}**.",
)


@given(st.integers(100, 99_999), st.sampled_from(sorted(UNITS)), st.sampled_from(FORMS))
def test_a_number_is_right_in_every_unit_and_notation_and_twice_it_is_wrong(value: int, unit: str, form: str) -> None:
    short = {"kind": "number", "text": str(value), "value": value, "unit": "km", "tolerance": 0.01}
    size, latex = UNITS[unit]

    def said(number: float) -> str:
        factor, power = f"{number:.4e}".split("e")
        shown = {"digits": f"{number:.0f}", "factor": factor, "power": int(power), "wrong": f"{3 * number:.0f}"}
        return form.format(unit=unit, latex=latex, **shown)

    assert score(said(value * size), short) == 1.0, said(value * size)
    assert score(said(2 * value * size), short) == 0.0


MANY = 10_000
HOSTILE = {
    "every option": "Dust reddens the light of the far galaxies. The far galaxies are older. (A) (B) (C) (D)",
    "every option in a box": r"\boxed{A} \boxed{B} \boxed{C} \boxed{D}",
    "every letter in one box": r"\boxed{ABCD}",
    "numbers": " ".join(map(str, range(MANY))) + " km/s/Mpc",
    "numbers in a box": r"\boxed{" + ", ".join(map(str, range(MANY))) + "}",
    "numbers in boxes": "".join(rf"\boxed{{{number}}}" for number in range(MANY)),
    "numbers with units": ", ".join(f"{number} Gyr" for number in range(MANY)),
    "yes and no": "Yes and no. Yes. No. Both yes and no.",
    "a word for each kind": "yes no A B C D 1 2 3",
    "yes and no in boxes": r"\boxed{yes}\boxed{no}",
    "empty boxes": r"\boxed{}" * MANY,
    "open boxes": r"\boxed{" * MANY,
    "a box in a box": r"\boxed{\boxed{B}",
    "every term": "It is lensing, Malmquist bias, baryon acoustic oscillations, BAO, dark matter.",
    "a long box": r"\boxed{" + "9 " * MANY + "}",
    "an open thought": "<think>" * MANY + "B",
    "the task": r"End with the result alone in \boxed{}, a number with its unit, as in \boxed{3.2 km/s}.",
    "the other task": r"One of the options above is right. End with its letter in \boxed{}, as in \boxed{A}.",
    "yes or no": r"End with \boxed{yes} or \boxed{no}.",
    "powers": r"\boxed{70 (km" + "^9" * MANY + "}",
    "spaces": " " * MANY * 10,
}


@pytest.mark.parametrize("completion", HOSTILE.values(), ids=HOSTILE)
def test_hacks_get_0(completion: str) -> None:
    assert {name: score(completion, short) for name, short in SHORT.items()} == dict.fromkeys(SHORT, 0.0)


def test_repeating_the_question_gets_0() -> None:
    assert score("At what rate does space expand, 67 or 70 km/s/Mpc?", SHORT["hubble"]) == 0.0
    assert score("Does the rate of 70 km/s/Mpc follow?", SHORT["hubble"]) == 0.0
    options = "".join(f"({letter}) {text}\n" for letter, text in zip("ABC", SHORT["cause"]["options"], strict=True))
    assert score(f"Why are they red?\n{options}", SHORT["cause"]) == 0.0


def test_completions_are_accepted_in_every_form() -> None:
    text, short = r"So it is \boxed{B}.", SHORT["cause"]
    system = {"role": "system", "content": r"End with \boxed{B}."}
    message = [{"role": "assistant", "content": text}]
    parts = [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
    nothing: list[Any] = [[], [{"role": "assistant", "content": None}], [system]]
    completions = [text, message, [system, *message], parts, *nothing, text]
    columns = [short] * 7 + [None]
    found = reward(completions=completions, short_answer=columns, prompts=[""] * 8, id=["x"] * 8, trainer_state=None)
    assert found == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, None]


def test_the_snippet_in_the_docs_trains_with_these_rewards(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL's trainer needs PyTorch, so a mock takes its arguments. The rewards are then called as TRL calls them."""
    [snippet] = [
        block
        for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
        if "GRPOTrainer" in block
    ]
    trainer, [row] = MagicMock(), format_rows("grpo", record(1, score=8.0))
    monkeypatch.setitem(sys.modules, "trl", trainer)
    monkeypatch.setitem(sys.modules, "datasets", MagicMock())
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    exec(compile(snippet, "export.md", "exec"), {})
    rewards = trainer.GRPOTrainer.call_args.kwargs["reward_funcs"]
    assert [function.__name__ for function in rewards] == row["rewards"]
    completions = [[{"role": "assistant", "content": rf"<think>So.</think>\boxed{{{number}}}."}] for number in (1.1, 7)]
    columns = {name: [value] * 2 for name, value in row.items() if name != "prompt"}
    assert rewards[0](prompts=[row["prompt"]] * 2, completions=completions, trainer_state=None, **columns) == [1.0, 0.0]
    assert r"\boxed{}" in row["prompt"][1]["content"]


def test_rewards_import_no_dspy_pint_or_pydantic() -> None:
    code = "import sys, programs.exports.rewards; print([n for n in ('dspy', 'pint', 'pydantic') if n in sys.modules])"
    assert run_python("-c", code) == "[]\n"


@pytest.mark.parametrize(
    ("met", "weights", "expected"),
    [
        *(
            (met, (3, 1, -2), share)
            for met, share in (([], 0), ([1], 0.75), ([1, 2, 3], 0.5), ([3], 0), ([1, 1], 0.75))
        ),
        *(([1], weights, 0) for weights in ((-2,), (0,), ())),
    ],
)
def test_a_rubric_is_scored_by_weight(met: list[int], weights: Sequence[int], expected: float) -> None:
    assert points_share(met, [{"weight": weight} for weight in weights]) == expected


def test_the_judge_sees_only_the_answer() -> None:
    seen: list[str] = []

    def judge(asked: Any) -> Any:
        seen.append(asked.input("answer"))
        return {"met": [1, 2]} if "dust" in asked.input("answer") else "I would rather not say."

    with StandIn(Scientist({"rubric": judge})) as server:
        judged = rubric_reward("openai/judge", api_base=server.openai_base, env={"OPENAI_API_KEY": "x"})
        completions = ["<think>Old?</think>It is dust.", "Ice.", "<think>dust", "dust", "dust " * 9000]
        rubric: list[Any] = [RUBRIC, RUBRIC, RUBRIC, None, RUBRIC]
        prompts = ["Why?", [{"role": "user", "content": "Why?"}], "Why?", "Why?", "Why?"]
        assert judged.__name__ == "rubric_reward"
        found = judged(prompts=prompts, completions=completions, rubric=rubric, id=[""] * 5, trainer_state=None)
        assert found == [1.0, None, 0.0, None, 0.0]
    assert set(seen) == {"It is dust.", "Ice."}


def test_the_tolerance_of_a_temperature_is_a_share_of_its_degrees() -> None:
    warm = {"kind": "number", "value": 5.0, "unit": "°C", "tolerance": 0.05}
    scores = [
        score(rf"\boxed{{{text}}}", warm) for text in ("5.1 celsius", "278.15 K", "15 celsius", "15 degC", "285 K")
    ]
    assert scores == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_a_unit_of_decibels_equals_only_itself() -> None:
    loss = {"kind": "number", "value": 0.2, "unit": "dB/km", "tolerance": 0.01}
    assert [score(rf"\boxed{{0.2 {unit}}}", loss) for unit in ("dB/km", "km", "dB")] == [1.0, 0.0, 0.0]


def test_a_box_must_hold_the_right_option_and_nothing_else() -> None:
    decay = {"kind": "choice", "text": r"\alpha decay", "options": [r"\beta decay", r"\alpha decay"]}
    right, wrong = [r"\alpha decay", "The answer is B"], ["decay", r"no \alpha decay", r"\alpha decay (A)"]
    assert [score(rf"\boxed{{{text}}}", decay) for text in [*right, *wrong]] == [1.0, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("mark", ["B)", "B —", "B:", "**B)**", "(B)"])
def test_a_letter_with_its_option_is_an_answer(mark: str) -> None:
    choice = {"kind": "choice", "text": "It falls.", "options": ["It rises.", "It falls."]}
    completions = [f"So:\n{mark} {words}" for words in ("It falls.", "It rises.", "It falls, or C")]
    assert [score(completion, choice) for completion in completions] == [1.0, 0.0, 0.0]
