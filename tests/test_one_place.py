"""A newcomer's change has one place, two where a record must hold it: one of each of twelve kinds is added to a copy of the
file that CONTRIBUTING.md names, and the real commands are seen to use it. None of them breaks an older document: what
that does not have is None.
"""

import json
import os
from typing import Any

import pytest

from tests.adding import copied
from tests.lab import ROOT, python

QUESTION_TYPE = '    "history": _type("beginner", "how something came to be known"),'
GRADE = '    brevity: Percent = Field(description="says no more than it must")'
RATING = '    daring: Rating = Field(description="does it dare to guess")'
RATED = "    daring: Rated = None"
FORMAT = """PLAIN = Format(
    name="plain",
    about="an answer and nothing else",
    columns=lambda _: {"text": "string"},
    rows=lambda traces, view: iter([{"text": traces[0].record.final_answer}]),
)
"""
METRIC = """@metric()
def brief(record: Record) -> Score:
    return Score(0.75, f"brief enough: {len(record.final_answer)}")

"""
OPTIMIZER = """@optimizer
def at_once(job: Job) -> "dspy.Module":
    made = job.student.deepcopy()
    for _, predictor in made.named_predictors():
        predictor.signature = predictor.signature.with_instructions("Done at once.")
    return made

"""
NOTES = '    ".notes": FileFormat("text:read_text"),'
OPTION = '    least_words: int = Field(0, ge=0, description="words that an answer must have")'
CHART = '    Chart("Chart of mine", "As counted.", "what", lambda record: [("one", "number")]),'

ADDED = {
    "signatures/question_type.py": {'    "mechanism": ': QUESTION_TYPE},
    "signatures/grade.py": {"    completeness:": GRADE},
    "signatures/judge.py": {"    coherence:": RATING},
    "programs/records.py": {"    completeness:": "    brevity: float | None = None", "    coherence:": RATED},
    "programs/exports/table.py": {"TABLE = Format(": FORMAT},
    "programs/inputs/formats/__init__.py": {'    **dict.fromkeys((".txt"': NOTES},
    "programs/inputs/headings.py": {"    REFERENCES: r": '    "not for print": "not for print",'},
    "programs/reports/charts.py": {'    Chart("Question types': CHART},
    "programs/lms/resolve.py": {'    "openai":': '    "mine": openai_compatible,'},
    "programs/lms/argo.py": {'    (r"claude", ': '    (r"odd", BodyRules().without("temperature", *FORMATS)),'},
    "programs/option_groups.py": {"    max_attempts:": OPTION},
    "optimize/metrics.py": {"def parse_weights": METRIC},
    "optimize/optimizers.py": {"@optimizer\ndef bootstrap": OPTIMIZER},
}


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the commands did (`tests.adding.everything`)."""
    folder = tmp_path_factory.mktemp("added")
    copied(folder, ADDED)
    # The copy comes first; the tests themselves are in the checkout alone.
    path = os.pathsep.join(map(str, (folder, ROOT)))
    return json.loads(python("-m", "tests.adding", str(folder), cwd=folder, env={"PYTHONPATH": path}))


def test_a_question_type(added: Any) -> None:
    assert "how something came to be known" in added["asked"]
    assert len(added["records"]) == 8, "the settings' bound follows"
    assert "history" in {record["user_interaction"]["question_type"] for record in added["records"]}


def test_a_grade_and_a_rating(added: Any) -> None:
    assert "says no more than it must" in added["asked"]
    assert "does it dare to guess" in added["asked"]
    for record in added["records"]:
        assert 0 <= record["answer_grades"]["brevity"] <= 1
        assert record["answer_grades"]["overall_score"] is not None
        assert 1 <= record["verdicts"][0]["daring"] <= 10
    assert "brevity" in added["grpo"]
    assert "brevity" in added["page"]


def test_an_older_document_has_none_of_them(added: Any) -> None:
    graded = [record["answer_grades"] for record in added["old"] if record["answer_grades"]]
    assert len(added["old"]) == 4
    assert graded
    assert all(grades["brevity"] is None and grades["completeness"] is not None for grades in graded)
    assert all(verdict["daring"] is None for record in added["old"] for verdict in record["verdicts"])


def test_an_input_format_and_a_rule_of_the_prefilter(added: Any) -> None:
    texts = {record["source_paper"]["text"] for record in added["records"]}
    assert texts
    assert not any("nobody is to see" in text for text in texts)
    assert "not for print" in added["generated"]


def test_a_kind_of_server_and_a_quirk_of_argo(added: Any) -> None:
    assert {record["generation"]["model"] for record in added["records"]} == {"odd1"}
    assert {record["verdicts"][0]["judge"] for record in added["records"]} == {"mine/any"}
    assert added["sent"] == {"any": True, "odd1": False}, "whether a temperature is sent"


def test_an_option(added: Any) -> None:
    assert "--least-words" in added["help"]
    assert "words that an answer must have" in added["reference"]
    assert "--least-words" in added["completion"]
    assert added["settings"]["least_words"] == 5


def test_an_export_format_and_a_chart(added: Any) -> None:
    assert {row["text"] for row in added["rows"]} == {record["final_answer"] for record in added["records"]}
    assert "an answer and nothing else" in added["card"]
    assert "<h2>Chart of mine</h2>" in added["page"]


def test_a_metric_and_an_optimizer(added: Any) -> None:
    report, tried = added["compiled"]
    assert "brief" in report
    assert "at-once" in report
    assert "Done at once." in tried
