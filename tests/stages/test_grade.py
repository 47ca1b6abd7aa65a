"""Invariants of stage 6: grades of the answer.

1. A grade is the percentage as a share; the overall score is the mean of the six.
2. A grade that cannot be read is null, and so is the overall score: there is no default grade. The other grades are kept.
3. Unreadable grades are asked for again, by name.
4. If there is no usable reply, every grade is null and the reason is kept.
5. The grader is told what the writer of the answer had at hand.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.record_parts import GRADES
from programs.stages.grade import grades_of
from signatures.grade import GradeSheet
from signatures.vocabulary import THINKING
from tests.builders import draft, passage, question, reply_to, tracer

ASK = tracer().grader.ask(passage(), question(), draft(), ("s", "mechanism", "0.0"), "g", "closed")
SHEET: dict[str, Any] = {"reason": "Says little about the lamps.", **dict.fromkeys(GRADES, 80)}


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_grades_are_shares_and_the_overall_score_is_their_mean(percent: list[int]) -> None:
    said = {**SHEET, **dict(zip(GRADES, percent, strict=True))}
    grades = grades_of(reply_to(ASK, said))
    values = [getattr(grades, name) for name in GRADES]
    assert values == [value / 100 for value in percent]
    assert grades.overall_score == pytest.approx(sum(values) / 6, abs=1e-4)
    assert 0 <= (grades.overall_score or 0) <= 1
    assert grades.reason == SHEET["reason"]


@pytest.mark.parametrize("said", [None, 101, -1, 85.5, "high", True, [80], {"score": 80}])
@pytest.mark.parametrize("name", GRADES)
def test_an_unreadable_grade_is_null_and_so_is_the_overall_score(name: str, said: Any) -> None:
    sheet = GradeSheet.model_validate({**SHEET, name: said})
    reply = reply_to(ASK, sheet.model_dump(mode="json"))
    assert reply.status == "unusable"
    assert reply.problems == [f"{name} must be a whole number from 0 to 100"]
    grades = grades_of(reply)
    assert getattr(grades, name) is None
    assert grades.overall_score is None
    assert [getattr(grades, other) for other in GRADES if other != name] == [0.8] * 5


def test_the_grader_is_told_what_the_writer_had_at_hand() -> None:
    arguments = (passage(), question(), draft(), ("s", "mechanism", "0.0"), "g")
    asks = {setting: tracer().grader.ask(*arguments, setting) for setting in THINKING}
    assert {setting: ask.inputs["given"] for setting, ask in asks.items()} == THINKING
    assert set(ASK.inputs) == set(ASK.predict.signature.input_fields) - {"earlier", "feedback"}
