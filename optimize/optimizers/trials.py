"""The trials of the Optuna search: which are made, and how they are tried side by side."""

from collections.abc import Sequence
from math import ceil
from statistics import mean

import dspy
import optuna
from optuna.trial import TrialState

from optimize.job import Job
from optimize.optimizers import study
from optimize.optimizers.candidates import PARTS, Candidates, Choice, Params
from optimize.optimizers.session import Session
from optimize.optimizers.tuned import changed_copy, state_of
from optimize.splits import spread

_RUNGS = 3
"""A trial can be given up at so many points at least, where there are examples enough."""


def first_params(space: Candidates, runs: int) -> list[Params]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials that the runs are enough for."""
    kinds = [_changes(space, part) for part in PARTS]
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


TOGETHER = 8
"""Trials side by side: with a batch each they keep a server busy."""


def drawn(found: optuna.Study, space: Candidates, first: Sequence[Params], room: int, seed: int) -> list[optuna.Trial]:
    """The next lot of trials, of what was not tried yet, where there is room for `room` more: of the `first` while any is
    left; then of what the sampler draws, and of these at most half of the room, so that it learns from one lot to the
    next. None: hardly anything is left to try."""
    listed = study.queue_next(found, first)
    count = min(TOGETHER, room if listed else ceil(room / 2))
    lot = list[optuna.Trial]()
    while len(lot) < count and (study.queue_next(found, first) or not listed):
        known = study.tried(found)
        trial = found.ask()
        for name, some in space.parameters.items():
            trial.suggest_categorical(name, some)
        if trial.params not in known:
            lot.append(trial)
            continue
        # The sampler likes what it knows.
        found.tell(trial, state=TrialState.FAIL)
        untried = study.untried(found, space.parameters, seed)
        if untried is None:
            break
        found.enqueue_trial(untried)
    return lot


def program_of(job: Job, space: Candidates, params: Params) -> dspy.Module:
    """The student with what was chosen."""
    return changed_copy(job.student, space.state(state_of(job.student, job.tunable), params))


def try_together(
    session: Session,
    space: Candidates,
    found: optuna.Study,
    trials: Sequence[optuna.Trial],
    examples: Sequence[dspy.Example],
) -> None:
    """Tries programs side by side, batch by batch, and tells the study the mean score of each, or that it was given up.
    Neither batches nor trials together depend on how many runs are made at once: so neither does what is given up."""
    programs = {trial.number: session.bench_of(program_of(session.job, space, trial.params)) for trial in trials}
    scores: dict[int, list[float]] = {trial.number: [] for trial in trials}
    batch = ceil(len(examples) / _RUNGS)
    for start in range(0, len(examples), batch):
        # What one text is asked for by several programs comes together: a server then has its passage at hand.
        asked = [(trial.number, one) for one in examples[start : start + batch] for trial in trials]
        values = session.each(lambda ask: session.score(programs[ask[0]], ask[1]), asked)
        for (number, _), value in zip(asked, values, strict=True):
            scores[number].append(value)
        for trial in trials:
            trial.report(mean(scores[trial.number]), len(scores[trial.number]))
        trials = _kept(found, trials, space, len(examples))
    for trial in trials:
        found.tell(trial, mean(scores[trial.number]))


def _kept(found: optuna.Study, trials: Sequence[optuna.Trial], space: Candidates, enough: int) -> list[optuna.Trial]:
    """The trials that go on after a batch: all but the weak ones, which are given up unless they are at their end. The
    unchanged program, which all are compared with, always goes on."""
    means = study.means(found)
    weak = [
        trial
        for trial in trials
        if trial.params != space.unchanged
        and (step := max(means[trial.number])) < enough
        and study.is_weak(means, trial.number, step)
    ]
    for trial in weak:
        found.tell(trial, state=TrialState.PRUNED)
    return [trial for trial in trials if trial not in weak]
