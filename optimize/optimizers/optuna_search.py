"""`optuna`: our own search over instructions, demonstrations and temperatures of every stage at once.

Trials are tried side by side, some at a time, on the validation examples in the same order, a batch at a time. One is
given up as soon as its mean lies below the median of the others on as many examples. The first trial is the unchanged
program. Then each choice is tried alone, in every stage that has it and kinds of choices in turn: small budgets find what
is worth combining. The best trial wins only if it scores higher than the unchanged program also with validation examples
that the search did not use: the best of many tries on a few examples is mostly the luckiest. The folder of the job keeps
`study.db` (Optuna's SQLite) and `candidates.json` (what is chosen from).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dspy
import optuna

from optimize.job import Bill, Job, Load, within
from optimize.optimizers import candidates, study, trials
from optimize.optimizers.candidates import Candidates
from optimize.optimizers.harvest import harvest
from optimize.optimizers.session import Session, compiling

PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

GOOD_RUNS = 4
"""Good runs to make demonstrations of."""


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations; trials on `val` examples each, for as long as runs are left; the best and the
    unchanged program on `more` validation examples."""

    train: int
    val: int
    more: int


def parts(load: Load) -> Parts:
    """A fifth of the runs to find demonstrations, up to a quarter of the others for the last comparison, the rest for six
    whole trials or more."""
    train = within(load.runs / 5, 1, load.train)
    val = within((load.runs - train) / 8, 1, load.val)
    return Parts(train, val, within((load.runs - train) / 8, 0, load.val - val))


class OptunaSearch:
    name = "optuna"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        least = given.train + given.val + 2 * given.more
        return Bill(runs=max(load.runs, least), proposals=PROPOSALS * load.predictors)

    def compile(self, job: Job) -> dspy.Module:
        job.folder.mkdir(parents=True, exist_ok=True)
        with compiling(job) as session:
            space = _candidates(session)
            examples = session.sample(job.val, space.examples, "val")
            with study.opened(job.folder / "study.db", job.seed) as found:
                more = [example for example in job.val if example not in examples][: parts(job.load).more]
                _search(session, space, found, examples, self.bill(job.load).runs - 2 * len(more))
                return _winner(session, space, found, examples, more)


def _candidates(session: Session) -> Candidates:
    path, given = session.job.folder / "candidates.json", parts(session.job.load)
    known = candidates.read(path, session.job)
    if known is None:
        found = harvest(session, given.train, wanted=GOOD_RUNS)
        known = candidates.gather(session, found, PROPOSALS, given.val)
        candidates.write(path, known)
    return known


def _search(
    session: Session, space: Candidates, found: optuna.Study, examples: Sequence[dspy.Example], runs: int
) -> None:
    """Makes trials while the runs leave enough for another whole one and there is something new to try."""
    first = trials.first_params(space, runs)
    while (room := (runs - space.runs - study.runs_of(found)) // len(examples)) > 0:
        lot = trials.drawn(found, space, first, room, session.job.seed)
        if not lot:
            return
        trials.try_together(session, space, found, lot, examples)


def _winner(
    session: Session,
    space: Candidates,
    found: optuna.Study,
    examples: Sequence[dspy.Example],
    more: Sequence[dspy.Example],
) -> dspy.Module:
    """The best of the finished trials if it is better than the unchanged program, in the study and with these examples
    more; else the student."""
    job = session.job
    finished = {trial.number: trial for trial in study.finished(found)}
    values = {number: trial.value for number, trial in finished.items() if trial.value is not None}
    unchanged = next((value for number, value in values.items() if finished[number].params == space.unchanged), None)
    best = max(values, key=lambda number: (values[number], -number), default=None)
    if unchanged is None or best is None or values[best] <= unchanged:
        return job.student
    made = trials.program_of(job, space, finished[best].params)
    gain = (values[best] - unchanged) * len(examples)
    if more:
        compared = f"gain of trial {best} on {len(more)} more"
        if compared not in found.user_attrs:
            difference = session.mean(session.bench_of(made), more) - session.mean(session.bench, more)
            found.set_user_attr(compared, difference)
        gain += len(more) * found.user_attrs[compared]
    return made if gain > 0 else job.student
