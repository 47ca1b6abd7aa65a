"""An addition that CONTRIBUTING.md lists is made in one place, or two if records have it: the tests make one of each of
twelve kinds in a copy of the project, and the real commands use it. Older documents load, with None for new fields."""

import json
import os
from typing import Any

import pytest

from tests.additions import copy_project
from tests.lab import ROOT, run_python

QUESTION_TYPE = '    "history": QuestionType(usual_level="beginner", asks="how something came to be known"),'
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
    "programs/record_parts.py": {"    completeness:": "    brevity: float | None = None", "    coherence:": RATED},
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
    """The results of the commands (`tests.additions.run_everything`)."""
    folder = tmp_path_factory.mktemp("added")
    copy_project(folder, ADDED)
    # The copy comes first; the tests are only in the checkout.
    path = os.pathsep.join(map(str, (folder, ROOT)))
    return json.loads(run_python("-m", "tests.additions", str(folder), cwd=folder, env={"PYTHONPATH": path}))


def test_a_new_question_type_is_asked_for(added: Any) -> None:
    assert "how something came to be known" in added["asked"]
    assert len(added["records"]) == 8, "the largest number of traces follows"
    assert "history" in {record["user_interaction"]["question_type"] for record in added["records"]}


def test_a_new_grade_and_rating_reach_records_exports_and_report(added: Any) -> None:
    assert "says no more than it must" in added["asked"]
    assert "does it dare to guess" in added["asked"]
    for record in added["records"]:
        assert 0 <= record["answer_grades"]["brevity"] <= 1
        assert record["answer_grades"]["overall_score"] is not None
        assert 1 <= record["verdicts"][0]["daring"] <= 10
    assert "brevity" in added["grpo"]
    assert "brevity" in added["page"]


def test_an_older_document_loads_without_them(added: Any) -> None:
    graded = [record["answer_grades"] for record in added["old"] if record["answer_grades"]]
    assert len(added["old"]) == 4
    assert graded
    assert all(grades["brevity"] is None and grades["completeness"] is not None for grades in graded)
    assert all(verdict["daring"] is None for record in added["old"] for verdict in record["verdicts"])


def test_a_new_input_format_is_read_and_a_new_rule_of_the_prefilter_applies(added: Any) -> None:
    texts = {record["source_paper"]["text"] for record in added["records"]}
    assert texts
    assert not any("nobody is to see" in text for text in texts)
    assert "not for print" in added["generated"]


def test_a_new_kind_of_server_and_a_new_quirk_of_argo_are_used(added: Any) -> None:
    assert {record["generation"]["model"] for record in added["records"]} == {"odd1"}
    assert {record["verdicts"][0]["judge"] for record in added["records"]} == {"mine/any"}
    assert added["sent"] == {"any": True, "odd1": False}, "whether a temperature is sent"


def test_a_new_option_is_in_help_reference_completion_and_settings(added: Any) -> None:
    assert "--least-words" in added["help"]
    assert "words that an answer must have" in added["reference"]
    assert "--least-words" in added["completion"]
    assert added["settings"]["least_words"] == 5


def test_a_new_export_format_and_a_new_chart_are_used(added: Any) -> None:
    assert {row["text"] for row in added["rows"]} == {record["final_answer"] for record in added["records"]}
    assert "an answer and nothing else" in added["card"]
    assert "<h2>Chart of mine</h2>" in added["page"]


def test_a_new_metric_and_a_new_optimizer_are_used(added: Any) -> None:
    report, tried = added["compiled"]
    assert "brief" in report
    assert "at-once" in report
    assert "Done at once." in tried
