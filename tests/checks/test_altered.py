"""Invariants of `programs.checks.altered`: one finding of a passage becomes another, and texts are told apart by it.

1. A number keeps its form (digits, decimals, separators, zeros), becomes another one everywhere, and is plausible: never a
   share above 1, never a level such as 0.05.
2. Only what the trace says is altered, nothing that the question shows, no year, no reference, no single bare digit.
3. A direction is altered only where there is no number, every form of it, with its case, into a word that can stand there;
   never where it is part of a phrase that tells no direction.
4. What repeats the passage as it was is ignored, what repeats it as it became is followed; neither or both is unclear.
5. Outside the places named, the passage is what it was: putting the old back gives it again.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.altered import Alteration, altered, appearing, outcome_of
from programs.checks.direction_pairs import PAIRS
from programs.checks.numbers import numbers

PASSAGE = (
    "A sample of 1,240 galaxies from 2019 has a scatter of 9.4 percent [12]. The slope is -0.75 ± 0.04 at 3.2 × 10^4 K. "
    "The p-value was 0.03 (Fig. 14). At z = 1.1 the fraction is 95%, with a bias of 3 sigma."
)


def altered_for(answer: str, question: str = "Why?", passage: str = PASSAGE, thought: str = "") -> Alteration | None:
    return altered(passage, thought, answer, question)


def outcome(alteration: Alteration, text: str) -> str:
    return outcome_of(*appearing(alteration, text))


@pytest.mark.parametrize(
    ("answer", "old", "new"),
    [
        ("The scatter of 9.4% matters.", "9.4", "6.6"),
        ("About 1240 galaxies were used.", "1,240", "2,860"),
        ("A slope of −0.75 is steep.", "0.75", "0.58"),
        ("At a temperature of 32000 K it glows.", "3.2", "5.8"),
        ("In 95 percent of them.", "95", "76"),
        ("It is biased by 3 sigma.", "3", "5"),
        ("It is biased by three sigma.", "3", "5"),
    ],
)
def test_a_number_that_the_trace_says_becomes_another_of_its_form(answer: str, old: str, new: str) -> None:
    found = altered_for(answer)
    assert found is not None
    assert (found.kind, found.old, found.new) == ("number", old, new)
    assert outcome(found, answer) == "ignored"
    assert outcome(found, found.text) == "followed"


@pytest.mark.parametrize(
    "answer", ["Since 2019 it is known.", "See Fig. 14 and [12].", "There are 3 reasons.", "It is known.", ""]
)
def test_what_is_no_finding_is_left(answer: str) -> None:
    assert altered_for(answer) is None


def test_what_the_question_shows_is_left() -> None:
    assert altered_for("It is 9.4 percent.", "Why is a scatter of 9.4% too much?") is None
    found = altered_for("It is 9.4 percent, at a slope of 0.75.", "Why is a scatter of 9.4% too much?")
    assert found is not None
    assert found.old == "0.75"


def test_a_number_of_the_answer_comes_before_one_of_the_thought() -> None:
    found = altered_for("The slope is 0.75.", thought="There are 1,240 galaxies.")
    assert found is not None
    assert found.old == "0.75"


def test_a_share_stays_one_and_no_usual_level_arises() -> None:
    for answer in ("p = 0.03", "95%"):
        found = altered_for(answer)
        assert found is not None
        assert found.new not in ("0.05", "68", "100")
        assert all(number.size <= 1 for number in found.news if not isinstance(number, str))


def test_every_place_is_altered() -> None:
    passage = "The mass is 4.7 units. Nothing but 4.7 fits; 14.7 and 4.75 do not."
    found = altered_for("It is 4.7.", passage=passage)
    assert found is not None
    assert [passage[place : place + 3] for place in found.places] == ["4.7", "4.7"]
    assert "14.7 and 4.75 do not" in found.text
    assert not re.search(r"(?<!\d)4\.7(?!\d)", found.text)


def test_a_direction_is_altered_where_there_is_no_number() -> None:
    passage = "Flux increases towards the centre. An increase of colour was expected. The Increase stays."
    found = altered_for("It increases because of dust.", passage=passage)
    assert found is not None
    assert (found.kind, found.old, found.new) == ("direction", "increases", "decreases")
    expected = "Flux decreases towards the centre. A decrease of colour was expected. The Decrease stays."
    assert found.text == expected
    assert outcome(found, "The flux increased.") == "ignored"
    assert outcome(found, "The flux is decreasing.") == "followed"
    assert outcome(found, "It falls.") == outcome(found, "It increases, then decreases.") == "unclear"


@pytest.mark.parametrize(
    ("passage", "answer", "question"),
    [
        ("Flux increases here and decreases there.", "It increases.", "Why?"),
        ("Flux increases here.", "It increases, it does not decrease.", "Why?"),
        ("Flux increases here.", "It increases.", "Why does it increase?"),
        ("Flux increases here.", "It is bright.", "Why?"),
    ],
)
def test_a_direction_that_would_tell_nothing_is_left(passage: str, answer: str, question: str) -> None:
    assert altered_for(answer, question, passage) is None


@pytest.mark.parametrize(
    "passage",
    [
        "After the correction the signal is no longer detected in the outer disc.",
        "The run takes longer here, and no longer fits.",
        "As described above, the sample was selected by colour.",
        "Above all, colour matters.",
        "The sample (see below) was selected by colour.",
        "It follows from the arguments above.",
        "The older literature disagrees.",
        "As noted earlier, colour matters.",
        "Winds lower the mass. A lower mass remains.",
        "It serves to lower mass.",
        "A lower limit on the mass is set.",
        "Dust raises the flux.",
        "It is greater than 5.",
    ],
)
def test_what_tells_no_direction_is_left(passage: str) -> None:
    assert altered_for(passage, passage=passage) is None


@pytest.mark.parametrize(
    ("passage", "text"),
    [
        ("Blue galaxies have lower mass than red ones.", "Blue galaxies have higher mass than red ones."),
        ("It lies above the mean, below none.", None),
        ("It lies above the mean.", "It lies below the mean."),
        ("Older stars lie above the disc.", "Younger stars lie above the disc."),
        ("It runs longer in the dark.", "It runs shorter in the dark."),
    ],
)
def test_a_word_becomes_one_of_its_own_part_of_speech(passage: str, text: str | None) -> None:
    found = altered_for(passage, passage=passage)
    assert (found.text if found else None) == text


def test_a_phrase_that_tells_no_direction_says_neither_side() -> None:
    found = altered_for("It runs longer.", passage="It runs longer in the dark.")
    assert found is not None
    assert outcome(found, "It runs shorter and is no longer seen.") == "followed"
    assert altered_for("It is no longer seen.", passage="It runs longer in the dark.") is None


def test_neither_side_of_a_pair_stands_in_another() -> None:
    sides = [word for pair in PAIRS for side in pair for word in side]
    assert {word for word in sides if sides.count(word) > 1} == set()
    assert all(len(first) == len(second) for first, second in PAIRS)


VALUES = st.one_of(
    st.integers(10, 99_999).filter(lambda value: not 1500 <= value <= 2099).map(str),
    st.integers(1000, 999_999).map("{:,}".format),
    st.tuples(st.integers(0, 999), st.integers(1, 999)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
)


@given(VALUES, VALUES, st.sampled_from(["", " km", " percent", " galaxies", "%"]))
def test_numbers_round_trip(old: str, other: str, unit: str) -> None:
    passage = f"We find {old}{unit} in the core, and {other} elsewhere. Of all, {old}{unit} is the largest."
    said = f"It is {old}{unit}."
    found = altered_for(said, passage=passage)
    if found is None:
        return
    assert found.kind == "number"
    assert re.sub("[0-9]", "0", found.new) == re.sub("[0-9]", "0", found.old)
    restored = list(found.text)
    for place in found.places:
        assert passage[place : place + len(found.old)] == found.old
        restored[place : place + len(found.new)] = found.old
    assert "".join(restored) == passage
    assert len(numbers(found.text)) == len(numbers(passage))
    assert outcome(found, said) == "ignored"
    assert outcome(found, said.replace(found.old, found.new)) == "followed"


@given(VALUES)
def test_a_number_alone_is_altered_unless_it_must_not_be(value: str) -> None:
    found = altered_for(f"It is {value}.", passage=f"The core has {value} units.")
    assert found is None or (found.old, len(found.places)) == (value, 1)
    if len(value.replace(",", "").replace(".", "").strip("0")) > 1 and value[0] != "0":
        assert found is not None
