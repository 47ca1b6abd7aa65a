"""Invariants of `programs.traces.variation`: what becomes of an attempt is a pure function of its verdicts and the options.

1. Without a quality check everything is accepted. Else the mean of the overall ratings of those that answered decides,
   unless a single judge rates it below a floor; a rating that was not given turns nothing down.
2. Nobody answered: unjudged, never accepted and never below. A lower threshold never takes less.
3. Reasons against a part of an attempt are the faults that judges found there, whole, and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.option_groups import QualityOptions
from programs.records import FLOORS, RATINGS, Verdict
from programs.stages.judge import panel_score, panel_spread
from programs.traces.variation import floors_missed, reasons_against, standing


def verdict(overall: int | None, judge: str = "a", **more: Any) -> Verdict:
    return Verdict.model_validate({"judge": judge, "scored": overall is not None, "overall": overall, **more})


VERDICTS = st.lists((st.none() | st.integers(1, 10)).map(verdict), max_size=5)


def above(threshold: float = 6.0) -> QualityOptions:
    return QualityOptions(quality_check=True, min_quality_score=threshold)


@settings(deadline=None)
@given(VERDICTS, st.floats(1, 10), st.floats(1, 10))
def test_a_lower_threshold_never_takes_less(verdicts: list[Verdict], one: float, other: float) -> None:
    low, high = sorted([one, other])
    if standing(verdicts, above(high)) == "accepted":
        assert standing(verdicts, above(low)) == "accepted"
    assert (standing(verdicts, above(low)) == "unjudged") == all(not each.scored for each in verdicts)
    ratings = [each.overall for each in verdicts if each.overall is not None]
    score, spread = panel_score(verdicts), panel_spread(verdicts)
    assert (score is None) == (not ratings)
    assert score is None or min(ratings) <= score <= max(ratings)
    assert (spread is None) == (len(ratings) < 2)


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize(("ratings", "stands"), [((5, 9), "accepted"), ((4, 10), "below"), ((None, 10), "accepted")])
def test_one_judge_turns_down_what_is_wrong_or_beside_the_question(
    name: str, ratings: tuple[int | None, ...], stands: str
) -> None:
    verdicts = [verdict(9, str(number), **{name: rating}) for number, rating in enumerate(ratings)]
    assert standing(verdicts, above()) == stands
    assert floors_missed(verdicts) == ([] if stands == "accepted" else [f"{name} 4 by 0"])
    others: dict[str, Any] = dict.fromkeys(set(RATINGS) - set(FLOORS) - {"overall"}, 1)
    assert standing([verdict(6, **others)], above()) == "accepted", "no other rating has a floor"


def test_each_part_is_told_its_own_faults_whole() -> None:
    long = "It says 'about 9 percent', where the passage has 12. " * 20
    found = [(long, "thought"), ("Too curt.", "answer"), ("It asserts.", "both"), ("None.", "both"), ("none", "none")]
    verdicts = [verdict(3, fault=fault, fault_in=where, best_point="It is short.") for fault, where in found]
    verdicts.append(verdict(None, "b", reason="429 too many"))
    assert reasons_against(verdicts, "thought") == (long, "It asserts.")
    assert reasons_against(verdicts, "answer") == ("Too curt.", "It asserts.")
