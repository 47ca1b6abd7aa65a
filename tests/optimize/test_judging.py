"""What judges are tuned on and measured by (`optimize.judging`).

1. Labelled answers are read in every form that they come in, of several labels of one answer the last; what is none is
   refused with its file and line.
2. No question is on two sides, and the test side has all answers to its questions. Each side holds as many right as wrong
   answers, in turn. The same answers and seed give the same sides, in whatever order the answers come.
3. An optimizer is told in which direction a verdict erred, and what the judge said.
4. Each judge is asked for itself; an optimizer can ask for other verdicts of the same judge.
"""

import json
from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimize.compilation import Models
from optimize.judging import PREDICTOR, JudgeStudent, Labelled, agreement, read_labels, split_answers
from optimize.recording import Recorder, recorded
from optimize.settings import CompileSettings
from optimize.texts import Splits
from programs.asking.caller import ReaskRules
from programs.errors import UserError
from programs.inputs.papers import question_key
from programs.lms.resolve import resolve
from programs.records import Verdict
from programs.tracer import Tracer
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

GOOD: dict[str, Any] = {
    "question": "Why does dust redden light?",
    "reference": "It scatters blue light more.",
    "answer": "Because blue light is scattered more strongly.",
    "human": {"correct": 1},
}


def written(folder: Path, *records: Any, name: str = "labels.jsonl") -> str:
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
def test_1_labels_in_every_form(tmp_path: Path, human: Any, label: bool | int, right: bool) -> None:
    [found], _ = read_labels([written(tmp_path, {**GOOD, "human": human})])
    assert found.human is label
    assert found.is_right(6) is right
    assert (found.question, found.answer) == (GOOD["question"], GOOD["answer"])


def test_1_a_reference_or_a_key_passage_is_enough(tmp_path: Path) -> None:
    dust = "Dust scatters blue light."
    key = {**GOOD, "reference": " ", "key_passage": dust}
    found, _ = read_labels([written(tmp_path, GOOD, key, {**key, "reference": "Both."})])
    known = [(answer.reference, answer.key_passage) for answer in found]
    assert known == [(GOOD["reference"], None), (None, dust), ("Both.", dust)]
    assert len({answer.id for answer in found}) == 3


def test_1_the_last_label_counts_over_all_files(tmp_path: Path) -> None:
    """Two people, or one on two days: what was said last stands, and what is left out is counted."""
    rated = [{**GOOD, "human": {"overall": overall}} for overall in (8, 3)]
    other, unlabelled = {**GOOD, "answer": "Another.", "human": 0}, {**GOOD, "human": None}
    paths = [written(tmp_path, rated[0], other, name="a"), written(tmp_path, unlabelled, rated[1], name="b")]
    found, left_out = read_labels(paths)
    assert [(answer.answer, answer.human) for answer in found] == [(GOOD["answer"], 3), ("Another.", False)]
    assert left_out == 2


NO_LABELS: tuple[Any, ...] = (7, {}, {"correct": 2}, {"overall": 7.5}, {"overall": 11}, {"overall": True})


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("not json", "not JSON"),
        ({**GOOD, "question": None}, "question"),
        ({**GOOD, "answer": " "}, "answer"),
        ({**GOOD, "answer": ["x"]}, "answer"),
        ({**GOOD, "reference": None}, "neither a reference nor a key_passage"),
        *(({**GOOD, "human": human}, "human .*must be 0, 1, ") for human in NO_LABELS),
    ],
)
def test_1_what_is_no_labelled_answer_is_refused_with_its_line(tmp_path: Path, record: Any, why: str) -> None:
    with pytest.raises(UserError, match=rf"labels\.jsonl:2: .*{why}"):
        read_labels([written(tmp_path, GOOD, record)])


def test_1_files_without_a_label_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of 1 records"):
        read_labels([written(tmp_path, {**GOOD, "human": None})])


def answer(question: int, number: int, right: bool = True) -> Labelled:
    texts = {"question": f"What makes sample {question} drift?", "answer": f"Answer {number} to it."}
    return Labelled.model_validate({**texts, "reference": "The lamp.", "human": right})


def sides_of(answers: list[Labelled], **numbers: Any) -> Splits[Labelled]:
    return split_answers(answers, CompileSettings(model="openai/any", **numbers))


kinds = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=4, max_size=20)
numbers = st.none() | st.integers(1, 30)


