"""The short answer and the rubric of an answer are checked before they are kept (`programs.stages.checkable`).

1. A short answer is kept only if the answer says it. A number has a known unit, and its figure is in passage or question or
   derived in the texts. Options differ, and length does not give the right one away. A term is not in the question.
2. A rubric point names an existing sentence or none, has no figure of its own, and repeats no other point.
3. A part that fails is left out with its reason, and one that cannot be read is missing; neither costs the answer.
4. Records have both, and older records load without them.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from programs.asking.adapter import PassageFirstAdapter
from programs.record_parts import ShortAnswer
from programs.records import Record
from programs.rejection import Reason
from programs.stages.checkable import Checkable, build_checkable
from programs.text.short_answers import score
from signatures.answer import FinalAnswer, WriteAnswer
from tests.builders import Answers, good_output, one_variation, passage, question

ANSWER = (
    "The scatter of 9 percent grows towards fainter targets. Of 107 galaxies that makes 9.6, so about ten are lost. This "
    "is called selection bias (SB), and it lowers the amplitude by 12 km/s."
)
WRONG_CLAIMS = ["Brighter targets scatter more.", "All targets scatter alike."]


def check(text: str = ANSWER, thought: Sequence[str] = (), **said: Any) -> Checkable:
    answer = FinalAnswer.model_validate({"text": text, **said})
    return build_checkable(answer, question(), passage(), list(thought))


def short_answer(text: str = ANSWER, short: Any = None, **said: Any) -> Any:
    """The short answer, or else the reason of its rejection; None if there is neither."""
    found = check(text, short=short, **said)
    reasons = [rejection.reason for rejection in found.unchecked if rejection.detail.startswith("short answer")]
    assert not (reasons and found.short_answer)
    return found.short_answer or next(iter(reasons), None)


@pytest.mark.parametrize(
    ("answer", "unit", "value", "kept_unit"),
    [
        ("9", "percent", 9.0, "percent"),
        ("9%", "", 9.0, "%"),
        ("9", "% of the targets", 9.0, "%"),
        ("9", "% too faint", 9.0, "%"),
        ("9", "% per year", 9.0, "% per year"),
        ("107", "galaxies", 107.0, ""),
        ("9.6", "galaxies", 9.6, ""),
        ("107", "IQ galaxies", 107.0, ""),
        ("12", "bananas", None, Reason.UNIT),
        ("9", "galaxies per furlong", None, Reason.UNIT),
        ("12 km/s", "", None, Reason.UNSTATED),
        ("9 to 12", "percent", None, Reason.UNREADABLE),
        ("many", "", None, Reason.UNREADABLE),
        ("31", "", None, Reason.DISAGREES),
    ],
)
def test_a_number_is_kept_or_rejected(answer: str, unit: str, value: float | None, kept_unit: str | Reason) -> None:
    found = short_answer(short={"kind": "number", "answer": answer, "unit": unit})
    if value is None:
        assert found == kept_unit
    else:
        assert (found.value, found.unit) == (value, kept_unit)
        assert 0.01 <= found.tolerance <= 0.05


@pytest.mark.parametrize(
    ("answer", "rest", "tolerance"),
    [
        ("9.63", "others find 9.9 of them", 0.01),
        ("0.564", "that is one reason among others, 0 of them new", 0.01),
        ("1.713", "there are two of these", 0.01),
        ("12.3 kg", "it took 12 days and 12 lamps", 0.01),
        ("some 12 kg", "it is lost", 0.0417),
        ("ca. 12.3 kg (sic!)", "it is lost", 0.01),
    ],
)
def test_a_number_tolerates_half_a_step_of_its_last_digit(answer: str, rest: str, tolerance: float) -> None:
    said = f"Of 107 galaxies 9 percent make 107 × 0.09 = 9.63, or 3 × 0.188 = 0.564, 1.713 and {answer}: {rest}."
    thought = [f"3 × 0.571 = 1.713 and 3 × 4.1 kg = {answer}."]
    short = check(said, thought, short={"kind": "number", "answer": answer}).short_answer
    assert short is not None
    assert short.tolerance == tolerance


@pytest.mark.parametrize(("answer", "kept"), [("1,130", True), ("1,132", True), ("1,100", False), ("1,155", False)])
def test_a_number_may_be_a_rounding_of_what_the_thought_derives_if_the_tolerance_covers_it(
    answer: str, kept: bool
) -> None:
    thought = ["The lamps cost 1,440,000 in all and give 1,272 points. That makes 1,440,000 / 1,272 = 1,132 for each."]
    found = check(
        f"About {answer} for each point, all lamps counted.", thought, short={"kind": "number", "answer": answer}
    )
    assert (found.short_answer is not None) is kept


@pytest.mark.parametrize(
    ("answer", "others", "reason"),
    [
        ("Fainter targets scatter more.", WRONG_CLAIMS, None),
        ("Fainter targets scatter more.", [], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["Fainter targets scatter less.", "Brighter targets scatter more."], None),
        ("Fainter targets scatter more.", ["Fainter targets scatter less."], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["fainter targets scatter more"], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["Scatter more fainter targets!"], Reason.OPTIONS),
        ("Fainter targets scatter more.", ["Both.", "Neither."], Reason.OPTIONS),
        ("Faint ones.", ["Some people might think that only the brighter targets scatter more."], Reason.OPTIONS),
        (
            "Fainter targets scatter much more than others.",
            ["Fainter ones do.", "Fainter scatter less."],
            Reason.OPTIONS,
        ),
        ("Lamps were switched off.", ["The lamps were kept on.", "Lamps had no effect at all."], Reason.DISAGREES),
    ],
)
def test_a_choice_is_kept_or_rejected(answer: str, others: list[str], reason: Reason | None) -> None:
    found = short_answer(short={"kind": "choice", "answer": answer, "others": others})
    if reason:
        assert found == reason
        return
    assert [option for option in found.options if option == answer] == [found.text] == [answer]
    assert set(found.options) == {answer, *others}
    assert [score(f"\\boxed{{{letter}}}", dict(found)) for letter in "ABC"].count(1.0) == 1


@pytest.mark.parametrize(
    ("answer", "others", "expected"),
    [
        ("selection bias", ["SB", "Malmquist bias", "scatter"], ["SB"]),
        ("dispersion", [], Reason.DISAGREES),
        ("amplitude", [], Reason.IN_QUESTION),
        ("", [], Reason.UNREADABLE),
        ("a name that is far too long to be one", [], Reason.UNREADABLE),
    ],
)
def test_a_term_is_kept_or_rejected(answer: str, others: list[str], expected: list[str] | Reason) -> None:
    found = short_answer(short={"kind": "term", "answer": answer, "others": others})
    assert (found if isinstance(found, Reason) else found.aliases) == expected


def test_a_term_without_letters_is_a_number() -> None:
    assert short_answer(short={"kind": "term", "answer": "9.6"}) == short_answer(
        short={"kind": "number", "answer": "9.6"}
    )


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
def test_yes_or_no_is_kept_or_dropped(start: str, word: str | None, said: dict[str, str] | None, expected: Any) -> None:
    found = short_answer(start + ANSWER, said, yes_or_no=word)
    assert (found.text if isinstance(found, ShortAnswer) else found) == expected


def point(text: str, kind: str = "fact", sentence: int = 2, weight: int = 2) -> dict[str, Any]:
    return {"kind": kind, "text": text, "weight": weight, "sentence": sentence}


GOOD_POINTS = [
    point("gives the scatter of 9 percent"),
    point("says that it grows for faint ones", "step", 0, 1),
    point("calls 31 of them lost", "pitfall", 0, 3),
]


def test_a_rubric_point_has_its_sentence_if_it_names_one() -> None:
    points = check(rubric=GOOD_POINTS).rubric
    assert [each.weight for each in points] == [2, 1, -3]
    text = passage().sample.text
    assert [each.quote for each in points] == [text[points[0].start : points[0].end], None, None]
    assert [each.sentence for each in points] == [2, None, None]
    general = check(rubric=[*GOOD_POINTS, point("compares the two lamps, in half a sentence", sentence=0)])
    assert [each.sentence for each in general.rubric] == [2, None, None, None], "points of general knowledge are kept"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (point("gives the lamps", sentence=9), Reason.NO_SENTENCE),
        (point("The passage states that faint targets scatter"), Reason.REFERS_TO_SOURCE),
        (point("Gives the scatter of 9 percent."), Reason.SAME_POINT),
        (point("called selection bias", "pitfall", 0), Reason.DISAGREES),
    ],
)
def test_only_the_bad_point_is_left_out(bad: dict[str, Any], reason: Reason) -> None:
    found = check(rubric=[bad, *GOOD_POINTS] if reason != Reason.SAME_POINT else [*GOOD_POINTS, bad], yes_or_no="yes")
    assert len(found.rubric) == 3
    [dropped] = found.unchecked
    assert (dropped.reason, dropped.detail.partition('": ')[0].strip('"')) == (reason, f'{bad["kind"]} "{bad["text"]}')


@pytest.mark.parametrize(
    "unreadable",
    [
        {},
        {"short": "9 percent", "rubric": "none"},
        {"short": {"kind": ["number"], "answer": {"a": 1}}, "rubric": {"points": 3}},
        {"short": [1, 2], "rubric": [GOOD_POINTS[0], {**GOOD_POINTS[1], "weight": 99}]},
    ],
)
def test_unreadable_parts_do_not_cost_the_answer(unreadable: dict[str, Any]) -> None:
    reply = json.dumps({"answer": {"text": ANSWER, **unreadable}})
    final = PassageFirstAdapter().parse(WriteAnswer, reply)["answer"]
    assert final.text == ANSWER
    found = build_checkable(FinalAnswer.model_validate(final.model_dump(mode="json")), question(), passage(), [])
    assert (found.short_answer, found.rubric) == (None, [])
    assert found.unchecked


def test_records_have_both_and_bad_ones_do_not_cost_the_trace() -> None:
    def answer(ask: Any) -> Any:
        bad = {"kind": "number", "answer": "31", "unit": "bananas"}
        return {**good_output(ask), "short": bad, "rubric": [*good_output(ask)["rubric"], point("See Table 2.")]}

    answers = Answers(answer=answer)
    variation = one_variation(answers)
    assert (variation.status, answers.count("answer")) == ("accepted", 1)
    written = variation.record().compact_dump()
    assert written["short_answer"] is None
    assert sorted(written["rubric"][0])[:3] == ["end", "kind", "quote"]
    assert [rejection["reason"] for rejection in written["unchecked"]] == [
        Reason.UNIT.value,
        Reason.REFERS_TO_SOURCE.value,
    ]
    assert Record.model_validate(written).compact_dump() == written
    older = {name: value for name, value in written.items() if name not in ("short_answer", "rubric", "unchecked")}
    assert Record.model_validate(older).rubric == []
