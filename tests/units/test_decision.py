"""Invariants of `programs.units.decision`: what becomes of an attempt is a pure function of its verdicts and the rules.

1. Without a quality check everything is accepted, whatever verdicts there are.
2. The panel's score is the mean of the overall ratings of those that answered; at the threshold is accepted.
3. Nobody answered: unjudged, never accepted and never below. An unscored verdict counts for nothing.
4. A lower threshold never takes less (so a resumed run with a lower one extends).
5. Reasons against an attempt are those of the judges that answered: an error's words are not among them.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.stages.judge import Verdict, panel_score, panel_spread
from programs.units.decision import QualityRules, reasons_against, standing


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


def test_reasons_are_those_of_the_judges_that_answered() -> None:
    verdicts = [verdict(3, "a", "thin"), verdict(None, "b", "429 too many"), verdict(9, "c", "fine")]
    assert reasons_against(verdicts) == ("thin", "fine")
