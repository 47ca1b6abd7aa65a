"""A newcomer's change has one place, two where a record must hold it: each is made in memory and seen to work to the end.

1. A question type is a line of signatures/question_type.py: it is asked for, taken, and bounds the settings.
2. A grade is a line of signatures/grade.py and one of the record, a judge rating a line of signatures/judge.py and one of
   the record: both are asked for, recorded and exported.
3. None of these breaks an older document: what it does not have is None.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OLD = Path(__file__).parent / "old" / "document.json"

ADDED = {
    "signatures.question_type": {
        "    MECHANISM =": '    HISTORY = "history", "beginner", "how something came to be known"',
    },
    "signatures.grade": {"    completeness:": '    brevity: Percent = Field(description="says no more than it must")'},
    "signatures.judge": {"    coherence:": '    daring: Rating = Field(description="does it dare to guess")'},
    "programs.records": {
        "    completeness:": "    brevity: float | None = None",
        "    coherence:": "    daring: Rated = None",
    },
}

CHILD = f"""
import json
from pathlib import Path
from tests.adding import install
install({ADDED!r})
from programs.document import read_records
from programs.exports.reinforcement import GRPO
from programs.exports.view import View
from programs.settings import Settings
from tests.making import Answers, made_of
answers = Answers()
made = made_of(answers, traces=8, grade_answers=True, quality_check=True, judge_models=["a"])
records = [json.loads(unit.record().model_dump_json()) for unit in made.variations]
old = [json.loads(record.model_dump_json()) for record in read_records(Path({str(OLD)!r}))]
asked = {{ask.stage: json.dumps(ask.predict.signature.output_fields[ask.output].annotation.model_json_schema())
         for ask in answers.asked}}
print(json.dumps([records, old, asked, list(GRPO.columns(View())), Settings(traces_per_sample=8).traces_per_sample]))
"""


@pytest.fixture(scope="module")
def child() -> Any:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_1_a_question_type(child: Any) -> None:
    records, _, asked, _, most = child
    assert "how something came to be known" in asked["questions"]
    assert len(records) == most == 8
    assert "history" in {record["user_interaction"]["question_type"] for record in records}


def test_2_a_grade_and_a_rating(child: Any) -> None:
    records, _, asked, columns, _ = child
    assert "says no more than it must" in asked["grade"]
    assert "does it dare to guess" in asked["judge"]
    assert "brevity" in columns
    for record in records:
        assert 0 <= record["answer_grades"]["brevity"] <= 1
        assert record["answer_grades"]["overall_score"] is not None
        assert 1 <= record["verdicts"][0]["daring"] <= 10


def test_3_an_older_document_has_none_of_them(child: Any) -> None:
    _, old, *_ = child
    graded = [record["answer_grades"] for record in old if record["answer_grades"]]
    assert len(old) == 4
    assert graded
    assert all(grades["brevity"] is None and grades["completeness"] is not None for grades in graded)
    assert all(verdict["daring"] is None for record in old for verdict in record["verdicts"])
