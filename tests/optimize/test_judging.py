"""What judges are tuned on and measured by (`optimize.judging`).

1. No question is on two sides, and the test side has all answers to its questions, each once. The other two sides hold as
   many right as wrong answers, in turn. The same answers and seed give the same sides, in whatever order the answers come.
2. Figures of agreement are as worked out by hand; few questions prove nothing.
3. An optimizer is told in which direction a verdict erred, and what the judge said.
4. Each judge is asked for itself; an optimizer can ask for other verdicts of the same judge.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.judging import PREDICTOR, Agreement, JudgeStudent, Ratings, divided, examples_of, prove_judges
from optimize.recording import Recorder, recorded
from optimize.settings import CompileSettings
from optimize.splits import Splits
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import TryRules
from programs.errors import UserError
from programs.inputs.sample import Place, content_id
from programs.judges.labels import ASKED_BY, Labelled
from programs.lms.resolve import resolve
from programs.records import Verdict
from programs.tracer import Tracer
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def answer(question: int, number: int, right: bool = True, **given: Any) -> Labelled:
    texts = {
        "question": f"What makes sample {question} drift?",
        "reference": "It is the lamp.",
        "key_passage": None,
        "answer": f"Answer {number} to it.",
    }
    made: dict[str, Any] = {**texts, "correct": right, "overall": None, **given}
    name = content_id(f"{made['question']}{made['answer']}")
    return Labelled(id=name, source="somewhere", place=Place(file="labelled.jsonl", line=1), **made)


def sides_of(answers: list[Labelled], **numbers: Any) -> Splits[Labelled]:
    return divided(answers, CompileSettings(model="openai/any", **numbers))


def questions_of(answers: list[Labelled]) -> set[str]:
    return {one.question_key for one in answers}


kinds = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=4, max_size=20)
numbers = st.none() | st.integers(1, 30)


@settings(max_examples=60, deadline=None)
@given(
    kinds=kinds,
    train=numbers,
    val=numbers,
    test=st.none() | st.integers(2, 10),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_1_the_sides(
    kinds: list[list[bool]], train: int | None, val: int | None, test: int | None, seed: int, data: st.DataObject
) -> None:
    answers = [answer(q, number, right) for q, one in enumerate(kinds) for number, right in enumerate(one)]
    try:
        sides = sides_of(answers, num_train=train, num_val=val, num_test=test, seed=seed)
    except UserError:  # too little, or all of one kind
        return
    asked = [questions_of(side) for side in (sides.train, sides.val, sides.test)]
    assert sum(map(len, asked)) == len(set().union(*asked))
    assert len(asked[2]) == (test or max(2, len(kinds) // 2))
    assert sorted(one.id for one in sides.test) == sorted(one.id for one in answers if one.question_key in asked[2])
    for side, most in ((sides.train, train), (sides.val, val)):
        right = sum(one.is_right(6) for one in side)
        assert 0 < right * 2 == len(side) <= max(2, most or 24)
        assert [one.is_right(6) for one in side] == [True, False] * right
        repeated = [one for one in side if side.count(one) > 1]
        assert len({one.is_right(6) for one in repeated}) <= 1
    shuffled = data.draw(st.permutations(answers))
    assert sides_of(shuffled, num_train=train, num_val=val, num_test=test, seed=seed) == sides


def test_a_large_set_has_many_questions() -> None:
    answers = [answer(q, number, number != 0) for q in range(60) for number in range(4)]
    sides = sides_of(answers, seed=3)
    assert len(sides.train) == 24
    assert len(questions_of(sides.train)) >= 10
    assert len(sides.test) == 120
    assert sides_of(answers, seed=4).test != sides.test


def test_an_example_for_every_answer_and_judge() -> None:
    rated = answer(2, 1, correct=None, overall=7)
    examples = examples_of([answer(1, 1, False), rated], ["a", "b"])
    assert [(one.judge, one.correct, one.rating) for one in examples] == [
        ("a", False, None),
        ("b", False, None),
        ("a", None, 7),
        ("b", None, 7),
    ]
    assert set(examples[0].inputs()) == {"passage", "question", "answer", "thought", "judge"}
    assert [rated.is_right(threshold) for threshold in (7, 8)] == [True, False]


TRUTH = [True, True, True, False, False, True]
ANSWERS = [answer(number // 2, number, right, overall=9 if right else 2) for number, right in enumerate(TRUTH)]
BEFORE: Ratings = {"a": [9, 9, 9, 9, 9, 9], "b": [9, 9, 7, 6, None, 8]}
AFTER: Ratings = {"a": [9, 5, 9, 2, 2, 9], "b": [9, None, 7, 2, 2, 8]}


def test_the_figures() -> None:
    proof = prove_judges(ANSWERS, BEFORE, AFTER, correct_from=6, seed=0)

    def figures(name: str) -> Any:
        found = proof.metrics[name]
        return found.before, found.after

    assert figures("a: balanced accuracy") == (0.5, (3 / 4 + 1) / 2)
    assert figures("a: Cohen's kappa with people") == (0.0, pytest.approx(1 - (1 / 6) / (1 / 2)))
    assert list(figures("a: leniency (calls correct, less people)")) == pytest.approx([1 - 4 / 6, 0.5 - 4 / 6])
    weighted = pytest.approx(1 - 6 * 16 / (64 + 392 + 294 + 18))
    assert figures("a: weighted kappa with people's ratings") == (0.0, weighted)

    # The answers that `b` did not rate both times are the second and the fifth.
    assert figures("b: balanced accuracy") == (0.5, 1.0)
    assert [proof.metrics[f"{judge}: balanced accuracy"].pairs for judge in "ab"] == [6, 4]
    assert (proof.stages["b"].failed_before, proof.stages["b"].failed_after, proof.stages["b"].asked_after) == (1, 1, 6)
    assert proof.composite.before == 0.5
    assert proof.composite.after == pytest.approx((0.875 + 1) / 2)
    before, after = figures("between the judges: Krippendorff's alpha")
    assert before < 0.5 < after


@pytest.mark.parametrize(("questions", "improved"), [(19, False), (20, True)])
def test_few_questions_prove_nothing(questions: int, improved: bool) -> None:
    rights = [number % 2 == 0 for number in range(2 * questions)]
    answers = [answer(number // 2, number, right) for number, right in enumerate(rights)]
    always, rightly = [8] * len(answers), [8 if right else 2 for right in rights]
    proof = prove_judges(answers, {"a": always}, {"a": rightly}, correct_from=6, seed=0)
    assert proof.composite.pairs == questions
    assert proof.composite.interval is not None
    assert proof.composite.interval == proof.metrics["a: balanced accuracy"].interval
    assert proof.composite.interval.low > 0
    assert proof.improved is improved
    assert not any("between" in name for name in proof.metrics)


def test_where_a_judge_has_no_figure_there_is_no_mean() -> None:
    silent: Ratings = {"a": AFTER["a"], "b": [None] * 6}
    proof = prove_judges(ANSWERS, BEFORE, silent, correct_from=6, seed=0)
    assert (proof.composite.before, proof.composite.interval, proof.improved) == (None, None, False)
    assert proof.stages["b"].failed_after == 6


def verdict(overall: int | None) -> Verdict:
    if overall is None:
        return Verdict(judge="a", scored=False, reason="the reply could not be read")
    return Verdict(judge="a", scored=True, overall=overall, fault="It is what it is.", best_point="It is short.")


def example(correct: bool | None, rating: int | None) -> dspy.Example:
    return dspy.Example(correct=correct, rating=rating)


@pytest.mark.parametrize(
    ("overall", "correct", "rating", "score"),
    [
        (6, True, None, 1.0),
        (5, True, None, 0.0),
        (5, False, None, 1.0),
        (10, False, None, 0.0),
        (8, None, 8, 1.0),
        (1, None, 10, 0.0),
        (7, None, 4, 1 - 3 / 9),
        (7, True, 10, (1 + 1 - 3 / 9) / 2),
        (None, True, 10, None),
    ],
)
def test_the_agreement_of_one_verdict(
    overall: int | None, correct: bool | None, rating: int | None, score: float | None
) -> None:
    measured = Agreement(6).measured(example(correct, rating), dspy.Prediction(verdict=verdict(overall)))
    assert measured.score.value == (None if score is None else pytest.approx(score))


def test_only_pairs_that_a_judge_rated_twice_count() -> None:
    """Two pairs that both judged prove nothing, however many questions there are."""
    answers = [answer(number // 2, number, number % 2 == 0) for number in range(60)]
    once: list[float | None] = [8, 8, *[None] * 58]
    later: list[float | None] = [8, 2, *[8, 2] * 29]
    proof = prove_judges(answers, {"a": once}, {"a": later}, correct_from=6, seed=0)
    assert (proof.composite.pairs, proof.improved) == (1, False)
    assert proof.metrics["a: balanced accuracy"].pairs == 2


def test_3_what_is_said_of_a_verdict() -> None:
    measure = Agreement(6)

    def said(made: dspy.Prediction, one: dspy.Example) -> tuple[float | None, str]:
        measured = measure.measured(one, made)
        return measured.score.value, " ".join(measure.said(None, measured, made))

    assert said(dspy.Prediction(verdict=verdict(9)), example(False, None)) == (
        0.0,
        "The judge said 9 of 10 (right); people said that the answer is wrong. "
        "The judge said: Fault: It is what it is. Best: It is short.",
    )
    assert said(dspy.Prediction(verdict=verdict(2)), example(False, 2)) == (
        1.0,
        "The judge said 2 of 10 (wrong); people said that the answer is wrong and 2 of 10.",
    )
    assert said(dspy.Prediction(verdict=verdict(None)), example(True, None))[0] is None


GIVEN = {"passage": "[1] Lamps drift.", "question": "Why does it drift?", "answer": "It is the lamp."}


@contextmanager
def student_of(folder: Path) -> Iterator[tuple[JudgeStudent, StandIn]]:
    with StandIn(Scientist()) as server:
        recorder = Recorder(folder)
        models = [resolve(name, api_base=server.openai_base, env={}) for name in ("openai/a", "openai/b")]
        judges = {model.name: recorded(model, recorder, "judge") for model in models}
        with dspy.context(adapter=PassageFirstAdapter(), lm=judges["openai/a"].lm):
            yield JudgeStudent(Tracer().judge, judges, recorder, PassageFirstAdapter(), TryRules()), server
        for model in models:
            model.close()
        recorder.journal.close()
        assert not server.surprises


def test_each_judge_is_asked_for_itself(tmp_path: Path) -> None:
    with student_of(tmp_path) as (student, server):
        assert [name for name, _ in student.named_predictors()] == [PREDICTOR]
        assert PREDICTOR in dict(Tracer().named_predictors())
        verdicts = [student(**GIVEN, judge=name).verdict for name in ("openai/a", "openai/b", "openai/a")]
        assert [one.judge for one in verdicts] == ["openai/a", "openai/b", "openai/a"]
        assert verdicts[0] == verdicts[2]
        assert [body["model"] for body in server.bodies] == ["a", "b"]
        assert [body["temperature"] for body in server.bodies] == [0.0, 0.0]
        prompt = server.bodies[0]["messages"][1]["content"]
    assert "[[ ## answer ## ]]\nIt is the lamp." in prompt
    assert ASKED_BY in prompt
    assert "## thought ##" not in prompt
    assert "None" not in prompt


def test_an_optimizer_can_ask_for_other_verdicts(tmp_path: Path) -> None:
    with student_of(tmp_path) as (student, server):
        copy = student.deepcopy()
        for rollout in (1, 2, 1):
            copy.set_lm(dspy.settings.lm.copy(rollout_id=rollout, temperature=1.0))
            copy(**GIVEN, judge="openai/b")
        assert student.judge.predict.lm is None
        sent = [(body["model"], body["temperature"]) for body in server.bodies]
        assert sent == [("b", 1.0), ("b", 1.0)]
        assert server.bodies[0]["seed"] != server.bodies[1]["seed"]
