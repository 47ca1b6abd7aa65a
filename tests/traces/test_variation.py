"""Invariants of `programs.traces.variation` and of how `programs.tracer` makes variations.

1. One below the threshold is made again with the judges' reasons in hand, at most `--max-attempts` times, then rejected;
   nobody answered: unjudged, kept with its record. Only an accepted one is graded.
2. A stage that gave nothing: failed where it is to be asked again, rejected where it is settled; others go on.
3. Variations share stages 1 to 3 and remake trace and answer, at temperatures by their index alone.
4. One with the texts of another accepted one of a lower index is a duplicate, here or of an earlier run.
5. What an earlier run settled by the same rules is not made again, by other rules it is; a limit counts new ones only.
6. A key, a record's id and a digest depend on content alone: more questions change none (tests/run/test_resume.py).
7. What becomes of an attempt is a pure function of its verdicts and the options: the mean of the overall ratings of those
   that answered decides, unless a single judge rates it below a floor; a rating that was not given turns nothing down.
   Nobody answered: unjudged. A lower threshold never takes less.
8. Reasons against a part of an attempt are the faults that judges found there, whole, and nothing else.
"""

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.option_groups import QualityOptions
from programs.records import FLOORS, Verdict
from programs.stages.questions import type_order
from programs.traces import variation
from tests.making import VERDICT, Answers, Memory, good_output, made_of, only, sample, unread
from tests.standin.panel import RATINGS

ID = sample().id
JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": ["a", "b"]}
GRADED: dict[str, Any] = {"grade_answers": True, "grade_model": "g"}


def rated(*overall: int) -> Any:
    """A judge stage whose verdicts have these overall ratings, in the order of being asked; then the last."""
    ratings = itertools.chain(overall, itertools.repeat(overall[-1]))
    where = {"a": "thought", "b": "both"}

    def judge(ask: Ask) -> dict[str, Any]:
        rating = next(ratings)
        fault = f"{ask.judge} says that {rating} is what it deserves."
        return {**VERDICT, "overall": rating, "fault": fault, "fault_in": where[ask.judge or ""]}

    return judge


def test_below_the_threshold_it_is_made_again_with_the_reasons() -> None:
    answers = Answers(judge=rated(4, 6, 9, 8))
    made = only(answers, **JUDGED, **GRADED)
    assert [attempt.standing for attempt in made.attempts] == ["below", "accepted"]
    again = [ask for ask in answers.asked if ask.stage in ("trace", "answer") and ask.feedback]
    assert [ask.key.rsplit(".", 1)[-1] for ask in again] == ["1", "1"]
    first, second = "a says that 4 is what it deserves.", "b says that 6 is what it deserves."
    assert [ask.feedback for ask in again] == [(first, second), (second,)], "a found no fault with the answer"
    record = made.record()
    assert (record.metadata.quality_score, record.metadata.quality_spread) == (8.5, 1.0)
    assert record.generation is not None
    assert (record.generation.attempt, record.generation.calls) == (1, 6 + 2 + 2 + 1)
    asked = [ask.key for ask in answers.asked if ask.judge]
    assert asked[2:] == [f"judge/{made.key}.1/a", f"judge/{made.key}.1/b", f"grade/{made.key}.1/g"]


def test_how_natural_it_reads_is_what_the_judges_say() -> None:
    answers = Answers(judge=lambda ask: {**VERDICT, "reads_like_thinking": 9 if ask.judge == "b" else 6})
    assert only(answers, **JUDGED).record().metadata.authenticity_score == 0.7222
    assert only().record().metadata.authenticity_score is None


def test_unjudged_when_nobody_answers_and_then_no_further_attempt() -> None:
    answers = Answers(judge=lambda _ask: unread("429"))
    made = only(answers, **JUDGED, **GRADED)
    assert (made.status, str(made.rejection), made.settled) == ("unjudged", "no judge gave a score: 429; 429", False)
    assert (answers.count("trace"), answers.count("grade")) == (1, 0)
    assert [verdict.scored for verdict in made.record().verdicts] == [False, False]
    assert only(Answers(judge=lambda ask: unread() if ask.judge == "a" else VERDICT), **JUDGED).accepted


@pytest.mark.parametrize("stage", ["context", "hypotheses", "evidence", "critique", "perspective", "trace", "answer"])
@pytest.mark.parametrize(("status", "becomes"), [("unread", "failed"), ("unusable", "rejected")])
def test_a_stage_that_gives_nothing_takes_its_variations_alone(stage: str, status: Any, becomes: str) -> None:
    first = type_order(ID, 0)[0]

    def fails_for_the_first(ask: Ask) -> Any:
        failed = f"/{first}" in ask.key
        return Reply(status=status, problems=["no good"], model="m") if failed else good_output(ask)

    made = made_of(Answers(**{stage: fails_for_the_first}), traces=2, variations=2).variations
    assert [one.status for one in made] == [becomes, becomes, "accepted", "accepted"]
    assert [one.settled for one in made] == [becomes == "rejected"] * 2 + [True, True]
    assert made[0].rejection is not None
    assert made[0].rejection.detail == f"{stage}: no good"
    assert made[0].digest is None


def test_a_question_that_nobody_answers_costs_none_of_those_before_it() -> None:
    third = type_order(ID, 0)[2]
    memory, calls = Memory(), []
    for answers in (Answers(questions=lambda ask: unread() if third in ask.key else good_output(ask)), Answers()):
        made = made_of(answers, traces=4, store=memory)
        calls.append(answers.count("trace"))
        assert made.failed == (len(calls) == 1)
    assert calls == [2, 2], "the rest is made by a later try, nothing twice"
    assert [key.question_type for key in memory.kept] == type_order(ID, 0)[:4]
    nothing = made_of(Answers(questions=lambda _ask: unread()), traces=2)
    assert (nothing.pool, nothing.variations, nothing.failed) == (None, [], True)


