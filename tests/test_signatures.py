"""Invariants of the signatures that optimizers and later changes rely on.

1. Each signature has one output, a pydantic model. Its inputs start with `passage`, then `question` and `asked_by` if there
   is a question, and end with `earlier` and `feedback`, which may be left out.
2. Each predictor of the program has its own signature class, and each signature class has a predictor.
3. A new grade or rating takes a line in its sheet and one in the record's type, which must agree (tests/test_one_place.py
   adds one of each). If the second is forgotten, the failing test says where it goes.
4. Every field and every signature has its own description, so that programs/ has no prompt text.
"""

from typing import Any, get_args

import pytest

from programs.record_parts import FLOORS, GRADES, Verdict
from programs.stages.grade import RubricStage
from programs.stages.solve import CompareStage, SolveStage
from programs.stages.steps import StepStage
from programs.stages.thought import OwnStage
from signatures.grade import GradeSheet
from signatures.judge import VerdictSheet
from signatures.prompt import EARLIER, RETRY_INPUTS
from tests.all_signatures import SIGNATURE_NAMES, SIGNATURES, WITHOUT_PASSAGE
from tests.builders import tracer
from tests.standin.panel import RATINGS


@pytest.mark.parametrize("signature", SIGNATURES, ids=SIGNATURE_NAMES)
def test_shared_inputs_come_first_and_those_of_a_reask_last(signature: Any) -> None:
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
    assert len({id(cls) for cls in classes}) == len(classes)
    assert {cls.__name__ for cls in classes} == {*SIGNATURE_NAMES, "AnswerAsAsked"}


def test_the_record_has_the_grades_and_ratings_of_the_sheets() -> None:
    """Without its field, a new rating of the judges would be in the record without a type."""
    assert {*GradeSheet.model_fields} - {"reason"} == {*GRADES}
    missing = set(VerdictSheet.model_fields) - set(Verdict.model_fields)
    assert not missing, f"give programs.record_parts.Verdict the fields {sorted(missing)}, which VerdictSheet has"
    ratings = {name for name, field in VerdictSheet.model_fields.items() if field.annotation is int}
    assert set(RATINGS) == ratings, (
        "the ratings of VerdictSheet must be the `Rated` fields of programs.record_parts.Verdict"
    )
    assert set(FLOORS) < ratings
