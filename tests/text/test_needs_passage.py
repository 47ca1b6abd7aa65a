"""Figures that only the passage gives (`programs.text.needs_passage`).

1. On labelled cases from many fields (`figures.jsonl`: half have such figures, the other half only figures that are given,
   derived or generally known), precision is at least 0.95 and recall at least 0.7.
2. A figure is read with its value and unit; names and exponents are not figures.
3. Figures that anybody may guess, or that are not in the passage, are never listed, and no figure is listed twice.
4. Arithmetic gives a figure only if its operands are known and do not need the passage themselves.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.needs_passage import needs_passage
from programs.text.quantities import quantities
from tests.text.tables import texts

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("figures.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_figures_that_only_the_passage_gives_are_found_among_others() -> None:
    found = correct = expected = 0
    for case in CASES:
        listed = needs_passage(case["question"], case["passage"], case["texts"])
        left = list(case["needed"])
        for figure in listed:
            # Some labels leave out the unit.
            label = next((label for label in left if figure.startswith(label)), None)
            if label is not None:
                left.remove(label)
                correct += 1
        found, expected = found + len(listed), expected + len(case["needed"])
    assert sum(len(case["texts"]) for case in CASES) >= 60
    assert correct / found >= 0.95
    # A quarter of the planted figures are round ones, which are never listed.
    assert correct / expected >= 0.7


def test_figures_that_anybody_may_guess_are_not_listed() -> None:
    passage = "In 12 months 40.3% of 250 patients came, 30 twice and 80% at night, at 0.5 mg or 25 mg; 36.8% did not."
    guesses = "Call it 40, or 30 in a year. Give it 80%, 250 people, half a milligram, 25 at most, over twelve months."
    assert needs_passage("How many come back within a year?", passage, [guesses]) == []
    assert needs_passage("How many come back within a year?", passage, ["So 36.8% stayed away."]) == ["36.8%"]


def test_a_total_of_two_counts_in_the_question_is_at_hand() -> None:
    passage = "Of 56 patients, 28 were at or above the cut-off, and 41 drank."
    question = "Of 28 with a high reading 22 had varices, of 28 with a low one only one did. Is it a good test?"
    assert needs_passage(question, passage, ["23 of 56 had them, four in ten."]) == []
    assert needs_passage(question, passage, ["41 of 56 drank."]) == ["41"]
    assert needs_passage(question, passage.replace("56", "56%"), ["It was 56%."]) == ["56%"], "a share is no total"


SIZES = {
    2000: "2,000",
    0.05: ".05",
    3.2e5: "3.2 × 10^5",
    3e-4: "3 x 10^-4",
    1e5: "1e5",
    1e-3: "10⁻³",
    1.2e15: r"$1.2\times10^{15}$",
    1.2e6: "1.2 million",
    38: "thirty-eight",
}
AMOUNTS: dict[str, tuple[float, str | None]] = {r"53\%": (0.53, "fraction")}
AMOUNTS |= {"500 mg": (0.5, "mass"), "a 27-hour delay": (97200, "time"), "14 to 20 hours": (14 * 3600, "time")}
AMOUNTS |= {"2.3 solar masses": (2.3, "solar mass"), "0.4 Jy": (0.4, "flux density"), "45 °C": (45, "celsius")}
AMOUNTS |= {"3 Å": (3e-10, "length"), "12.5 mmol": (0.0125, "amount"), "3.4 T": (3.4, "magnetic field")}
AMOUNTS |= {text: (size, None) for size, table in SIZES.items() for text in texts(table)} | {
    "(95%CI)": (0.95, "fraction")
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_a_figure_is_read(text: str) -> None:
    first = quantities(text)[0]
    size, dimension = AMOUNTS[text]
    assert first.size == pytest.approx(size)
    assert first.dimension == dimension


@pytest.mark.parametrize("text", ["2MASS", "the 1990s", "19F", "case 19f0146f", "SN1987A", "NMC622", "x_12"])
def test_a_name_is_no_figure(text: str) -> None:
    assert quantities(text) == ()


PASSAGE = (
    "Of 36 ovaries 17 were untwisted after 14 hours (P = .04), 94% of them in 2002; 1.8 mg in 95% within 12 hours."
)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("Thirty-six, and 17 of them.", ["Thirty-six", "17"]),
        ("17 girls waited, or seventeen, and 17 again.", ["17"]),
        ("It took 36 hours.", []),
        ("It took 14 girls.", []),
        ("With 0.94 or 94 percent the same.", ["0.94"]),
        ("1800 µg were given.", ["1800 µg"]),
        ("Twelve of them, or 12, within 12 hours.", []),
        ("It is so, at the 95 percent level.", []),
        ("It was in the year 2002.", ["2002"]),
        ("About 90 percent of them.", []),
        ("Exactly 35.0 of them, 41 in all.", []),
    ],
)
def test_figures_that_the_reader_cannot_have_are_listed(text: str, listed: list[str]) -> None:
    assert needs_passage("How long did it take?", PASSAGE, [text]) == listed


@pytest.mark.parametrize(
    ("texts", "listed"),
    [
        (["19 were removed and 17 untwisted, so 36 in all."], []),
        (["There were 36."], []),
        (["That makes 94%."], ["94%"]),
        (["17 stayed. 19 went. That makes 36."], []),
        (["17 × 19/√81 = 36, 17/√328 = 0.94."], []),
        (["With 17 and 19, R² = 94%."], ["94%"]),
        (["For 17 and/or 19, p = .94."], [".94"]),
        (["17 of 18 were untwisted.", "And 94% went to surgery."], ["94%"]),
        (["Half of 0.08 makes .04."], []),
        (["17/18 is 94%."], []),
        (["It was 17 of 18, 94%."], []),
        (["17 and 19 could be 36 with one each."], []),
        (["19 of them and 94 percent, so that leaves 6 percent."], ["94 percent"]),
        (["94 percent, so that's .94 of 19."], ["94 percent"]),
        (["By 17 × 19 / 343 = 0.94, nearly all."], []),
        (["The share = 94 percent, with 17 of 19."], ["94 percent"]),
    ],
)
def test_arithmetic_needs_its_operands(texts: list[str], listed: list[str]) -> None:
    assert needs_passage("Of those, 17 were untwisted and 19 removed. Why?", PASSAGE, texts) == listed


def test_a_figure_is_not_searched_for_inside_another() -> None:
    assert needs_passage("How many died?", "Of 347 ewes 47 died.", ["Of 347 ewes, 6 × 8 = 47 died."]) == ["347"]


def test_a_number_with_endless_zeros_is_read() -> None:
    assert needs_passage("Why?", "Of 347 ewes 47 died.", ["1" + ",000" * 120 + ", and 347."]) == ["347"]


def test_a_thought_of_any_length_is_read() -> None:
    # A reasoning model's own thought may have hundreds of paragraphs.
    assert needs_passage("Why?", "Of 347 ewes 47 died.", [*["And so on."] * 2000, "347."], "347 again.") == ["347"]


@given(st.text(), st.text(), st.lists(st.text(alphabet="0123456789.,×^-% ehours\n()"), max_size=3))
def test_any_text_is_read(question: str, passage: str, texts: list[str]) -> None:
    listed = needs_passage(question, passage, texts)
    assert needs_passage(passage, passage, texts) == []
    assert all(figure.strip() for figure in listed)
