"""`optuna`: our own search over instructions, demonstrations and temperatures of every stage at once.

The first trial is the unchanged program. Then each choice is tried alone, in every stage that has it, kinds of choices in
turn: small budgets find what is worth combining. The rest Optuna draws. The best trial wins only if it scores
higher than the unchanged program also with validation examples that the search did not use: the best of many tries on a few
examples is mostly the luckiest.

Nothing is kept of a search: the same seed makes the same trials, and the journal of calls answers those that were made.
"""

from collections.abc import Sequence
from math import prod

import dspy
import optuna

from optimize.job import Job, within
from optimize.optimizers.bench import changed_copy, state_of
from optimize.optimizers.candidates import PARTS, Choice, Params, SearchSpace, search_space
from optimize.optimizers.session import Session
from optimize.splits import spread

PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

GOOD_RUNS = 4
"""Good runs to make demonstrations of."""

_FIRST_RANDOM = 6
"""Trials before the sampler draws on what it has seen."""

_DRAWS = 3
"""Times as many trials are drawn, at most, as are made: the sampler likes what it knows, which counts for nothing."""


def optuna_search(session: Session) -> dspy.Module:
    """A fifth of the runs find demonstrations, up to a quarter of the others are for the last comparison, the rest for six
    trials or more."""
    job = session.job
    train = within(job.runs / 5, 1, len(job.train))
    examples = session.validation((job.runs - train) / 8)
    rest = [example for example in job.val if example not in examples]
    more = rest[: within((job.runs - train) / 8, 0, len(rest))]
    space = search_space(session, session.harvest(train, wanted=GOOD_RUNS), PROPOSALS)
    trials = max(1, (job.runs - train - 2 * len(more)) // len(examples))
    tried = try_choices(session, space, examples, trials)
    unchanged, params, value = *tried[0][1:], *max(tried, key=lambda trial: trial[1])
    if value <= unchanged:
        return job.student
    made = _program(job, space, params)
    gain = (value - unchanged) * len(examples)
    if more:
        gain += len(more) * (session.mean(session.bench_of(made), more) - session.mean(session.bench, more))
    return made if gain > 0 else job.student


def try_choices(
    session: Session, space: SearchSpace, examples: Sequence[dspy.Example], trials: int
) -> list[tuple[Params, float]]:
    """So many different choices with their mean scores, the unchanged program first."""
    sampler = optuna.samplers.TPESampler(seed=session.job.seed, n_startup_trials=_FIRST_RANDOM)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for wanted in first_params(space, trials):
        study.enqueue_trial(wanted)
    tried: list[tuple[Params, float]] = []
    trials = min(trials, prod(map(len, space.parameters.values())))
    for _ in range(_DRAWS * trials):
        trial = study.ask()
        for name, some in space.parameters.items():
            trial.suggest_categorical(name, some)
        params: Params = trial.params
        value = next((value for known, value in tried if known == params), None)
        if value is None:
            value = session.mean(session.bench_of(_program(session.job, space, params)), examples)
            tried.append((params, value))
        study.tell(trial, value)
        if len(tried) == trials:
            break
    return tried


def first_params(space: SearchSpace, trials: int) -> list[Params]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials."""
    kinds = [_changes(space, part) for part in PARTS]
    singles = [
        {
            name: choice if name.endswith(part) and choice in choices else choices[0]
            for name, choices in space.parameters.items()
        }
        for part, choice in spread(kinds, sum(map(len, kinds)))
    ]
    return [space.unchanged, *singles[: max(0, trials * 2 // 3 - 1)]]


def _changes(space: SearchSpace, part: str) -> list[tuple[str, Choice]]:
    """What may be chosen for a part, whichever predictor has it, instead of what it is."""
    choices = [choice for name, some in space.parameters.items() if name.endswith(part) for choice in some[1:]]
    return [(part, choice) for choice in dict.fromkeys(choices)]


def _program(job: Job, space: SearchSpace, params: Params) -> dspy.Module:
    """The student with what was chosen."""
    return changed_copy(job.student, space.state(state_of(job.student, job.tunable), params))