@given(kinds, numbers, numbers, st.none() | st.integers(2, 10), st.integers(0, 99), st.data())
def test_2_the_sides(
    kinds: list[list[bool]], train: int | None, val: int | None, test: int | None, seed: int, data: st.DataObject
) -> None:
    given: dict[str, Any] = {"num_train": train, "num_val": val, "num_test": test, "seed": seed}
    answers = [answer(q, number, right) for q, one in enumerate(kinds) for number, right in enumerate(one)]
    try:
        sides = sides_of(answers, **given)
    except UserError:  # too little, or all of one kind
        return
    asked = [{question_key(one.question) for one in side} for side in sides.values()]
    assert sum(map(len, asked)) == len(set().union(*asked))
    assert len(asked[2]) == (test or max(2, len(kinds) // 2))
    assert {one.id for one in sides["test"]} == {one.id for one in answers if question_key(one.question) in asked[2]}
    for name, side in sides.items():
        right = sum(one.is_right(6) for one in side)
        assert [one.is_right(6) for one in side] == [True, False] * right
        assert len({one.is_right(6) for one in side if side.count(one) > 1}) <= 1
        assert name == "test" or 0 < len(side) <= max(2, given[f"num_{name}"] or 24)
    assert sides_of(data.draw(st.permutations(answers)), **given) == sides


def verdict(overall: int | None) -> Verdict:
    if overall is None:
        return Verdict(judge="a", scored=False, reason="the reply could not be read")
    return Verdict(judge="a", scored=True, overall=overall, fault="It is what it is.", best_point="It is short.")


@pytest.mark.parametrize(
    ("overall", "right", "score", "lenient", "words"),
    [
        (6, True, 1.0, 0.0, "The judge said 6 of 10 (right); people said right."),
        (5, False, 1.0, 0.0, "The judge said 5 of 10 (wrong); people said wrong."),
        (5, True, 0.0, -1.0, "(wrong); people said right. The judge said: Fault: It is what it is. Best: It is short."),
        (10, False, 0.0, 1.0, "(right); people said wrong. The judge said: Fault"),
        (None, True, None, None, "The judge gave no verdict"),
    ],
)
def test_3_the_agreement_of_one_verdict(
    overall: int | None, right: bool, score: float | None, lenient: float | None, words: str
) -> None:
    measured = agreement(dspy.Example(right=right), dspy.Prediction(verdict=verdict(overall)), 6)
    known = [*measured.metrics.values()]
    assert [measured.score.value, *(one.value for one in known)] == ([score, score, lenient] if known else [None])
    assert (measured.stages["a"] is None) is (overall is not None)
    assert words in " ".join(measured.feedback[PREDICTOR])


GIVEN = {**answer(1, 2).inputs, "name": "x"}


def test_4_each_judge_is_asked_for_itself_and_for_other_verdicts(tmp_path: Path) -> None:
    with StandIn(Scientist()) as server:
        recorder = Recorder(tmp_path)
        models = [resolve(name, api_base=server.openai_base, env={}) for name in ("openai/a", "openai/b")]
        judges = {model.name: recorded(model, recorder, "judge") for model in models}
        with dspy.context(lm=judges["openai/a"].lm):
            one = judges["openai/a"]
            student = JudgeStudent(Tracer().judge, Models(one, judges, {}, one, recorder), ReaskRules())
            assert [name for name, _ in student.named_predictors()] == [PREDICTOR]
            assert PREDICTOR in dict(Tracer().named_predictors())
            verdicts = [student(**GIVEN, judge=name).verdict for name in ("openai/a", "openai/b", "openai/a")]
            copy = student.deepcopy()
            for rollout in (1, 2, 1):
                copy.set_lm(dspy.settings.lm.copy(rollout_id=rollout, temperature=1.0))
                copy(**GIVEN, judge="openai/b")
            assert student.judge.predict.lm is None
        for model in models:
            model.close()
        recorder.journal.close()
        assert not server.surprises
    assert [one.judge for one in verdicts] == ["openai/a", "openai/b", "openai/a"]
    assert verdicts[0] == verdicts[2]
    sent = [(body["model"], body["temperature"]) for body in server.bodies]
    assert sent == [("a", 0.0), ("b", 0.0), ("b", 1.0), ("b", 1.0)]
    assert server.bodies[2]["seed"] != server.bodies[3]["seed"]
    prompt = server.bodies[0]["messages"][1]["content"]
    assert "[[ ## answer ## ]]\nAnswer 2 to it." in prompt
    assert "Reference answer (the passage itself is not at hand)" in prompt
    assert "a reader (level not known)" in prompt
    assert not any(words in prompt for words in ("## thought ##", "None"))
