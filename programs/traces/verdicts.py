"""What becomes of an attempt, given its verdicts: pure functions, so that a resumed run with another threshold or panel
decides again from what is stored."""

from typing import Literal

from programs.option_groups import QualityOptions
from programs.records import NO_FAULT, Verdict
from programs.stages.judge import panel_score

Standing = Literal["accepted", "below", "unjudged"]


def standing(verdicts: list[Verdict], options: QualityOptions) -> Standing:
    """accepted: judged at or above the threshold and by no judge below a floor, or not to be judged; unjudged: no judge
    gave a score."""
    if not options.quality_check:
        return "accepted"
    score = panel_score(verdicts)
    if score is None:
        return "unjudged"
    return "accepted" if score >= options.min_quality_score and not floors_missed(verdicts) else "below"


def floors_missed(verdicts: list[Verdict]) -> list[str]:
    """The ratings by which single judges turn a trace down, whatever the mean (`programs.records.FLOORS`)."""
    return [f"{rating} by {verdict.judge}" for verdict in verdicts for rating in verdict.too_low]


def reasons_against(verdicts: list[Verdict], part: Literal["thought", "answer"]) -> tuple[str, ...]:
    """The faults that the judges found in a part of an attempt, whole, for the next one to mend."""
    return tuple(
        verdict.fault
        for verdict in verdicts
        if verdict.fault and verdict.fault_in in (part, "both") and verdict.fault.strip(" .\"'").lower() != NO_FAULT
    )
