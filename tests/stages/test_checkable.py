"""What an answer can be checked by (`programs.stages.checkable`): short answer and rubric, checked before they are kept.

1. A short answer is kept where the answer's text says it, its unit is known, and its figure stands in passage or question
   or is worked out in the open; options are distinct, the right one does not stand out; what the question says is no term.
2. A point of the rubric rests on a sentence that is there, brings no figure of its own, and says what no other does.
3. What fails is left out with its reason, and never costs the answer; what cannot be read is missing.
4. Record and document carry both, and older ones load without them.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from programs.asking.adapter import PassageFirstAdapter
from programs.records import Record, ShortAnswer
from programs.rejection import Reason
from programs.stages.checkable import Checkable, check_short_forms
from programs.text.short_answers import score
from signatures.answer import FinalAnswer, WriteAnswer
from tests.making import Answers, good_output, only, passage, question

ANSWER = (
    "The scatter of 9 percent grows towards fainter targets. Of 107 galaxies that makes 9.6, so about ten are lost. This "
    "is called selection bias (SB), and it lowers the amplitude by 12 km/s."
)
MISCONCEPTIONS = ["Brighter targets scatter more.", "All targets scatter alike."]


def checked(text: str = ANSWER, thought: Sequence[str] = (), **said: Any) -> Checkable:
    answer = FinalAnswer.model_validate({"text": text, **said})
    return check_short_forms(answer, question(), passage(), list(thought), MISCONCEPTIONS)


def kept(text: str = ANSWER, short: Any = None, **said: Any) -> Any:
    """The short answer, or the reason why there is none, if there is one."""
    found = checked(text, short=short, **said)
    lost = [one.reason for one in found.unchecked if one.detail.startswith("short answer")]
    assert not (lost and found.short_answer)
    return found.short_answer or next(iter(lost), None)


@pytest.mark.parametrize(
    ("answer", "unit", "value", "kept_unit"),
    [
        ("9", "percent", 9.0, "percent"),
        ("9%", "", 9.0, "%"),
        ("9", "% of the targets", 9.0, "%"),
        ("107", "galaxies", 107.0, ""),
        ("9.6", "galaxies", 9.6, ""),
        ("12", "bananas", None, Reason.UNIT),
        ("9", "galaxies per furlong", None, Reason.UNIT),
        ("12 km/s", "", None, Reason.UNSTATED),
        ("9 to 12", "percent", None, Reason.UNREADABLE),
        ("many", "", None, Reason.UNREADABLE),
        ("31", "", None, Reason.DISAGREES),
    ],
)
def test_numbers(answer: str, unit: str, value: float | None, kept_unit: str | Reason) -> None:
    found = kept(short={"kind": "number", "answer": answer, "unit": unit})
    if value is None:
        assert found == kept_unit
    else:
        assert (found.value, found.unit) == (value, kept_unit)
        assert 0.01 <= found.tolerance <= 0.05


@pytest.mark.parametrize(
    ("answer", "beside", "tolerance"),
    [
        ("9.63", "others find 9.9 of them", 0.01),
        ("0.564", "that is one reason among others, 0 of them new", 0.01),
        ("1.713", "there are two of these", 0.01),
        ("12.3 kg", "it took 12 days and 12 lamps", 0.01),
        ("some 12 kg", "it is lost", 0.0417),
        ("ca. 12.3 kg (sic!)", "it is lost", 0.01),
    ],
)
def test_a_number_tolerates_half_a_step_of_its_last_digit(answer: str, beside: str, tolerance: float) -> None:
    said = f"Of 107 galaxies 9 percent make 107 × 0.09 = 9.63, or 3 × 0.188 = 0.564, 1.713 and {answer}: {beside}."
    thought = [f"3 × 0.571 = 1.713 and 3 × 4.1 kg = {answer}."]
    short = checked(said, thought, short={"kind": "number", "answer": answer}).short_answer
    assert short is not None
    assert short.tolerance == tolerance


@pytest.mark.parametrize(
    ("answer", "others", "reason"),
    [
        ("Fainter targets scatter more.", MISCONCEPTIONS, None),
        ("Fainter targets scatter more.", [], None),
        ("Fainter targets scatter more.", ["Fainter targets scatter less."], None),
        ("Fainter targets scatter more.", ["fainter targets scatter more"], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["Scatter more fainter targets!"], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["Both.", "Neither."], Reason.OPTIONS),
        ("Faint ones.", ["Some people might think that only the brighter targets scatter more."], Reason.OPTIONS),
        ("Fainter targets scatter much more than others.", ["Fainter targets scatter less."], Reason.OPTIONS),
        ("Lamps were switched off.", ["The lamps were kept on."], Reason.DISAGREES),
    ],
)
def test_choices(answer: str, others: list[str], reason: Reason | None) -> None:
    found = kept(short={"kind": "choice", "answer": answer, "others": others})
    if reason:
        assert found == reason
        return
    assert [option for option in found.options if option == answer] == [found.text] == [answer]
    assert set(found.options) == {answer, *(others or MISCONCEPTIONS)}
    assert [score(f"\\boxed{{{letter}}}", dict(found)) for letter in "ABC"].count(1.0) == 1


@pytest.mark.parametrize(
    ("answer", "others", "expected"),
    [
        ("selection bias", ["SB", "Malmquist bias", "scatter"], ["SB"]),
        ("dispersion", [], Reason.DISAGREES),
        ("amplitude", [], Reason.GIVEN_AWAY),
        ("", [], Reason.UNREADABLE),
        ("a name that is far too long to be one", [], Reason.UNREADABLE),
    ],
)
def test_terms(answer: str, others: list[str], expected: list[str] | Reason) -> None:
    found = kept(short={"kind": "term", "answer": answer, "others": others})
    assert (found if isinstance(found, Reason) else found.aliases) == expected


@pytest.mark.parametrize(
    ("start", "word", "said", "expected"),
    [
        ("No. ", "no", None, "no"),
        ("", "yes", {"kind": "none"}, "yes"),
        ("", None, {"kind": "yes_no", "answer": "Yes."}, "yes"),
        ("No. ", "yes", None, Reason.DISAGREES),
        ("", "no", {"kind": "yes_no", "answer": "yes"}, Reason.DISAGREES),
        ("", "neither", {"kind": "none"}, None),
        ("", None, None, Reason.UNREADABLE),
    ],
)
def test_yes_or_no(start: str, word: str | None, said: dict[str, str] | None, expected: Any) -> None:
    found = kept(start + ANSWER, said, yes_or_no=word)
    assert (found.text if isinstance(found, ShortAnswer) else found) == expected


def point(text: str, kind: str = "fact", sentence: int = 2, weight: int = 2) -> dict[str, Any]:
    return {"kind": kind, "text": text, "weight": weight, "sentence": sentence}


GOOD = [
    point("gives the scatter of 9 percent"),
    point("says that it grows for faint ones", "step", 0, 1),
    point("calls 31 of them lost", "pitfall", 0, 3),
]


def test_a_rubric_says_what_it_rests_on() -> None:
    found = checked(rubric=GOOD).rubric
    assert [one.weight for one in found] == [2, 1, -3]
    text = passage().sample.text
    assert [one.quote for one in found] == [text[found[0].start : found[0].end], None, None]
    assert [one.sentence for one in found] == [2, None, None]
    general = checked(rubric=[*GOOD, point("compares the two lamps, in half a sentence", sentence=0)])
    assert [one.sentence for one in general.rubric] == [2, None, None, None], "what rests on general knowledge stays"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (point("gives the lamps", sentence=9), Reason.NO_SENTENCE),
        (point("gives 31 lamps"), Reason.UNSTATED),
        (point("The passage states that faint targets scatter"), Reason.LEANS),
        (point("Gives the scatter of 9 percent."), Reason.SAME_POINT),
        (point("called selection bias", "pitfall", 0), Reason.DISAGREES),
    ],
)
def test_a_bad_point_is_left_out_alone(bad: dict[str, Any], reason: Reason) -> None:
    found = checked(rubric=[bad, *GOOD] if reason != Reason.SAME_POINT else [*GOOD, bad], yes_or_no="yes")
    assert len(found.rubric) == 3
    [lost] = found.unchecked
    assert (lost.reason, lost.detail.partition('": ')[0].strip('"')) == (reason, f'{bad["kind"]} "{bad["text"]}')


@pytest.mark.parametrize(
    "unread",
    [
        {},
        {"short": "9 percent", "rubric": "none"},
        {"short": {"kind": ["number"], "answer": {"a": 1}}, "rubric": {"points": 3}},
        {"short": [1, 2], "rubric": [GOOD[0], {**GOOD[1], "weight": 99}]},
    ],
)
def test_what_cannot_be_read_costs_nothing(unread: dict[str, Any]) -> None:
    reply = json.dumps({"answer": {"text": ANSWER, **unread}})
    final = PassageFirstAdapter().parse(WriteAnswer, reply)["answer"]
    assert final.text == ANSWER
    found = check_short_forms(FinalAnswer.model_validate(final.model_dump(mode="json")), question(), passage(), [], [])
    assert (found.short_answer, found.rubric) == (None, [])
    assert found.unchecked


def test_record_and_document_carry_both_and_a_bad_one_costs_no_trace() -> None:
    def answer(ask: Any) -> Any:
        bad = {"kind": "number", "answer": "31", "unit": "bananas"}
        return {**good_output(ask), "short": bad, "rubric": [*good_output(ask)["rubric"], point("gives 31 lamps")]}

    answers = Answers(answer=answer)
    variation = only(answers)
    assert (variation.status, answers.count("answer")) == ("accepted", 1)
    written = variation.record().written()
    assert written["short_answer"] is None
    assert sorted(written["rubric"][0])[:3] == ["end", "kind", "quote"]
    assert [one["reason"] for one in written["unchecked"]] == [Reason.UNIT.value, Reason.UNSTATED.value]
    assert Record.model_validate(written).written() == written
    older = {name: value for name, value in written.items() if name not in ("short_answer", "rubric", "unchecked")}
    assert Record.model_validate(older).rubric == []
