"""`optuna`: our own search over instructions, demonstrations and temperatures of every stage at once.

Each trial is tried on the validation examples in the same order, a batch at a time, and given up as soon as its mean lies
below the median of the trials before it on as many examples. The first trial is the unchanged program. Then one kind of
choice is tried at a time, in every stage that has it: small budgets find what is worth combining. The best trial wins only
if it scores higher than the unchanged program also with validation examples that the search did not use: the best of many
tries on a few examples is mostly the luckiest. The folder of the job keeps `study.db` (Optuna's SQLite) and
`candidates.json` (what is chosen from).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import cast

import dspy
import optuna
from optuna.trial import TrialState

from optimize.job import Bill, Job, Load, within
from optimize.optimizers import candidates, study
from optimize.optimizers.bench import Bench
from optimize.optimizers.candidates import Candidates, Choice, Params
from optimize.optimizers.harvest import harvest
from optimize.optimizers.session import Session, compiling
from optimize.optimizers.tuned import changed_copy, state_of
from optimize.splits import spread

PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

GOOD_RUNS = 4
"""Good runs to make demonstrations of."""

_RUNGS = 3
"""A trial can be given up at so many points at least, where there are examples enough."""


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
    """Makes trials while `runs` leave enough for another whole one and there is something new to try."""
    first = _first_trials(space, runs)
    while space.runs + study.runs_of(found) + len(examples) <= runs:
        study.queue_next(found, first)
        trial = found.ask()
        params = _drawn(trial, space)
        if params in study.tried(found):
            # The sampler likes what it knows.
            found.tell(trial, state=TrialState.FAIL)
            untried = study.untried(found, space.parameters, session.job.seed)
            if untried is None:
                return
            found.enqueue_trial(untried)
            continue
        program = changed_copy(
            session.job.student, space.state(state_of(session.job.student, session.job.tunable), params)
        )
        _try(session, session.bench_of(program), found, trial, examples, give_up=params != space.unchanged)


def _drawn(trial: optuna.Trial, space: Candidates) -> Params:
    # A choice is one of those that were given, which Optuna's types do not say.
    return {name: cast(Choice, trial.suggest_categorical(name, some)) for name, some in space.parameters.items()}


def _try(
    session: Session,
    program: Bench,
    found: optuna.Study,
    trial: optuna.Trial,
    examples: Sequence[dspy.Example],
    give_up: bool,
) -> None:
    """Tries a program batch by batch, and tells the study its mean score, or that it was given up, if it may be. Batches do
    not depend on how many runs are made at once: neither does what is given up."""
    before, scores = session.runs, list[float]()
    batch = ceil(len(examples) / _RUNGS)
    for start in range(0, len(examples), batch):
        scores += session.each(lambda example: session.score(program, example), examples[start : start + batch])
        mean, step = sum(scores) / len(scores), len(scores)
        trial.set_user_attr(study.RUNS, session.runs - before)
        if give_up and step < len(examples) and study.is_weak(found, mean, step):
            trial.report(mean, step)
            found.tell(trial, state=TrialState.PRUNED)
            return
        trial.report(mean, step)
    found.tell(trial, mean)


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
    trials = {trial.number: trial for trial in study.finished(found)}
    values = {number: trial.value for number, trial in trials.items() if trial.value is not None}
    unchanged = next((value for number, value in values.items() if trials[number].params == space.unchanged), None)
    best = max(values, key=lambda number: (values[number], -number), default=None)
    if unchanged is None or best is None or values[best] <= unchanged:
        return job.student
    made = changed_copy(job.student, space.state(state_of(job.student, job.tunable), trials[best].params))
    gain = (values[best] - unchanged) * len(examples)
    if more:
        compared = f"gain of trial {best} on {len(more)} more"
        if compared not in found.user_attrs:
            difference = session.mean(session.bench_of(made), more) - session.mean(session.bench, more)
            found.set_user_attr(compared, difference)
        gain += len(more) * found.user_attrs[compared]
    return made if gain > 0 else job.student


def _first_trials(space: Candidates, runs: int) -> list[Params]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials that the runs are enough for."""
    kinds = [_changes(space, part) for part in candidates.PARTS]
    singles = [
        {
            name: choice if name.endswith(part) and choice in choices else choices[0]
            for name, choices in space.parameters.items()
        }
        for part, choice in spread(kinds, sum(map(len, kinds)))
    ]
    enough = (runs - space.runs) // space.examples * 2 // 3
    return [space.unchanged, *singles[: max(0, enough - 1)]]


def _changes(space: Candidates, part: str) -> list[tuple[str, Choice]]:
    """What may be chosen for a part, whichever predictor has it, instead of what it is."""
    choices = [choice for name, some in space.parameters.items() if name.endswith(part) for choice in some[1:]]
    return [(part, choice) for choice in dict.fromkeys(choices)]
