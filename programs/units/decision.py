"""What becomes of a variation, given its attempts: a pure function, so that a resumed run with another threshold or
panel decides again from what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from programs.stages.judge import Verdict, panel_score

Verdicts = list[Verdict]
Standing = Literal["accepted", "below", "unjudged"]


@dataclass(frozen=True)
class QualityRules:
    """Whether traces are judged, by whom, from which score on they are taken (1-10), and how often one is made. `biases`
    says by how much each judge rates too high; empty: nothing is known of that, and ratings count as they are."""

    check: bool = False
    threshold: float = 6.0
    judges: tuple[str, ...] = ()
    max_attempts: int = 3
    biases: Mapping[str, float] = field(default_factory=dict)


def calibrated(verdict: Verdict, rules: QualityRules) -> Verdict:
    """A verdict as it counts by the rules: less its judge's bias, where biases are known."""
    return verdict.less(rules.biases[verdict.judge]) if rules.biases else verdict


def standing(verdicts: Verdicts, rules: QualityRules) -> Standing:
    """accepted: judged at or above the threshold, or not to be judged; unjudged: no judge gave a score."""
    if not rules.check:
        return "accepted"
    score = panel_score(verdicts)
    if score is None:
        return "unjudged"
    return "accepted" if score >= rules.threshold else "below"


def reasons_against(verdicts: Verdicts) -> tuple[str, ...]:
    """What the judges held against an attempt, for the next one to mend."""
    return tuple(verdict.reason for verdict in verdicts if verdict.scored)
