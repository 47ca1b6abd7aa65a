"""Numbers of a claim are found in its source however they are written; a changed one is not.

1. A number is read with its value and what its unit measures, whatever separators, powers, words and LaTeX it is written
   with. Names, references, exponents and list markers are no numbers.
2. Equal amounts are one: in another unit, as a share instead of percent, rounded as far as the claim says.
3. What stands nowhere is named as the claim writes it. Numbers in words need a unit or a scale.
4. No text makes it fail, and every number of a text stands in that text.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.numbers import Given, numbers, unfound
from programs.checks.units import UNITS, unit_named

SOURCE = (
    "In 2,000 skies the scatter amounts to 9 percent and the fitted slope is 6.58 ± 0.12; the beam is 0.5–2 arcmin wide. "
    "A dose of 500 mg was given for 12 weeks to twenty-four of 212 galaxies at z = 0.35, with H0 = 67.4 km s^-1 Mpc^-1, a "
    r"mass of $3.2 \times 10^{14}$ and a share of 0.05 (p < 0.001)."
)


def missing(claim: str, source: str = SOURCE) -> list[str]:
    return unfound(claim, lambda: Given(source))


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("2,000 skies", 2000, None),
        ("2\u202f000 skies", 2000, None),
        ("2{,}000 skies", 2000, None),
        (".05", 0.05, None),
        ("3.2 × 10^5", 3.2e5, None),
        ("3.2 × 10⁵", 3.2e5, None),
        (r"$3.2\times 10^{5}$", 3.2e5, None),
        ("3.2e5", 3.2e5, None),
        ("10⁻³", 1e-3, None),
        ("1.2 million", 1.2e6, None),
        ("two hundred", 200, None),
        ("−0.15", 0.15, None),
        ("9 percent", 9, "fraction"),
        (r"9\%", 9, "fraction"),
        ("9 per cent", 9, "fraction"),
        ("twenty-five years", 25, "time"),
        ("one standard deviation", 1, "significance"),
        ("3-sigma", 3, "significance"),
        ("12-month", 12, "time"),
        ("220 km/s", 220, "speed"),
        ("220 km s^-1", 220, "speed"),
        ("67.4 km s⁻¹ Mpc⁻¹", 67.4, "expansion"),
        ("5mg", 5, "mass"),
        ("3~mK", 3, "temperature"),
        ("5 mg/day", 5, None),
        ("5 mg per day", 5, None),
        ("2 orders of magnitude", 2, "decade"),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, value: float, dimension: str | None) -> None:
    [number] = numbers(text)
    assert number.value == pytest.approx(value)
    assert number.dimension == dimension


@pytest.mark.parametrize(
    "text",
    [
        "vitamin B12",
        "HbA1c",
        "the 1990s",
        "Fig. 3",
        "Figure 12",
        "Table 2",
        "eq. 4",
        "[12]",
        "M_{500}",
        "x^2",
        "1. First",
    ],
)
def test_what_is_no_number_is_not_read(text: str) -> None:
    assert numbers(text) == []


def test_a_unit_belongs_to_all_ends_of_a_range() -> None:
    assert [number.dimension for number in numbers("between 5, 7 and 12 percent")] == ["fraction"] * 3
    assert [number.dimension for number in numbers("0.5–2 keV")] == ["energy", "energy"]
    assert [number.dimension for number in numbers("67.4 ± 0.5 km/s/Mpc")] == ["expansion", "expansion"]
    assert [number.dimension for number in numbers("12 galaxies and 5 percent")] == [None, "fraction"]


@pytest.mark.parametrize(
    "claim",
    [
        "The scatter is 9%.",
        "The scatter is 0.09 of the mean.",
        "The share is 5 percent.",
        "In 2000 skies.",
        "The slope is about 7, or 6.6 ± 0.12.",
        "The beam is between 0.5 and 2 arcmin, so 30 to 120 arcsec, wide.",
        "They took 0.5 g for 84 days.",
        "Twelve weeks long, 24 of the 212 were seen.",
        "The mass is 3.2e14.",
        "H0 is 67.4 km/s/Mpc.",
        "Two explanations and three doubts remain, one of them old.",
        "",
    ],
)
def test_what_stands_in_the_source_is_found(claim: str) -> None:
    assert missing(claim) == []


@pytest.mark.parametrize(
    ("claim", "named"),
    [
        ("The scatter is 8 percent.", ["8 percent"]),
        ("The scatter is 212 percent.", ["212 percent"]),
        ("The slope is 6.5.", ["6.5"]),
        ("The slope is 7.", ["7"]),
        ("The beam is 2 arcsec wide.", ["2 arcsec"]),
        ("They took 500 g.", ["500 g"]),
        ("In 3,000 skies, and in 3,000 others.", ["3,000"]),
        ("In two percent at three sigma.", ["two percent", "three sigma"]),
        ("The mass is 3.2e13, not 2.3 × 10^14.", ["3.2e13", "2.3 × 10^14"]),
        ("Then two hundred galaxies were seen.", ["two hundred"]),
    ],
)
def test_what_stands_nowhere_is_named(claim: str, named: list[str]) -> None:
    assert missing(claim) == named


@given(st.floats(0.001, 9e6, allow_nan=False).map(lambda number: f"{number:.3g}"))
def test_a_number_is_found_in_a_text_that_says_it(number: str) -> None:
    assert missing(f"The value is {number}.", f"A value of {number} was measured.") == []


@given(st.integers(11, 99_999), st.integers(1, 9))
def test_a_changed_digit_is_not_found(number: int, step: int) -> None:
    changed = str(number)[:-1] + str((number + step) % 10)
    assert missing(f"It is {changed} here.", f"It was {number} there.") == ([] if changed == str(number) else [changed])


@given(st.integers(1, 999), st.sampled_from(["percent", "mg", "km/s", "arcmin", "years"]))
def test_another_unit_is_another_amount(number: int, unit: str) -> None:
    other = {"percent": "mg", "mg": "km/s", "km/s": "arcmin", "arcmin": "years", "years": "percent"}[unit]
    assert missing(f"It is {number} {unit}.", f"It was {number} {other}.") == [f"{number} {unit}"]
    assert missing(f"It is {number} {unit}.", f"It was {number} {unit}.") == []


SIGNS = st.text(alphabet=st.sampled_from("0123456789.,-–−×x^e{}\\$~%¹⁻³ kmgs/±onetw\n\u202f(["), max_size=60)


@given(SIGNS, SIGNS)
def test_no_text_makes_it_fail(claim: str, source: str) -> None:
    for number in missing(claim, source):
        assert number
    assert missing(source, source) == []


@pytest.mark.parametrize(
    "text", ["9" * 400, f"about 1{'0' * 400}", "10^999", "1e99", "3e999", "1.2.3.4", "2^2^2", "٣ percent"]
)
def test_odd_numbers_do_no_harm(text: str) -> None:
    assert missing(text, text) == []


def test_every_unit_is_named_once_for_one_amount() -> None:
    assert all(size > 0 for _, size in UNITS.values())
    assert unit_named("km s^{-1}") == unit_named("km s-1") == "kms1"
    assert UNITS["g"] == ("mass", 1)
    assert UNITS["mg"][1] == pytest.approx(0.001)
