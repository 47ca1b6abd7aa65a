"""Invariants of `programs.traces.decision`: what becomes of an attempt is a pure function of its verdicts and the rules.

1. Without a quality check everything is accepted, whatever verdicts there are.
2. The panel's score is the mean of the overall ratings of those that answered; at the threshold is accepted, unless a
   single judge rates it below a floor. A rating that was not given turns nothing down.
3. Nobody answered: unjudged, never accepted and never below. An unscored verdict counts for nothing.
4. A lower threshold never takes less (so a resumed run with a lower one extends).
5. Reasons against a part of an attempt are the faults that judges found there, whole: no best point, nothing that lies
   elsewhere, no error's words.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs.traces.decision import QualityRules, floors_missed, reasons_against, standing

from programs.records import FLOORS, RATINGS
from programs.stages.judge import Verdict, panel_score, panel_spread


def verdict(overall: int | None, judge: str = "a", reason: str = "thin") -> Verdict:
    return Verdict(judge=judge, scored=overall is not None, overall=overall, reason=reason)


VERDICTS = st.lists((st.none() | st.integers(1, 10)).map(verdict), max_size=5)


def rules(threshold: float = 6.0) -> QualityRules:
    return QualityRules(check=True, threshold=threshold, judges=("a", "b"))


@settings(deadline=None)
@given(VERDICTS)
def test_without_a_check_everything_is_accepted(verdicts: list[Verdict]) -> None:
    assert standing(verdicts, QualityRules(check=False, threshold=10.0)) == "accepted"


@pytest.mark.parametrize(
    ("overall", "stands"),
    [
        ([6], "accepted"),
        ([5], "below"),
        ([5, 7], "accepted"),
        ([5, 6], "below"),
        ([1, 10, 10], "accepted"),
        ([None, 6], "accepted"),
        ([None, 5], "below"),
        ([None, None], "unjudged"),
        ([], "unjudged"),
    ],
)
def test_the_mean_of_those_that_answered_decides(overall: list[int | None], stands: str) -> None:
    assert standing([verdict(score) for score in overall], rules()) == stands


@settings(deadline=None)
@given(VERDICTS, st.floats(1, 10), st.floats(1, 10))
def test_a_lower_threshold_never_takes_less(verdicts: list[Verdict], one: float, other: float) -> None:
    low, high = sorted([one, other])
    if standing(verdicts, rules(high)) == "accepted":
        assert standing(verdicts, rules(low)) == "accepted"
    assert (standing(verdicts, rules(low)) == "unjudged") == all(not each.scored for each in verdicts)


@settings(deadline=None)
@given(VERDICTS)
def test_score_and_spread_lie_within_the_ratings(verdicts: list[Verdict]) -> None:
    ratings = [each.overall for each in verdicts if each.overall is not None]
    score, spread = panel_score(verdicts), panel_spread(verdicts)
    assert (score is None) == (not ratings)
    assert (spread is None) == (len(ratings) < 2)
    if score is not None:
        assert min(ratings) <= score <= max(ratings)
    if spread is not None:
        assert 0 <= spread <= 9


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize(("ratings", "stands"), [((5, 9), "accepted"), ((4, 10), "below"), ((None, 10), "accepted")])
def test_one_judge_turns_down_what_is_wrong_or_beside_the_question(
    name: str, ratings: tuple[int | None, ...], stands: str
) -> None:
    verdicts = [verdict(9, str(number)).model_copy(update={name: rating}) for number, rating in enumerate(ratings)]
    assert standing(verdicts, rules()) == stands
    assert floors_missed(verdicts) == ([] if stands == "accepted" else [f"{name} 4 by 0"])
    assert standing(verdicts, QualityRules(check=False)) == "accepted"


def test_no_other_rating_has_a_floor() -> None:
    low = dict.fromkeys(set(RATINGS) - set(FLOORS) - {"overall"}, 1)
    assert standing([verdict(6).model_copy(update=low)], rules()) == "accepted"


def found(fault: str, where: str) -> Verdict:
    return Verdict(judge="a", scored=True, overall=3, fault=fault, fault_in=where, best_point="It is short.")


def test_each_part_is_told_its_own_faults_whole() -> None:
    long = "It says 'about 9 percent', where the passage has 12. " * 20
    verdicts = [
        found(long, "thought"),
        found("Too curt.", "answer"),
        found("It asserts.", "both"),
        found("None.", "both"),
        found("none", "none"),
        verdict(None, "b", "429 too many"),
    ]
    assert reasons_against(verdicts, "thought") == (long, "It asserts.")
    assert reasons_against(verdicts, "answer") == ("Too curt.", "It asserts.")
