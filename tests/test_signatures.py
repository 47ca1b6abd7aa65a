"""Invariants of the signatures, by which optimizers and a newcomer's changes work.

1. Each signature has one output, a pydantic model. `passage` comes first, `question` and `asked_by` next where there
   is a question; `earlier` and `feedback` come last and may be left out.
2. No two predictors of the program share a signature class, and every signature is asked by one.
3. A new dimension of the grades or of the judges is a line in its sheet and one in the record's type, which say the same
   (tests/test_one_place.py adds one); whoever forgets the second is told where it goes.
4. No prompt text stands in programs/: every field and signature has a description of its own.
"""

from typing import Any, get_args

import pytest

from programs.records import FLOORS, GRADES, Verdict
from programs.stages.grade import RubricStage
from programs.stages.solve import CompareStage, SolveStage
from programs.stages.steps import StepStage
from programs.stages.thought import OwnStage
from signatures.grade import GradeSheet
from signatures.judge import VerdictSheet
from signatures.prompt import EARLIER, RETRY_INPUTS
from tests.making import tracer
from tests.signed import NAMES, SIGNATURES, WITHOUT_PASSAGE
from tests.standin.panel import RATINGS


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_what_calls_share_is_first_and_what_a_retry_is_given_last(signature: Any) -> None:
    names = list(signature.input_fields)
    shared = ["passage", "question", "asked_by"] if "question" in names else ["passage"]
    if signature.__name__ in WITHOUT_PASSAGE:
        shared.remove("passage")
        assert "passage" not in names
    assert names[: len(shared)] == shared
    assert tuple(names[-2:]) == RETRY_INPUTS
    for name in RETRY_INPUTS:
        assert type(None) in get_args(signature.input_fields[name].annotation), "it may be left out"
    assert signature.input_fields["earlier"].json_schema_extra["desc"] == EARLIER
    assert not [name for name, info in signature.fields.items() if info.json_schema_extra["desc"].startswith("${")]


def test_no_two_predictors_share_a_signature_class() -> None:
    programs = (tracer(), SolveStage(), CompareStage(), StepStage(), OwnStage(), RubricStage())
    classes = [predictor.signature for program in programs for predictor in program.predictors()]
    assert len({id(each) for each in classes}) == len(classes)
    assert {each.__name__ for each in classes} == {*NAMES, "AnswerAsAsked"}


def test_grades_and_ratings_of_the_record_are_those_of_the_sheets() -> None:
    """Without the field, what the judges say of a dimension would be in the record without a type."""
    assert {*GradeSheet.model_fields} - {"reason"} == {*GRADES}
    missing = set(VerdictSheet.model_fields) - set(Verdict.model_fields)
    assert not missing, f"give programs.records.Verdict the fields {sorted(missing)}, which VerdictSheet has"
    asked = {name for name, field in VerdictSheet.model_fields.items() if field.annotation is int}
    assert set(RATINGS) == asked, "a rating of VerdictSheet is a `Rated` of programs.records.Verdict, and no other is"
    assert set(FLOORS) < asked
