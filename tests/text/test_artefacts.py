"""What shows how a text was made, and plain English that only looks like it."""

from __future__ import annotations

import pytest

from programs.text.artefacts import ASKER, FORM, HYPOTHESIS, NOTES, ORDERS, RULES, SENTENCE, artefacts

SURGEON = "on-call surgeon (intermediate level)"
STUDENT = "first-year student of medicine (beginner level)"

SHOWS = [
    ("There was no difference, as stated in sentence 8.", SENTENCE),
    ("Sentences 2 and 3 contradict it.", SENTENCE),
    ("Thresholds were higher (p = .03) [9].", SENTENCE),
    ("Several of them agree [3, 4], and [2] as well.", SENTENCE),
    ("The scatter grows [5-7].", SENTENCE),
    ("Hypothesis 1 says that the deficit comes first.", HYPOTHESIS),
    ("So hypothesis B is wrong.", HYPOTHESIS),
    ("Hypotheses 1 and 2 differ.", HYPOTHESIS),
    ("The second hypothesis fits better.", HYPOTHESIS),
    ("The evidence says that there was none.", NOTES),
    ("The critique says that the sample is small.", NOTES),
    ("The critique also mentions attention.", NOTES),
    ("My perspective notes want an analogy.", NOTES),
    ("It is in the notes, so it holds.", NOTES),
    ("The context analysis calls for care.", NOTES),
    ("The strands say that selection matters.", NOTES),
    ("I was asked to write in the first person.", ORDERS),
    ("As I was told, no numbers.", ORDERS),
    ("As instructed, this has five paragraphs.", ORDERS),
    ("The feedback said that it repeats itself.", ORDERS),
    ("That was my wrong turn.", FORM),
    ("Now takes_back.", FORM),
    ('{"kind": x}', FORM),
    ("Doubts: is 14 the median?", FORM),
    ("It is so.\n\n**Takes back:** it is not.", FORM),
    ("[wonders] Who was never asked?", FORM),
    ("I think about what the person wants.", ASKER),
    ("How do I put it to this person?", ASKER),
    ("The user asks whether it holds.", ASKER),
    ("What the user wants is a number.", ASKER),
    ("The asker has a misconception.", ASKER),
    ("This reader needs an image.", ASKER),
]

TOLD = [
    ("To the surgeon I'd say: the colour can't tell you.", SURGEON),
    ("For this surgeon the colour matters most.", SURGEON),
    ("What the on-call surgeon wants is a rule.", SURGEON),
    ("I would explain this to the surgeon with a table.", SURGEON),
    ("For a student: ask who was not checked.", STUDENT),
    ("So far so good. For a sceptic I’d say it is a scale set to a known weight.", SURGEON),
    ("A student should ask of any perfect score who never got into it.", STUDENT),
    ("The first-year student asks for the mechanism.", STUDENT),
]

PLAIN = [
    "The null hypothesis survives; one hypothesis would be dust.",
    "One hypothesis is dust, another is age. The first hypothesis predicts a colour.",
    "I reject the null hypothesis 5% of the time, and the hypothesis 2.5 sigma away never.",
    "The evidence shows little, and the evidence for it is thin.",
    "A person stands on a scale. The person jumps, and it reads more.",
    "The person who was never rechecked is what I can't see.",
    "This feedback isn't made or isn't used; stellar feedback heats the gas.",
    "Check: 3 times 4 is 12. Wrong. Correction: I forgot the carbon.",
    "Does x lie in [0, 1]? The range [10, 20] is wide, and [18]F decays.",
    "The median was 60 [50-80] minutes, with F [1, 30] = 0.6.",
    "[O/Fe] falls with [Fe/H].",
    "A sentence 4 words long is short.",
    "I'm asked what this says about tracking.",
    "The analysis shows that p is .04. The notes of a chord beat, and RNA strands fold.",
    "For a halo of this size I'd say 3 percent. To a first approximation I'd say yes.",
    "If a surgeon thought an ovary was dead he took it out, and the surgeon's eye is what is in doubt.",
    "I'd tell the parents that it may not survive.",
    "The user can choose a mask.",
    "What is the critique of pure reason?",
    "He was instructed to rest, and the DNA carries the instructions.",
    "Hmm. It takes back what it gave. Who doubts: nobody.",
]


@pytest.mark.parametrize(("text", "reason"), SHOWS)
def test_what_shows_how_it_was_made_has_its_reason(text: str, reason: str) -> None:
    found = artefacts(text)
    assert reason in [fault.reason for fault in found]
    assert all(text[fault.start : fault.end] == fault.phrase for fault in found)


@pytest.mark.parametrize(("text", "asked_by"), TOLD)
def test_who_asks_is_not_spoken_to(text: str, asked_by: str) -> None:
    assert [fault.reason for fault in artefacts(text, asked_by=asked_by)] == [ASKER]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_english_shows_nothing(text: str) -> None:
    assert artefacts(text, asked_by=SURGEON) == []


@pytest.mark.parametrize(
    ("text", "asked_by", "question"),
    [
        ("To the surgeon I'd say: wait.", SURGEON, "What should the surgeon do?"),
        ("So hypothesis B is wrong.", STUDENT, "Does hypothesis A or hypothesis B fit?"),
        ("The person falls at 9.8.", STUDENT, "How fast does a person in a lift fall?"),
    ],
)
def test_what_the_question_speaks_of_is_no_artefact(text: str, asked_by: str, question: str) -> None:
    assert artefacts(text, asked_by=asked_by)
    assert artefacts(text, given=question, asked_by=asked_by) == []


def test_the_parts_of_a_rule_hide_nothing_from_it() -> None:
    for text in (*(text for text, _ in SHOWS), *PLAIN):
        for rule in RULES:
            for match in rule.pattern.finditer(text):
                assert any(part in match[0].lower() for part in rule.parts), (rule, text)


def test_every_reason_is_in_the_table() -> None:
    assert {rule.reason for rule in RULES} == {reason for _, reason in SHOWS}
