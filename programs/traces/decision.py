"""What becomes of a variation, given its attempts: a pure function, so that a resumed run with another threshold or
panel decides again from what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from programs.records import FLOORS, NO_FAULT, Verdict
from programs.stages.judge import panel_score

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
    """accepted: judged at or above the threshold and by no judge below a floor, or not to be judged; unjudged: no judge
    gave a score."""
    if not rules.check:
        return "accepted"
    score = panel_score(verdicts)
    if score is None:
        return "unjudged"
    return "accepted" if score >= rules.threshold and not floors_missed(verdicts) else "below"


def floors_in_words() -> str:
    """The floors, as a part of the rules that a decision hangs on."""
    return ",".join(f"{name}>={floor}" for name, floor in FLOORS.items())


def floors_missed(verdicts: Verdicts) -> list[str]:
    """The ratings by which single judges turn a trace down, whatever the mean."""
    return [f"{rating} by {verdict.judge}" for verdict in verdicts for rating in verdict.too_low]


def reasons_against(verdicts: Verdicts, part: Literal["thought", "answer"]) -> tuple[str, ...]:
    """The faults that the judges found in a part of an attempt, whole, for the next one to mend."""
    return tuple(
        verdict.fault
        for verdict in verdicts
        if verdict.fault and verdict.fault_in in (part, "both") and _plain(verdict.fault) != NO_FAULT
    )


def _plain(fault: str) -> str:
    return fault.strip(" .\"'").lower()
