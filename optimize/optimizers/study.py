"""The Optuna study: in SQLite, so that a killed one goes on where it was and optuna-dashboard opens it."""

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from programs.errors import UserError

NAME = "synthreasoner"
"""The study's name in its file."""

_FIRST_RANDOM = 6
"""Trials before the sampler draws on what it has seen."""

_LOOKS = 200
"""Combinations that are drawn before it is said that all were tried."""

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
"""How a trial ends that was tried, on all examples or until it was given up."""

_TRIED = (*_ENDED, TrialState.RUNNING)
"""A trial in one of these states is not to be tried again."""

_FEWEST = 3
"""A trial is weak by comparison with so many others at least."""


@contextmanager
def opened(path: Path, seed: int) -> Iterator[optuna.Study]:
    """The study in a file, new or gone on with. Trials that a killed process left running are marked failed and are
    tried again first. Raises `UserError` for a file that is damaged.
    """
    # With a creator the address is not read; a path in it would have to be quoted.
    storage = optuna.storages.RDBStorage("sqlite:///study.db", engine_kwargs={"creator": lambda: _connection(path)})
    try:
        study = optuna.create_study(storage=storage, study_name=NAME, direction="maximize", load_if_exists=True)
        begun = len(study.trials)
        # Another seed for each start: the same one would draw the same trials again.
        # With a liar trials that are drawn together differ.
        study.sampler = optuna.samplers.TPESampler(
            seed=seed + begun, n_startup_trials=_FIRST_RANDOM, constant_liar=True
        )
        # What is weak is said by `is_weak`: Optuna's pruner compares the best mean that a trial had on its way.
        study.pruner = optuna.pruners.NopPruner()
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            wanted = trial.system_attrs.get("fixed_params") or trial.params
            if wanted:
                study.enqueue_trial(wanted)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # A commit then leaves it to the system when to write. A killed process loses nothing by that, a power cut may;
        # a trial makes dozens of commits.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError:
        raise UserError(f"{path} is no study that can be read: move it away to begin anew") from None
    return connection


def queue_next(study: optuna.Study, wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Makes the first of the wanted parameters that were not tried yet those of the next trial, unless one waits: an
    interrupted trial comes first. Whether any waits now; else the sampler says what is next."""
    if study.get_trials(states=(TrialState.WAITING,)):
        return True
    known = tried(study)
    following = next((params for params in wanted if params not in known), None)
    if following is not None:
        study.enqueue_trial(dict(following))
    return following is not None


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were tried on all examples."""
    return study.get_trials(states=(TrialState.COMPLETE,))


def tried(study: optuna.Study) -> list[dict[str, Any]]:
    """The parameters that were tried, to their end or until they were given up, or are being tried."""
    return [trial.params for trial in study.get_trials(states=_TRIED)]


def untried(study: optuna.Study, choices: Mapping[str, Sequence[Any]], seed: int) -> dict[str, Any] | None:
    """A random combination of these choices that was not tried; None: hardly any is left."""
    known, chance = tried(study), random.Random(f"{seed}/{len(study.trials)}")
    for _ in range(_LOOKS):
        drawn = {name: chance.choice(some) for name, some in choices.items()}
        if drawn not in known:
            return drawn
    return None


Means = dict[int, dict[int, float]]
"""The mean scores of trials, by the trial's number and by how many examples each is of."""


def means(study: optuna.Study) -> Means:
    """What all trials have come to so far, but those that were interrupted and are tried again."""
    trials = study.get_trials(deepcopy=False, states=_TRIED)
    return {trial.number: dict(trial.intermediate_values) for trial in trials}


def is_weak(known: Means, number: int, step: int) -> bool:
    """Whether a trial's mean over the first `step` examples lies below the median of the other trials' over the same."""
    others = [values[step] for other, values in known.items() if other != number and step in values]
    return len(others) >= _FEWEST and known[number][step] < median(others)


def runs_of(study: optuna.Study) -> int:
    """The runs that the trials needed which came to their end. What an interrupted one was answered is in the journal of
    calls, and is not paid for again."""
    return sum(max(trial.intermediate_values) for trial in study.get_trials(deepcopy=False, states=_ENDED))
