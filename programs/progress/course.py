"""What a text takes and gives, from texts of which most are still under way. Pure.

Texts that end early, for want of a usable question, are done first; a mean over those that are done would take too little
for the rule. So each ask is looked at for itself: of the texts that had so many, which share went on to another? The
product of these shares is how many get so far (Kaplan and Meier, "Nonparametric estimation from incomplete observations",
Journal of the American Statistical Association 53 (1958), 457-481).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PLANNED_TEXTS = 2
"""For how many texts the plan counts, beside those that were seen."""


@dataclass(frozen=True)
class Course:
    """`asked[k]` are the stages that texts were answered as their ask k (from 0), with how many texts it was; `ended[n]`
    texts were done after n asks, and gave `gave[n]` accepted traces together."""

    asked: Sequence[Mapping[str, int]] = ()
    ended: Mapping[int, int] = field(default_factory=dict)
    gave: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What a text takes on the mean: `asks` by stage and `unseen` of stages that no text has come to; and the accepted
    `traces` that it gives."""

    asks: Mapping[str, float]
    unseen: float
    traces: float


def expected(course: Course, asks: int, traces: float) -> Expected:
    """What to expect of a text, when one with which all goes as planned takes so many asks and gives so many traces."""
    by_stage: dict[str, float] = {}
    unseen = given = 0.0
    alive = 1.0
    for place in range(max(len(course.asked), asks)):
        stages = course.asked[place] if place < len(course.asked) else {}
        came = sum(stages.values())
        planned = PLANNED_TEXTS if place < asks else 0
        ended = course.ended.get(place, 0) + (PLANNED_TEXTS if place == asks else 0)
        if ended:
            share = ended / (ended + came + planned)
            given += alive * share * _traces(course, place, asks, traces) / ended
            alive *= 1 - share
        for stage, count in stages.items():
            by_stage[stage] = by_stage.get(stage, 0.0) + alive * count / came
        unseen += 0.0 if came else alive
    last = max(len(course.asked), asks)
    ended = course.ended.get(last, 0) + (PLANNED_TEXTS if last == asks else 0)
    given += alive * (_traces(course, last, asks, traces) / ended if ended else traces)
    return Expected(by_stage, unseen, given)


def _traces(course: Course, place: int, asks: int, traces: float) -> float:
    return course.gave.get(place, 0) + (PLANNED_TEXTS * traces if place == asks else 0.0)
