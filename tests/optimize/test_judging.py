"""What judges are tuned on and measured by (`optimize.judging`).

1. No question is on two sides, and the test side has all answers to its questions, each once. The other two sides hold as
   many right as wrong answers, in turn. The same answers and seed give the same sides, in whatever order the answers come.
2. Figures of agreement are as worked out by hand, over the answers that a judge rated both times; few of them prove
   nothing, however many were asked about.
3. An optimizer is told in which direction a verdict erred, and what the judge said.
4. Each judge is asked for itself; an optimizer can ask for other verdicts of the same judge.
"""

from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimize.judging import PREDICTOR, Agreement, JudgeStudent, Ratings, prove_judges
from optimize.labels import ASKED_BY, REFERENCE, Labelled, divided
from optimize.recording import Recorder, recorded
from optimize.settings import CompileSettings
from optimize.splits import Splits
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import TryRules
from programs.errors import UserError
from programs.inputs.sample import content_id
from programs.lms.resolve import resolve
from programs.records import Verdict
from programs.tracer import Tracer
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def answer(question: int, number: int, right: bool = True) -> Labelled:
    texts = {"question": f"What makes sample {question} drift?", "answer": f"Answer {number} to it."}
    known: dict[str, Any] = {"reference": "The lamp.", "key_passage": None, "thought": None, "overall": None}
    return Labelled(id=content_id("".join(texts.values())), **texts, **known, correct=right)


def sides_of(answers: list[Labelled], **numbers: Any) -> Splits[Labelled]:
    return divided(answers, CompileSettings(model="openai/any", **numbers))


kinds = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=4, max_size=20)
numbers = st.none() | st.integers(1, 30)


@given(kinds, numbers, numbers, st.none() | st.integers(2, 10), st.integers(0, 99), st.data())
def test_1_the_sides(
    kinds: list[list[bool]], train: int | None, val: int | None, test: int | None, seed: int, data: st.DataObject
) -> None:
    given: dict[str, Any] = {"num_train": train, "num_val": val, "num_test": test, "seed": seed}
    answers = [answer(q, number, right) for q, one in enumerate(kinds) for number, right in enumerate(one)]
    try:
        sides = sides_of(answers, **given)
    except UserError:  # too little, or all of one kind
        return
    asked = [{one.question_key for one in side} for side in (sides["train"], sides["val"], sides["test"])]
    assert sum(map(len, asked)) == len(set().union(*asked))
    assert len(asked[2]) == (test or max(2, len(kinds) // 2))
    assert sorted(one.id for one in sides["test"]) == sorted(one.id for one in answers if one.question_key in asked[2])
    for side, most in ((sides["train"], train), (sides["val"], val)):
        right = sum(one.is_right(6) for one in side)
        assert 0 < right * 2 == len(side) <= max(2, most or 24)
        assert [one.is_right(6) for one in side] == [True, False] * right
        assert len({one.is_right(6) for one in side if side.count(one) > 1}) <= 1
    assert sides_of(data.draw(st.permutations(answers)), **given) == sides


def test_2_several_judges_are_one_mean() -> None:
    right = [True, True, True, False, False, True]
    answers = [answer(number // 2, number, one) for number, one in enumerate(right)]
    before: Ratings = {"a": [9, 9, 9, 9, 9, 9], "b": [9, 9, 7, 6, None, 8]}
    after: Ratings = {"a": [9, 5, 9, 2, 2, 9], "b": [9, None, 7, 2, 2, 8]}
    proof = prove_judges(answers, before, after, correct_from=6, seed=0)
    assert [proof.metrics[f"{judge}: balanced accuracy"].after for judge in "ab"] == [(3 / 4 + 1) / 2, 1.0]
    assert proof.composite.before == 0.5
    assert proof.composite.after == pytest.approx((0.875 + 1) / 2)
    kappas, leniencies = (
        [proof.metrics[f"{judge}: {name}"] for judge in "ab"]
        for name in ("Cohen's kappa with people", "leniency (calls correct, less people)")
    )
    assert [(one.before, one.after) for one in kappas] == [(0, pytest.approx(2 / 3)), (0, 1)]
    assert [one.before for one in leniencies] == [pytest.approx(1 / 3), pytest.approx(1 / 4)]
    assert [one.after for one in leniencies] == [pytest.approx(-1 / 6), 0]
    assert [one.pairs for one in kappas] == [6, 4], "what it did not rate both times is left out"
    assert [*proof.stages["b"].model_dump().values()] == [1, 6, 1, 6]
    # One judge rated the first two questions, the other the last two.
    apart: Ratings = {"a": [9, 9, 9, 9, None, None], "b": [None, None, 7, 6, 9, 8]}
    assert proof.composite.pairs == 3
    assert prove_judges(answers, apart, after, correct_from=6, seed=0).composite.pairs == 1
    alike = prove_judges(answers[:3], {"a": [9, 9, 9]}, {"a": [9, 2, 9]}, correct_from=6, seed=0)
    assert alike.composite.before is None, "of one kind alone there is no accuracy of both"
    silent = prove_judges(answers, before, {**after, "b": [None] * 6}, correct_from=6, seed=0)
    assert (silent.composite.before, silent.composite.interval, silent.improved) == (None, None, False)


def verdict(overall: int | None) -> Verdict:
    if overall is None:
        return Verdict(judge="a", scored=False, reason="the reply could not be read")
    return Verdict(judge="a", scored=True, overall=overall, fault="It is what it is.", best_point="It is short.")


@pytest.mark.parametrize(
    ("overall", "right", "score", "words"),
    [
        (6, True, 1.0, "The judge said 6 of 10 (right); people said right."),
        (5, False, 1.0, "The judge said 5 of 10 (wrong); people said wrong."),
        (5, True, 0.0, "(wrong); people said right. The judge said: Fault: It is what it is. Best: It is short."),
        (10, False, 0.0, "(right); people said wrong. The judge said: Fault"),
        (None, True, None, "The judge gave no verdict"),
    ],
)
def test_3_the_agreement_of_one_verdict(overall: int | None, right: bool, score: float | None, words: str) -> None:
    measure, made = Agreement(6), dspy.Prediction(verdict=verdict(overall))
    measured = measure.measured(dspy.Example(right=right), made)
    assert measured.score.value == score
    assert words in " ".join(measure.said(None, measured, made))


GIVEN = {**answer(1, 2).inputs, "name": "x"}


def test_4_each_judge_is_asked_for_itself_and_for_other_verdicts(tmp_path: Path) -> None:
    with StandIn(Scientist()) as server:
        recorder = Recorder(tmp_path)
        models = [resolve(name, api_base=server.openai_base, env={}) for name in ("openai/a", "openai/b")]
        judges = {model.name: recorded(model, recorder, "judge") for model in models}
        with dspy.context(adapter=PassageFirstAdapter(), lm=judges["openai/a"].lm):
            student = JudgeStudent(Tracer().judge, judges, recorder, PassageFirstAdapter(), TryRules())
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
    assert REFERENCE in prompt
    assert ASKED_BY in prompt
    assert not any(words in prompt for words in ("## thought ##", "None"))
