"""Invariants of `programs.checks.wrong_step`: a misconception as a step, and what a thought does with it.

1. A misconception becomes a plain statement, or nothing: never a gerund, never with what sets it right.
2. What the passage says is no wrong step; what it denies may be one.
3. A text carries a step by its content words, and takes it unless it denies it; a paragraph takes it back only when it says
   so, of that step, with more, and not when it says that nothing was wrong.
4. An answer repeats a step when it says it, in whatever way it denies that it is wrong; not when it denies, corrects or
   quotes it from a distance.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.wrong_step import (
    CARRIED,
    FEWEST_STEMS,
    carried,
    is_stated,
    repeated,
    stems,
    taken,
    takes_back,
    wrong_step_of,
)

STEP = "A larger scatter means a weaker lensing signal."


@pytest.mark.parametrize(
    ("misconception", "step"),
    [
        ("That scatter alone decides the outcome.", "Scatter alone decides the outcome."),
        ("Assuming that a larger scatter means a weaker signal", "A larger scatter means a weaker signal."),
        (
            "One might think that dust reddens nearby galaxies more than distant ones.",
            "Dust reddens nearby galaxies more than distant ones.",
        ),
        ("The user may wrongly think that masses are measured directly", "Masses are measured directly."),
        ("A common misconception is that black holes emit X-rays", "Black holes emit X-rays."),
        (
            "Students may assume the constant is the same at all redshifts, when in fact it changes.",
            "The constant is the same at all redshifts.",
        ),
        (
            "Confusing the rotation curve with the mass profile",
            "The rotation curve is the same as the mass profile.",
        ),
        ("Mixing up statistical and systematic errors", "Statistical and systematic errors are the same."),
        ("Treating photometric redshifts as exact distances", "Photometric redshifts can be taken as exact distances."),
        (
            "Ignoring the selection effects of the survey",
            "It makes no difference to leave out the selection effects of the survey.",
        ),
        ("It is tempting to conclude that amplitude depends on brightness", "Amplitude depends on brightness."),
    ],
)
def test_a_misconception_becomes_a_statement(misconception: str, step: str) -> None:
    assert wrong_step_of(misconception) == step


@pytest.mark.parametrize(
    "misconception",
    ["", "...", "That is wrong", "Misinterpreting the p-value of the fit", "To overlook dust lanes", "Dust"],
)
def test_what_is_no_statement_is_none(misconception: str) -> None:
    assert wrong_step_of(misconception) is None


@given(st.text(max_size=240))
def test_a_step_is_a_sentence_or_nothing(misconception: str) -> None:
    step = wrong_step_of(misconception)
    assert step is None or (step.endswith(".") and len(stems(step)) >= FEWEST_STEMS and carried(step, step) == 1.0)


def test_what_the_passage_says_is_no_wrong_step() -> None:
    assert is_stated(STEP, "We saw more. Here a larger scatter means a weaker lensing signal, as expected.")
    assert not is_stated(STEP, "Here a larger scatter does not mean a weaker lensing signal.")
    assert not is_stated(STEP, "The lamps were switched off.")


def test_a_paragraph_carries_a_step_by_its_content_words() -> None:
    assert carried(STEP, "So a weaker lensing signal would simply follow from larger scatter.") >= CARRIED
    assert carried(STEP, "Perhaps dust in the foreground settles the whole matter for bright targets.") < CARRIED


@pytest.mark.parametrize(
    "paragraph",
    [
        "So I was wrong there: the scatter grows towards faint targets, and the lamps explain the signal.",
        "That step about the scatter was wrong, because the amplitude changes by less than one deviation.",
        "But a larger scatter cannot be right as the cause, since the neighbours were removed beforehand.",
        "I don't think that is right about the scatter: the lamps explain the amplitude of the neighbours.",
        "I take that back: the lensing amplitude follows from the selection of bright neighbours.",
        "My first guess about the signal ignored the neighbours, which were removed beforehand.",
    ],
)
def test_a_paragraph_takes_a_step_back(paragraph: str) -> None:
    assert takes_back(STEP, paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Indeed a larger scatter means a weaker lensing signal, which the neighbours confirm.",
        "So I was wrong there: colours of distant quasars follow from dust.",
        "So I was wrong about the lensing signal.",
        "That view of the scatter is right, because the amplitude of all neighbours agrees with it.",
        "That is not wrong: the scatter decides, as the neighbours and their amplitude confirm.",
        "That is right: the scatter decides, as the neighbours and their amplitude confirm.",
        "My first guess about the scatter was not wrong; neighbours and amplitude both confirm it.",
        "I was not wrong about the scatter: the amplitude and the neighbours confirm it.",
        "I wasn't mistaken about the scatter: the amplitude and the neighbours confirm it.",
        "This view of the scatter was never wrong, since neighbours and amplitude agree.",
        "The scatter cannot be wrong as the cause, since neighbours and amplitude agree.",
        "It would be a mistake to think that the scatter is wrong; amplitude and neighbours confirm it.",
        "Nobody would say that this is wrong of the scatter; amplitude and neighbours confirm it.",
        "I thought that scatter mattered, and the neighbours and their amplitude actually confirm it.",
        "The scatter amounts to nine percent, and the lamps were switched off.",
    ],
)
def test_other_paragraphs_do_not(paragraph: str) -> None:
    assert not takes_back(STEP, paragraph)


@pytest.mark.parametrize(
    "sentence",
    [
        "A larger scatter means a weaker lensing signal.",
        "Thus the weaker lensing signal means larger scatter.",
        "It is no myth that a larger scatter means a weaker lensing signal.",
        "It would be wrong to doubt that a larger scatter means a weaker lensing signal.",
        "There is no doubt that a larger scatter means a weaker lensing signal.",
        "A larger scatter means a weaker lensing signal, unlike temperature.",
        "Rather than noise, a larger scatter means a weaker lensing signal.",
    ],
)
def test_an_answer_that_says_it_repeats_it(sentence: str) -> None:
    assert repeated(STEP, f"It depends on the lamps. {sentence} The rest is open.") == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "A larger scatter does not mean a weaker lensing signal.",
        "It is tempting to say that a larger scatter means a weaker lensing signal.",
        "A larger scatter means a stronger lensing signal.",
        "Nobody should say that a larger scatter means a weaker lensing signal.",
        "That a larger scatter means a weaker lensing signal is refuted by the lamps.",
        "The claim that a larger scatter means a weaker lensing signal is untenable.",
        "A larger scatter hardly means a weaker lensing signal.",
        "Rather than a larger scatter meaning a weaker lensing signal, the lamps decide.",
        "It is far from clear that a larger scatter means a weaker lensing signal.",
        "The lensing signal depends on the lamps.",
    ],
)
def test_an_answer_that_denies_or_quotes_it_does_not(sentence: str) -> None:
    assert repeated(STEP, f"It depends on the lamps. {sentence}") is None


@pytest.mark.parametrize(
    ("paragraph", "takes"),
    [
        ("It seems plain that a larger scatter means a weaker lensing signal, not a stronger one.", True),
        ("A larger scatter must mean a weaker lensing signal. Nothing else is needed, and no lamp explains it.", True),
        ("So a weaker lensing signal, I would think, follows from larger scatter.", True),
        ("I see at once that a larger scatter never means a weaker lensing signal.", False),
        ("Perhaps the lamps were on all night.", False),
    ],
)
def test_a_paragraph_takes_a_step_that_it_does_not_deny(paragraph: str, takes: bool) -> None:
    assert taken(STEP, paragraph) == takes


def test_a_denied_step_is_repeated_by_its_denial() -> None:
    step = wrong_step_of("Assuming that dust does not redden the light of galaxies")
    assert step == "Dust does not redden the light of galaxies."
    assert repeated(step, "In short, dust does not redden the light of galaxies.") is not None
    assert repeated(step, "In short, dust reddens the light of galaxies.") is None
