"""A question asks something and names a subject of its passage; an answer states something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.stages.questions import contains_request, is_only_questions, why_off_topic
from programs.text.words import content_stems, tokens
from tests.text.tables import cases, texts

PASSAGE = (
    "Repeated exposures of 107 galaxies scatter by 9 percent, and the scatter grows towards fainter targets. "
    "The calibration lamps were switched off, so that atmospheric dispersion is not excluded."
)
WORDS = sorted({word for word in tokens(PASSAGE) if content_stems([word])})

TOPIC_CASES = cases(
    {
        "": """
            Why would fainter galaxies scatter more than bright ones? | What is a lamp? |
            What does it mean that 107 objects were enough, and what if the lamp had been on? |
            How could one calibrate such an exposure without a second night?
        """,
        "names nothing": """
            Can you explain further? | How can we improve this project? |
            How does quantum mechanics explain the behaviour of particles? |
            Why did you choose this survey over others with a calibration?
        """,
        "no words of content": "Why is it so, and what then?",
    }
)


@pytest.mark.parametrize(("question", "reason"), TOPIC_CASES)
def test_a_question_names_what_its_passage_is_about(question: str, reason: str) -> None:
    why = why_off_topic(question, PASSAGE)
    assert (why is None) if not reason else (reason in str(why))


def test_words_that_texts_about_anything_share_name_nothing() -> None:
    passage = "First, most of the others are more faint where the sky is bright. It is less sure when it is dark."
    for question in (
        "Could you tell me more about this, and when it is most useful?",
        "Where do most volcanoes form, and when are the others less active?",
    ):
        assert "names nothing" in str(why_off_topic(question, passage)), question


@pytest.mark.parametrize(
    "passage",
    [
        "",
        "Die wiederholten Aufnahmen von 107 Galaxien streuen um 9 Prozent, und die Streuung nimmt zu.",
        "Повторные экспозиции галактик дают разброс в 9 процентов.",
        "星系的重复曝光散布为百分之九。",
    ],
)
def test_no_question_is_off_topic_unless_the_passage_is_english(passage: str) -> None:
    assert why_off_topic("How does quantum mechanics explain the behaviour of particles?", passage) is None


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.sampled_from(["Why {}?", "How is it that {}?"]))
def test_a_question_in_the_passages_own_words_is_on_topic(words: list[str], form: str) -> None:
    assert why_off_topic(form.format(" ".join(words)), PASSAGE) is None


def test_requests_are_distinguished_from_statements() -> None:
    asking = """
        Why does dust lower the slope from 1.4 to 1.1? | A survey finds a slope of 1.4. How would dust change it? |
        Explain why a blank field matters for a survey of 212 galaxies. | 为什么尘埃会降低斜率？ |
        A slope falls to 1.1 after correction. Compare this with an effect of selection. | لماذا يقلل الغبار من الميل؟ |
        Γιατί η σκόνη μειώνει την κλίση;
    """
    stating = """
        The answer depends on the technique you are using. | We need more information. | I explain what I know. |
        It is 1.1; it scatters.
    """
    assert all(map(contains_request, texts(asking)))
    assert not any(map(contains_request, texts(stating)))


def test_an_answer_may_ask_but_not_only_ask() -> None:
    only_questions = "Is it possible for us to change the world? | Is it? And why? | 为什么？真的吗？ | لماذا؟"
    assert not is_only_questions("Why? " + "!" * 100_000 + "x")
    both = "Why is it lower? Because dust reddens the light. | Dust reddens, at 3.5 km/s. | 42 | 为什么？因为尘埃使光变红。"
    assert all(map(is_only_questions, texts(only_questions)))
    assert not any(map(is_only_questions, texts(both)))
