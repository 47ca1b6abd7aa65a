"""Tier 1: what thoughts tell a student of their answers, by forward passes alone.

lift = loss(answer | question) - loss(answer | question, thought), in nats a token of the answer; above 0, the thought
helps. The same with a thought of another paper says how much of that any thought does, by its words and form.
A thought that gives the answer away word for word has a lift too: `copied` says how far.
"""

from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import BaseModel

from programs.proving.examples import Example, swapped
from programs.proving.student import StudentModel, usable
from programs.statistics.interval import Interval, interval_over
from programs.text.copying import copied_share


class Lift(BaseModel):
    """Tier 1. The intervals are over papers: of the lift, of that of another's thought, and of the difference. `copied` is
    the mean share of an answer's words that stand in its thought twelve in a row; `left_out` traces were too long."""

    traces: int
    papers: int
    left_out: int
    own: Interval | None
    other: Interval | None
    more: Interval | None
    copied: float


def lift(student: StudentModel, examples: Sequence[Example], seed: int, say: Callable[[str], None]) -> Lift:
    """Tier 1 of a student; `say` is told how far it is. Raises `UserError`."""
    fit = usable(student, examples)
    others = swapped(fit, seed)
    own, other, more = (list[tuple[str, float]]() for _ in range(3))
    for number, one in enumerate(fit, 1):
        bare, after = student.answer_loss(one, ""), student.answer_loss(one, one.thought)
        own.append((one.paper, bare - after))
        # A longer thought would push the question out of the student's sight.
        if one.id in others and student.fits(one, strange := others[one.id].thought):
            after_other = student.answer_loss(one, strange)
            other.append((one.paper, bare - after_other))
            more.append((one.paper, after_other - after))
        if number == len(fit) or number % max(1, len(fit) // 10) == 0:
            say(f"tier 1: trace {number} of {len(fit)}")
    return Lift(
        traces=len(fit),
        papers=len({one.paper for one in fit}),
        left_out=len(examples) - len(fit),
        own=interval_over(own, seed=seed),
        other=interval_over(other, seed=seed),
        more=interval_over(more, seed=seed),
        copied=fmean(copied_share(one.answer, one.thought) for one in fit),
    )
