"""Invariants of `programs.traces.variation` and of how `programs.tracer` makes variations.

1. A variation below the threshold is made again with the judges' reasons, at most `--max-attempts` times, then rejected.
   If no judge answers, it is unjudged and keeps its record. Only accepted variations are graded.
2. If a stage has no usable reply, its variations fail, or are rejected if the reply is settled. Others are still made.
3. Variations share stages 1 to 3. Thought and answer are made for each, at a temperature that depends only on its index.
4. A variation with the texts of an accepted one of a lower index is a duplicate, also if that is of an earlier run.
5. A variation that an earlier run settled is made again only if the rules differ. A limit counts only new variations.
6. A key, a record's id and a digest depend only on content: more questions do not change them (tests/run/test_resume.py).
7. The verdicts and the options alone decide about an attempt: the mean of the given overall ratings must reach the
   threshold, and no judge may rate it below a floor. A missing rating rejects nothing; without any, the attempt is
   unjudged. A lower threshold never accepts less.
8. The feedback on a part of an attempt is the faults that judges found in it, in full, and nothing else.
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
from programs.record_parts import FLOORS, Verdict
from programs.stages.questions import type_order
from programs.traces import variation
from tests.builders import VERDICT, Answers, MemoryStore, good_output, one_variation, run_tracer, sample, unread_reply
from tests.standin.panel import RATINGS

ID = sample().id
JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": ["a", "b"]}
GRADED: dict[str, Any] = {"grade_answers": True, "grade_model": "g"}


def judge_with(*overall: int) -> Any:
    """Judges that give these overall ratings, one per ask in order, and the last one from then on."""
    ratings = itertools.chain(overall, itertools.repeat(overall[-1]))
    fault_in = {"a": "thought", "b": "both"}

    def judge(ask: Ask) -> dict[str, Any]:
        rating = next(ratings)
        fault = f"{ask.model} says that {rating} is what it deserves."
        return {**VERDICT, "overall": rating, "fault": fault, "fault_in": fault_in[ask.model or ""]}

    return judge


def test_a_variation_below_the_threshold_is_made_again_with_the_reasons() -> None:
    answers = Answers(judge=judge_with(4, 6, 9, 8))
    made = one_variation(answers, **JUDGED, **GRADED)
    assert [attempt.standing for attempt in made.attempts] == ["below", "accepted"]
    again = [ask for ask in answers.asks if ask.stage in ("trace", "answer") and ask.feedback]
    assert [ask.key.rsplit(".", 1)[-1] for ask in again] == ["1", "1"]
    first, second = "a says that 4 is what it deserves.", "b says that 6 is what it deserves."
    assert [ask.feedback for ask in again] == [(first, second), (second,)], "a found no fault with the answer"
    record = made.record()
    assert (record.metadata.quality_score, record.metadata.quality_spread) == (8.5, 1.0)
    assert record.generation is not None
    assert (record.generation.attempt, record.generation.calls) == (1, 6 + 2 + 2 + 1)
    asked = [ask.key for ask in answers.asks if ask.model]
    assert asked[2:] == [f"judge/{made.key}.1/a", f"judge/{made.key}.1/b", f"grade/{made.key}.1/g"]


def test_the_authenticity_score_is_the_mean_rating_of_the_judges() -> None:
    answers = Answers(judge=lambda ask: {**VERDICT, "reads_like_thinking": 9 if ask.model == "b" else 6})
    assert one_variation(answers, **JUDGED).record().metadata.authenticity_score == 0.7222
    assert one_variation().record().metadata.authenticity_score is None


def test_a_variation_without_a_verdict_is_unjudged_and_not_attempted_again() -> None:
    answers = Answers(judge=lambda _ask: unread_reply("429"))
    made = one_variation(answers, **JUDGED, **GRADED)
    assert (made.status, str(made.rejection), made.settled) == ("unjudged", "no judge gave a score: 429; 429", False)
    assert (answers.count("trace"), answers.count("grade")) == (1, 0)
    assert [verdict.scored for verdict in made.record().verdicts] == [False, False]
    assert one_variation(Answers(judge=lambda ask: unread_reply() if ask.model == "a" else VERDICT), **JUDGED).accepted


@pytest.mark.parametrize("stage", ["context", "hypotheses", "evidence", "critique", "perspective", "trace", "answer"])
@pytest.mark.parametrize(("status", "becomes"), [("unread", "failed"), ("unusable", "rejected")])
def test_a_stage_without_a_usable_reply_costs_only_its_variations(stage: str, status: Any, becomes: str) -> None:
    first = type_order(ID, 0)[0]

    def fails_for_the_first(ask: Ask) -> Any:
        failed = f"/{first}" in ask.key
        return Reply(status=status, problems=["no good"], model="m") if failed else good_output(ask)

    made = run_tracer(Answers(**{stage: fails_for_the_first}), traces=2, variations=2).variations
    assert [each.status for each in made] == [becomes, becomes, "accepted", "accepted"]
    assert [each.settled for each in made] == [becomes == "rejected"] * 2 + [True, True]
    assert made[0].rejection is not None
    assert made[0].rejection.detail == f"{stage}: no good"
    assert made[0].digest is None


def test_a_missing_question_costs_none_of_the_questions_before_it() -> None:
    third = type_order(ID, 0)[2]
    memory, calls = MemoryStore(), []
    for answers in (Answers(questions=lambda ask: unread_reply() if third in ask.key else good_output(ask)), Answers()):
        made = run_tracer(answers, traces=4, store=memory)
        calls.append(answers.count("trace"))
        assert made.failed == (len(calls) == 1)
    assert calls == [2, 2], "a later run makes the rest, and nothing twice"
    assert [key.question_type for key in memory.kept] == type_order(ID, 0)[:4]
    nothing = run_tracer(Answers(questions=lambda _ask: unread_reply()), traces=2)
    assert (nothing.pool, nothing.variations, nothing.failed) == (None, [], True)


def test_variations_share_the_stages_before_the_trace() -> None:
    answers = Answers()
    made = run_tracer(answers, variations=4, temperature=0.7).variations
    assert [one.key.variation for one in made] == [0, 1, 2, 3]
    for stage in ("questions", "context", "hypotheses", "evidence", "critique", "perspective"):
        assert answers.count(stage) == 1
    for stage in ("trace", "answer"):
        asked = [ask.temperature for ask in answers.asks if ask.stage == stage]
        assert asked == [variation.temperature_of(index, 0.7) for index in range(4)] == [0.7, 0.394, 0.889, 0.583]
    assert len({ask.key for ask in answers.asks}) == len(answers.asks)


@given(st.integers(0, 40).map(lambda twentieth: twentieth / 20))
def test_the_first_temperature_is_the_base_and_all_differ(base: float) -> None:
    temperatures = [variation.temperature_of(index, base) for index in range(64)]
    assert temperatures[0] == base
    assert len(set(temperatures)) == 64
    assert all(0.2 <= value <= 1.2 for value in temperatures[1:])


def same_for_all(ask: Ask) -> Any:
    return good_output(dataclasses.replace(ask, subject=ask.subject[:-1]))


@pytest.mark.parametrize("change", [{}, {"accepted": False}, {"digest": "another"}, {"digest": None}])
def test_a_duplicate_of_an_earlier_runs_variation_is_marked(change: dict[str, Any]) -> None:
    made = run_tracer(Answers(trace=same_for_all, answer=same_for_all), variations=3).variations
    assert [str(one.rejection) for one in made[1:]] == ["the same as another variation: variation 0"] * 2
    assert all(one.settled for one in made)
    made[1].status = "accepted"
    before = dataclasses.replace(variation.EarlierOutcome(True, True, made[0].digest), **change)
    variation.mark_duplicates(made[1:2], lambda key: before if key.variation == 0 else None)
    assert made[1].status == ("accepted" if change else "duplicate")


def test_a_settled_variation_is_made_again_only_by_other_rules() -> None:
    store, answers = MemoryStore(), Answers()
    first = run_tracer(store=store, traces=2, variations=2)
    assert list(store.kept.values()) == first.variations
    assert store.pools == [first.pool]
    assert run_tracer(answers, store=store, traces=2, variations=2).variations == []
    assert {ask.stage for ask in answers.asks} == {"questions"}
    more = run_tracer(store=store, traces=2, variations=3).variations
    assert [one.key.variation for one in more] == [2, 2]
    store.stale = True
    assert len(run_tracer(store=store, traces=2, variations=3).variations) == 6


def test_a_limit_counts_only_new_variations() -> None:
    store = MemoryStore(stale=True)
    made = run_tracer(store=store, traces=3, variations=2, limit=4)
    assert (len(made.variations), made.limited) == (4, True)
    again = run_tracer(store=store, traces=3, variations=2, limit=0)
    assert (len(again.variations), again.limited) == (4, True)
    none = run_tracer(limit=0)
    assert (none.variations, none.limited) == ([], True)


@pytest.mark.parametrize("seed", [0, 3])
def test_question_types_come_in_the_order_of_text_and_seed(seed: int) -> None:
    assert [one.key.question_type for one in run_tracer(traces=7, seed=seed).variations] == type_order(ID, seed)


def verdict(overall: int | None, judge: str = "a", **more: Any) -> Verdict:
    return Verdict.model_validate({"judge": judge, "scored": overall is not None, "overall": overall, **more})


VERDICTS = st.lists((st.none() | st.integers(1, 10)).map(verdict), max_size=5)


def options_at(threshold: float = 6.0) -> QualityOptions:
    return QualityOptions(quality_check=True, min_quality_score=threshold)


@given(VERDICTS, st.floats(1, 10), st.floats(1, 10))
def test_a_lower_threshold_never_accepts_less(verdicts: list[Verdict], first: float, second: float) -> None:
    low, high = sorted([first, second])
    if variation.standing_of(verdicts, options_at(high)) == "accepted":
        assert variation.standing_of(verdicts, options_at(low)) == "accepted"
    assert (variation.standing_of(verdicts, options_at(low)) == "unjudged") == all(not each.scored for each in verdicts)


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize(("ratings", "standing"), [((5, 9), "accepted"), ((4, 10), "below"), ((None, 10), "accepted")])
def test_one_rating_below_a_floor_rejects_an_attempt(name: str, ratings: tuple[int | None, ...], standing: str) -> None:
    verdicts = [verdict(9, str(number), **{name: rating}) for number, rating in enumerate(ratings)]
    assert variation.standing_of(verdicts, options_at()) == standing
    assert variation.floors_missed(verdicts) == ([] if standing == "accepted" else [f"{name} 4 by 0"])
    others: dict[str, Any] = dict.fromkeys(set(RATINGS) - set(FLOORS) - {"overall"}, 1)
    assert variation.standing_of([verdict(6, **others)], options_at()) == "accepted", "no other rating has a floor"


def test_each_part_gets_the_faults_found_in_it_in_full() -> None:
    long = "It says 'about 9 percent', where the passage has 12. " * 20
    found = [(long, "thought"), ("Too curt.", "answer"), ("It asserts.", "both"), ("None.", "both"), ("none", "none")]
    verdicts = [verdict(3, fault=fault, fault_in=fault_in, best_point="It is short.") for fault, fault_in in found]
    verdicts.append(verdict(None, "b", reason="429 too many"))
    assert variation.faults_in(verdicts, "thought") == (long, "It asserts.")
    assert variation.faults_in(verdicts, "answer") == ("Too curt.", "It asserts.")
