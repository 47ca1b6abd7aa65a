"""A question asks something and names what its passage is about, and an answer says something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.questions import asks, only_asks, strays
from programs.text.words import content, tokens

PASSAGE = (
    "Repeated exposures of 107 galaxies scatter by 9 percent, and the scatter grows towards fainter targets. "
    "The calibration lamps were switched off, so that atmospheric dispersion is not excluded."
)
WORDS = sorted({word for word in tokens(PASSAGE) if content([word])})


@pytest.mark.parametrize(
    "question",
    [
        "Why would fainter galaxies scatter more than bright ones?",
        "What does it mean that 107 objects were enough, and what if the lamp had been on?",
        "What is a lamp?",
        "How could one calibrate such an exposure without a second night?",
    ],
)
def test_1_it_names_what_the_passage_is_about(question: str) -> None:
    assert strays(question, PASSAGE) is None


@pytest.mark.parametrize(
    "question",
    [
        "Can you explain further?",
        "How can we improve this project?",
        "How does quantum mechanics explain the behaviour of particles?",
        "Why did you choose this survey over others with a calibration?",
    ],
)
def test_2_it_names_nothing_of_it(question: str) -> None:
    assert "names nothing" in str(strays(question, PASSAGE))


def test_2_it_has_no_words_of_content() -> None:
    assert "no words of content" in str(strays("Why is it so, and what then?", PASSAGE))


@pytest.mark.parametrize(
    "passage",
    [
        "",
        "107 9 12 3.5",
        "Die wiederholten Aufnahmen von 107 Galaxien streuen um 9 Prozent, und die Streuung nimmt zu.",
        "Повторные экспозиции галактик дают разброс в 9 процентов.",
        "星系的重复曝光散布为百分之九。",
    ],
)
def test_3_it_is_silent_where_it_cannot_tell(passage: str) -> None:
    assert strays("How does quantum mechanics explain the behaviour of particles?", passage) is None


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.sampled_from(["Why {}?", "How is it that {}?"]))
def test_4_the_passages_own_words_are_about_it(words: list[str], form: str) -> None:
    assert strays(form.format(" ".join(words)), PASSAGE) is None


@pytest.mark.parametrize(
    "text",
    [
        "Why does dust lower the slope from 1.4 to 1.1?",
        "A survey finds a slope of 1.4. How would dust change it?",
        "Explain why a blank field matters for a survey of 212 galaxies.",
        "A slope falls to 1.1 after correction. Compare this with an effect of selection.",
        "为什么尘埃会降低斜率？",
        "لماذا يقلل الغبار من الميل؟",
    ],
)
def test_what_asks(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "The answer depends on the technique you are using.",
        "We need more information about the method.",
        "I explain what I know.",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not asks(text)


def test_an_answer_may_ask_but_not_only() -> None:
    assert only_asks("Is it possible for us to change the world?")
    assert only_asks("Is it? And why?")
    assert not only_asks("Why is it lower? Because dust reddens the light.")
    assert not only_asks("Dust reddens the light, at 3.5 km/s.")
    assert not only_asks("42")
    assert only_asks("为什么？真的吗？")
    assert not only_asks("为什么？因为尘埃使光变红。")
    assert only_asks("لماذا؟")
