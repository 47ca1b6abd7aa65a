"""What a compilation will cost, before anything is asked."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from optimize.job import Bill
from optimize.stages import STAGES, WRITERS
from programs.errors import UserError

FEWEST_RUNS = 8
"""Runs with which a stage can be tuned at all."""

TRACE_CALLS = len(STAGES)
"""Calls that make one trace when nothing is asked again."""


class Share(NamedTuple):
    """Calls of one run on one example: those of the stages before the tuned one, which are made once and then replayed,
    and those that every run makes."""

    before: int
    own: int


def share_of(stage: str, judging: int) -> Share:
    """The calls of a run that tunes this stage (or all); `judging` calls judge and grade a trace."""
    if stage == "all":
        return Share(0, TRACE_CALLS + judging)
    before = sum(other.depth < STAGES[stage].depth for other in STAGES.values())
    return Share(before, TRACE_CALLS - before + judging if stage in WRITERS else 1)


def proof_calls(tests: int, report_judging: int) -> int:
    """Calls of the proof, before and after together."""
    return 2 * tests * (TRACE_CALLS + report_judging)


def tuning_calls(share: Share, bill: Bill, examples: int) -> int:
    """Calls of one compilation over so many training and validation texts. A bound from above but for what is asked again
    because it cannot be used."""
    return examples * share.before + bill.runs * share.own + bill.proposals


def runs_within(limit: int | None, runs: int, cost: Callable[[int], Mapping[str, int]]) -> int:
    """So many runs, or as many as a limit of calls leaves room for. `cost` gives the calls that a number of runs needs,
    by part, with one part `proof`. Raises `UserError` where the limit leaves too little."""
    while limit is not None and sum(cost(runs).values()) > limit:
        if runs <= FEWEST_RUNS:
            raise UserError(
                f"--max-calls {limit} is too few: the least is {sum(cost(runs).values())} calls, "
                f"{cost(runs)['proof']} of them for the proof; raise it, or lower --num-test"
            )
        runs = max(FEWEST_RUNS, runs * 9 // 10)
    return runs
