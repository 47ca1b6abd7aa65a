"""The data that judges are tuned on, and how their verdicts are measured (`optimize.judging`).

1. Labelled answers are read in every supported form; of several labels for an answer, the last one counts. An invalid
   record is an error with its file and line.
2. No question is on two sides, and the test side has all answers to its questions. On each side, right and wrong answers
   alternate, in equal numbers. The same answers and seed give the same sides, whatever the order of the answers.
3. Feedback tells the optimizer in which direction a verdict was wrong, and what the judge said.
4. Each verdict comes from the judge that is named.
"""

import json
from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimize.judging import PREDICTOR, JudgeStudent, LabelledAnswer, agreement, read_labels, split_answers
from optimize.recording import Recorder, recorded
from optimize.settings import CompileSettings
from optimize.texts import Splits
from programs.asking.caller import ReaskRules
from programs.errors import UserError
from programs.inputs.papers import question_key
from programs.lms.resolve import resolve
from programs.record_parts import Verdict
from programs.tracer import Tracer
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

VALID: dict[str, Any] = {
    "question": "Why does dust redden light?",
    "reference": "It scatters blue light more.",
    "answer": "Because blue light is scattered more strongly.",
    "human": {"correct": 1},
}


def write_labels(folder: Path, *records: Any, name: str = "labels.jsonl") -> str:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize(
    ("human", "label", "right"),
    [
        ({"correct": 1}, True, True),
        (0.0, False, False),
        (True, True, True),
        ({"overall": 7}, 7, True),
        ({"overall": 1}, 1, False),
        ({"correct": 0, "overall": 9, "note": "fine"}, False, False),
    ],
)
def test_1_labels_are_read_in_every_form(tmp_path: Path, human: Any, label: bool | int, right: bool) -> None:
    [answer], _ = read_labels([write_labels(tmp_path, {**VALID, "human": human})])
    assert answer.human is label
    assert answer.is_right(6) is right
    assert (answer.question, answer.answer) == (VALID["question"], VALID["answer"])


def test_1_a_reference_or_a_key_passage_is_enough(tmp_path: Path) -> None:
    dust = "Dust scatters blue light."
    key = {**VALID, "reference": " ", "key_passage": dust}
    answers, _ = read_labels([write_labels(tmp_path, VALID, key, {**key, "reference": "Both."})])
    reference_texts = [(answer.reference, answer.key_passage) for answer in answers]
    assert reference_texts == [(VALID["reference"], None), (None, dust), ("Both.", dust)]
    assert len({answer.id for answer in answers}) == 3


def test_1_the_last_label_in_all_files_counts(tmp_path: Path) -> None:
    """For example, two people labelled it. Records without a label are left out, and counted."""
    rated = [{**VALID, "human": {"overall": overall}} for overall in (8, 3)]
    other, unlabelled = {**VALID, "answer": "Another.", "human": 0}, {**VALID, "human": None}
    paths = [write_labels(tmp_path, rated[0], other, name="a"), write_labels(tmp_path, unlabelled, rated[1], name="b")]
    answers, left_out = read_labels(paths)
    assert [(answer.answer, answer.human) for answer in answers] == [(VALID["answer"], 3), ("Another.", False)]
    assert left_out == 2


INVALID_LABELS: tuple[Any, ...] = (7, {}, {"correct": 2}, {"overall": 7.5}, {"overall": 11}, {"overall": True})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("not json", "not JSON"),
        ({**VALID, "question": None}, "question"),
        ({**VALID, "answer": " "}, "answer"),
        ({**VALID, "answer": ["x"]}, "answer"),
        ({**VALID, "reference": None}, "neither a reference nor a key_passage"),
        *(({**VALID, "human": human}, "human .*must be 0, 1, ") for human in INVALID_LABELS),
    ],
)
def test_1_an_invalid_record_is_an_error_with_its_line(tmp_path: Path, record: Any, reason: str) -> None:
    with pytest.raises(UserError, match=rf"labels\.jsonl:2: .*{reason}"):
        read_labels([write_labels(tmp_path, VALID, record)])


def test_1_files_without_any_label_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of 1 records"):
        read_labels([write_labels(tmp_path, {**VALID, "human": None})])


def make_answer(question: int, number: int, right: bool = True) -> LabelledAnswer:
    texts = {"question": f"What makes sample {question} drift?", "answer": f"Answer {number} to it."}
    return LabelledAnswer.model_validate({**texts, "reference": "The lamp.", "human": right})


