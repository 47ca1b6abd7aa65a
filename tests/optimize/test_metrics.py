"""Metrics give a score in 0-1 with a reason, and no score if nothing can be measured."""

from typing import Any

import dspy
import pytest

from optimize.metrics import METRICS, parse_weights
from programs.errors import UserError
from programs.record_parts import Evidence, Generation, Grades, Notes, SourcePaper, Verdict
from programs.records import Record
from tests.exports import building

PASSAGE = "Dust reddens the light of 212 galaxies. The correction lowers the slope from 1.4 to 1.1."


def record(**given: Any) -> Record:
    question = "Why does correcting for dust lower the slope from 1.4 to 1.1?"
    answer = "Dust reddens the light, so the correction lowers the slope from 1.4 to 1.1."
    return building.record(**{"text": PASSAGE, "question": question, "answer": answer, **given})


def test_a_failed_judge_gives_no_score() -> None:
    failed_verdict = Verdict(judge="j", scored=False, reason="timeout")
    failed = record(verdicts=[failed_verdict])
    mixed = record(verdicts=[failed_verdict, Verdict(judge="k", scored=True, overall=10, reason="fine")])
    assert [METRICS["judge"].of(judged).value for judged in (failed, mixed)] == [None, 1.0]
    assert METRICS["grades"].of(failed).value is None
    no_grades = dict.fromkeys(Grades.model_fields, None)
    assert METRICS["grades"].of(record(answer_grades=Grades.model_validate(no_grades))).value is None


def evidence_from(sentence: int) -> Evidence:
    """Evidence from this sentence; only sentences up to 3 exist."""
    return Evidence(claim="c", verified=sentence < 4, sentence=sentence)


RUSSIAN = "Пыль окрашивает свет галактик, поправка снижает наклон.", "Поправка снижает: пыль окрашивает свет."
FRENCH = "HII regions and PAHs glow in étoiles.", "HII regions glow, PAHs too, étoiles."
CHINESE = "尘埃使星系的光变红，修正之后斜率从一点四降到一点一，这就是结果。"


@pytest.mark.parametrize(
    ("passage", "answer", "least", "most"),
    [
        (PASSAGE, "Dust reddens the light, so the correction lowers the slope from 1.4 to 1.1.", 0.9, 1.0),
        (PASSAGE, "Bananas ripen faster beside apples because of ethylene.", 0.0, 0.2),
        (PASSAGE, PASSAGE, 0.0, 0.1),  # copied
        (*RUSSIAN, 0.9, 1.0),
        (*FRENCH, 0.9, 1.0),
        (CHINESE, CHINESE.replace("，", ""), None, None),
    ],
)
def test_on_topic_needs_spaced_words(passage: str, answer: str, least: float | None, most: float | None) -> None:
    source = SourcePaper(title="T", domain="D", text=passage)
    value = METRICS["on_topic"].of(record(source_paper=source, final_answer=answer)).value
    assert value is None if least is None or most is None else least <= (value or 0) <= most


OWN = "I would first ask how much of the steepness is dust."
COPIED = "Dust reddens the light of distant galaxies, so that each one looks older than it is."
NOTES = Notes(analysis={}, hypotheses=[{"claim": COPIED}], critique={"strengths": []}, perspective={"need": OWN})


@pytest.mark.parametrize(
    ("passage", "notes", "thought", "least", "most"),
    [
        (PASSAGE, NOTES, OWN, 1.0, 1.0),  # the thought's writer does not see the perspective
        (PASSAGE, NOTES, f"{OWN} {COPIED}", 0.35, 0.45),
        (COPIED, Notes(analysis={}, hypotheses=[], critique={}, perspective={}), f"{OWN} {COPIED}", 0.35, 0.45),
        (PASSAGE, None, OWN, None, None),
    ],
)
def test_own_words_are_copied_neither_from_passage_nor_notes(
    passage: str, notes: Notes | None, thought: str, least: float | None, most: float | None
) -> None:
    value = METRICS["own_words"].of(record(text=passage, notes=notes, thought=thought)).value
    assert value is None if least is None or most is None else least <= (value or 0) <= most


def test_only_the_calls_of_a_written_trace_are_compared_with_its_stages() -> None:
    written = record(generation=Generation(model="m", calls=10))
    assert METRICS["first_try"].of(written).value == 0.8
    assert METRICS["first_try"].of(written.model_copy(update={"thought": "model"})).value is None
    assert METRICS["first_try"].of(record()).value is None


@pytest.mark.parametrize("text", ["nothing", "judge=x", "judge=0", "judge=-1", "judge=nan", "judge,,grades"])
def test_an_invalid_metric_is_a_user_error(text: str) -> None:
    with pytest.raises(UserError):
        parse_weights(text)


def test_a_metric_can_be_called_as_a_dspy_metric() -> None:
    """It gives the mean over the records, here of the share of evidence that is in the passage."""
    good, bad = record(evidence=[evidence_from(1)]), record(evidence=[evidence_from(1), evidence_from(9)])
    result = METRICS["grounding"](dspy.Example(), dspy.Prediction(records=[good, bad]))
    assert result.score == (1.0 + 0.5) / 2
    assert "no sentence 9" in result.feedback
    assert METRICS["grounding"](dspy.Example(), dspy.Prediction(records=[])).score == 0.0
    assert "no judge" in METRICS["judge"](dspy.Example(), dspy.Prediction(records=[good])).feedback
