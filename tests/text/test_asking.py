"""A question asks something, and an answer says something."""

import pytest

from programs.text.asking import asks, only_asks


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
