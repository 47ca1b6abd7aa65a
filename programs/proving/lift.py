"""Tier 1: what thoughts tell a student of their answers, by forward passes alone.

lift = loss(answer | question) - loss(answer | question, thought), in nats a token of the answer; above 0, the thought
helps. The same with a thought of another paper says how much of that any thought does, by its words and form.
A thought that gives the answer away word for word has a lift too: `copied` says how far.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

import numpy as np
from pydantic import BaseModel

from programs.proving.examples import Example, swapped
from programs.proving.student import Ids, StudentModel, usable
from programs.statistics.interval import Interval, interval_of, mean_of
from programs.text.copying import copied_share

TENTHS = 10


class Lift(BaseModel):
    """Tier 1. The intervals are over papers: of the lift, of that of another's thought, and of the difference. `perplexity`
    is that of thoughts by the tenth of their tokens; `copied` the mean share of an answer's words that stand in its thought
    twelve in a row; `left_out` traces were too long."""

    traces: int
    papers: int
    left_out: int
    own: Interval | None
    other: Interval | None
    more: Interval | None
    perplexity: list[float]
    copied: float


def lift(student: StudentModel, examples: Sequence[Example], seed: int, told: Callable[[int, int], None]) -> Lift:
    """Tier 1 of a student; `told` is called with how many traces are done, and of how many. Raises `UserError`."""
    fit = usable(student, examples)
    others = swapped(fit, seed)
    tenths: list[list[float]] = [[] for _ in range(TENTHS)]
    gains: list[tuple[str, float, float | None]] = []
    for number, one in enumerate(fit, 1):
        answer = student.ids(one.answer)
        bare = student.loss(student.head(one.prompt, ""), answer)
        costs, own = _with_own(student, one, answer)
        for place, cost in enumerate(costs):
            tenths[place * TENTHS // len(costs)].append(cost)
        other = others.get(one.id)
        swap = None if other is None else bare - student.loss(student.head(one.prompt, other.thought), answer)
        gains.append((one.paper, bare - own, swap))
        told(number, len(fit))
    return Lift(
        traces=len(fit),
        papers=len({one.paper for one in fit}),
        left_out=len(examples) - len(fit),
        own=over_papers([(paper, own) for paper, own, _ in gains], seed),
        other=over_papers([(paper, swap) for paper, _, swap in gains if swap is not None], seed),
        more=over_papers([(paper, own - swap) for paper, own, swap in gains if swap is not None], seed),
        perplexity=[math.exp(fmean(costs)) for costs in tenths if costs],
        copied=fmean(copied_share(one.answer, one.thought) for one in fit),
    )


def _with_own(student: StudentModel, one: Example, answer: Ids) -> tuple[list[float], float]:
    """What each token of the thought costs, and the answer's mean after it, in one pass."""
    thought = student.ids(one.thought)
    target = [*student.opening, *thought, *student.closing, *answer]
    costs = student.losses(student.prompt(one.prompt), target)[len(student.opening) :]
    return costs[: len(thought)], fmean(costs[-len(answer) :])


def over_papers(values: Iterable[tuple[str, float]], seed: int) -> Interval | None:
    """The mean of values with its interval; what is of one paper counts as one draw. None for fewer than two papers."""
    sums = defaultdict[str, list[float]](lambda: [0.0, 0.0])
    for paper, value in values:
        sums[paper][0] += value
        sums[paper][1] += 1
    return interval_of(np.array([*sums.values()]).reshape(-1, 2), mean_of, seed=seed)


def lift_of(student: StudentModel, example: Example) -> tuple[float, float]:
    """The lift of one trace, and the share of its answer that its thought holds word for word."""
    answer = student.ids(example.answer)
    bare, after = (student.loss(student.head(example.prompt, thought), answer) for thought in ("", example.thought))
    return bare - after, copied_share(example.answer, example.thought)