def split(answers: list[LabelledAnswer], **sizes: Any) -> Splits[LabelledAnswer]:
    return split_answers(answers, CompileSettings(model="openai/any", **sizes))


LABELS = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=4, max_size=20)
SIZES = st.none() | st.integers(1, 30)


@given(LABELS, SIZES, SIZES, st.none() | st.integers(2, 10), st.integers(0, 99), st.data())
def test_2_sides_share_no_question_and_alternate_right_and_wrong(
    labels: list[list[bool]], train: int | None, val: int | None, test: int | None, seed: int, data: st.DataObject
) -> None:
    options: dict[str, Any] = {"num_train": train, "num_val": val, "num_test": test, "seed": seed}
    answers = [make_answer(q, number, right) for q, row in enumerate(labels) for number, right in enumerate(row)]
    try:
        sides = split(answers, **options)
    except UserError:  # too few answers, or all with the same label
        return
    questions = [{question_key(a.question) for a in side} for side in sides.values()]
    assert sum(map(len, questions)) == len(set().union(*questions))
    assert len(questions[2]) == (test or max(2, len(labels) // 2))
    assert {a.id for a in sides["test"]} == {a.id for a in answers if question_key(a.question) in questions[2]}
    for name, side in sides.items():
        right = sum(a.is_right(6) for a in side)
        assert [a.is_right(6) for a in side] == [True, False] * right
        assert len({a.is_right(6) for a in side if side.count(a) > 1}) <= 1
        assert name == "test" or 0 < len(side) <= max(2, options[f"num_{name}"] or 24)
    assert split(data.draw(st.permutations(answers)), **options) == sides


def verdict_of(overall: int | None) -> Verdict:
    if overall is None:
        return Verdict(judge="a", scored=False, reason="the reply could not be read")
    return Verdict(judge="a", scored=True, overall=overall, fault="It is what it is.", best_point="It is short.")


@pytest.mark.parametrize(
    ("overall", "right", "score", "leniency", "feedback"),
    [
        (6, True, 1.0, 0.0, "The judge said 6 of 10 (right); people said right."),
        (5, False, 1.0, 0.0, "The judge said 5 of 10 (wrong); people said wrong."),
        (5, True, 0.0, -1.0, "(wrong); people said right. The judge said: Fault: It is what it is. Best: It is short."),
        (10, False, 0.0, 1.0, "(right); people said wrong. The judge said: Fault"),
        (None, True, None, None, "The judge gave no verdict"),
    ],
)
def test_3_a_verdict_is_scored_and_explained(
    overall: int | None, right: bool, score: float | None, leniency: float | None, feedback: str
) -> None:
    measured = agreement(verdict_of(overall), right, 6)
    metrics = [*measured.metrics.values()]
    assert [measured.score.value, *(m.value for m in metrics)] == ([score, score, leniency] if metrics else [None])
    assert (measured.stages["a"] is None) is (overall is not None)
    assert feedback in " ".join(measured.feedback[PREDICTOR])


INPUTS = {**make_answer(1, 2).inputs, "name": "x", "right": True}


def test_4_each_judge_gives_its_own_verdicts(tmp_path: Path) -> None:
    with StandIn(Scientist()) as server:
        recorder = Recorder(tmp_path)
        models = [resolve(name, api_base=server.openai_base, env={}) for name in ("openai/a", "openai/b")]
        judges = {model.name: recorded(model, recorder, "judge") for model in models}
        with dspy.context(lm=judges["openai/a"].lm):
            student = JudgeStudent(Tracer().judge, judges, recorder, ReaskRules(), 6)
            assert [name for name, _ in student.named_predictors()] == [PREDICTOR]
            assert PREDICTOR in dict(Tracer().named_predictors())
            given = [student(**INPUTS, judge=name).measured for name in ("openai/a", "openai/b", "openai/a")]
        for model in models:
            model.close()
        recorder.journal.close()
        assert not server.brain_errors
    assert [[*measured.stages] for measured in given] == [["openai/a"], ["openai/b"], ["openai/a"]]
    assert given[0] == given[2]
    sent = [(body["model"], body["temperature"]) for body in server.bodies]
    assert sent == [("a", 0.0), ("b", 0.0)]
    prompt = server.bodies[0]["messages"][1]["content"]
    assert "[[ ## answer ## ]]\nAnswer 2 to it." in prompt
    assert "Reference answer (the passage itself is not at hand)" in prompt
    assert "a reader (level not known)" in prompt
    assert not any(words in prompt for words in ("## thought ##", "None"))