def test_variations_share_what_comes_before_the_trace() -> None:
    answers = Answers()
    made = made_of(answers, variations=4, temperature=0.7).variations
    assert [one.key.variation for one in made] == [0, 1, 2, 3]
    for stage in ("questions", "context", "hypotheses", "evidence", "critique", "perspective"):
        assert answers.count(stage) == 1
    for stage in ("trace", "answer"):
        asked = [ask.temperature for ask in answers.asked if ask.stage == stage]
        assert asked == [variation.temperature_of(index, 0.7) for index in range(4)] == [0.7, 0.394, 0.889, 0.583]
    assert len({ask.key for ask in answers.asked}) == len(answers.asked)


@given(st.integers(0, 40).map(lambda twentieth: twentieth / 20))
def test_the_first_temperature_is_the_base_and_none_are_alike(base: float) -> None:
    temperatures = [variation.temperature_of(index, base) for index in range(64)]
    assert temperatures[0] == base
    assert len(set(temperatures)) == 64
    assert all(0.2 <= value <= 1.2 for value in temperatures[1:])


def same(ask: Ask) -> Any:
    """An answer that is the same for every variation."""
    return good_output(dataclasses.replace(ask, key=ask.key.rsplit("/", 1)[0]))


@pytest.mark.parametrize("change", [{}, {"accepted": False}, {"digest": "another"}, {"digest": None}])
def test_a_twin_of_an_earlier_run_is_dropped(change: dict[str, Any]) -> None:
    made = made_of(Answers(trace=same, answer=same), variations=3).variations
    assert [str(one.rejection) for one in made[1:]] == ["the same as another variation: variation 0"] * 2
    assert all(one.settled for one in made)
    made[1].status = "accepted"
    before = dataclasses.replace(variation.EarlierOutcome(True, True, made[0].digest), **change)
    variation.mark_duplicates(made[1:2], lambda key: before if key.variation == 0 else None)
    assert made[1].status == ("accepted" if change else "duplicate")


def test_what_is_settled_is_not_made_again_and_by_other_rules_it_is() -> None:
    store, answers = Memory(), Answers()
    first = made_of(store=store, traces=2, variations=2)
    assert list(store.kept.values()) == first.variations
    assert store.pools == [first.pool]
    assert made_of(answers, store=store, traces=2, variations=2).variations == []
    assert {ask.stage for ask in answers.asked} == {"questions"}
    more = made_of(store=store, traces=2, variations=3).variations
    assert [one.key.variation for one in more] == [2, 2]
    store.stale = True
    assert len(made_of(store=store, traces=2, variations=3).variations) == 6


def test_a_limit_counts_new_ones_only() -> None:
    store = Memory(stale=True)
    made = made_of(store=store, traces=3, variations=2, limit=4)
    assert (len(made.variations), made.limited) == (4, True)
    again = made_of(store=store, traces=3, variations=2, limit=0)
    assert (len(again.variations), again.limited) == (4, True)
    none = made_of(limit=0)
    assert (none.variations, none.limited) == ([], True)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_types_come_in_the_order_of_text_and_seed(seed: int) -> None:
    assert [one.key.question_type for one in made_of(traces=7, seed=seed).variations] == type_order(ID, seed)


def verdict(overall: int | None, judge: str = "a", **more: Any) -> Verdict:
    return Verdict.model_validate({"judge": judge, "scored": overall is not None, "overall": overall, **more})


VERDICTS = st.lists((st.none() | st.integers(1, 10)).map(verdict), max_size=5)


def above(threshold: float = 6.0) -> QualityOptions:
    return QualityOptions(quality_check=True, min_quality_score=threshold)


@given(VERDICTS, st.floats(1, 10), st.floats(1, 10))
def test_a_lower_threshold_never_takes_less(verdicts: list[Verdict], one: float, other: float) -> None:
    low, high = sorted([one, other])
    if variation.standing(verdicts, above(high)) == "accepted":
        assert variation.standing(verdicts, above(low)) == "accepted"
    assert (variation.standing(verdicts, above(low)) == "unjudged") == all(not each.scored for each in verdicts)


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize(("ratings", "stands"), [((5, 9), "accepted"), ((4, 10), "below"), ((None, 10), "accepted")])
def test_one_judge_turns_down_what_misses_a_floor(name: str, ratings: tuple[int | None, ...], stands: str) -> None:
    verdicts = [verdict(9, str(number), **{name: rating}) for number, rating in enumerate(ratings)]
    assert variation.standing(verdicts, above()) == stands
    assert variation.floors_missed(verdicts) == ([] if stands == "accepted" else [f"{name} 4 by 0"])
    others: dict[str, Any] = dict.fromkeys(set(RATINGS) - set(FLOORS) - {"overall"}, 1)
    assert variation.standing([verdict(6, **others)], above()) == "accepted", "no other rating has a floor"


def test_each_part_is_told_its_own_faults_whole() -> None:
    long = "It says 'about 9 percent', where the passage has 12. " * 20
    found = [(long, "thought"), ("Too curt.", "answer"), ("It asserts.", "both"), ("None.", "both"), ("none", "none")]
    verdicts = [verdict(3, fault=fault, fault_in=where, best_point="It is short.") for fault, where in found]
    verdicts.append(verdict(None, "b", reason="429 too many"))
    assert variation.faults_in(verdicts, "thought") == (long, "It asserts.")
    assert variation.faults_in(verdicts, "answer") == ("Too curt.", "It asserts.")
