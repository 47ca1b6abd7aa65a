"""`optuna`: our own search over instructions, demonstrations and temperatures of every stage at once.

Each trial is tried on the validation examples in the same order, a batch at a time, and given up as soon as it lies
below the median of the trials before it. The first trial is the unchanged program; another wins only if it scores higher
on all examples. Then each choice is tried alone, in all stages that have it: small budgets find what is worth combining.
The folder of the job keeps `study.db` (Optuna's SQLite) and `candidates.json` (what is chosen from).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import dspy
import optuna
from optuna.trial import TrialState

from optimize.job import Bill, Job
from optimize.optimizers import candidates, study
from optimize.optimizers.allotment import within
from optimize.optimizers.bench import Bench
from optimize.optimizers.candidates import ORIGINAL, Candidates, Choices
from optimize.optimizers.harvest import harvest
from optimize.optimizers.session import Session, compiling
from optimize.optimizers.tuned import State, changed_copy, state_of
from optimize.splits import spread

PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

GOOD_RUNS = 4
"""Good runs to make demonstrations of."""

_RUNGS = 3
"""A trial can be given up at so many points at least, where there are examples enough."""

Params = dict[str, float | str]


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations; trials on `val` examples each, for as long as runs are left."""

    train: int
    val: int


def parts(job: Job) -> Parts:
    """A fifth of the runs to find demonstrations, the rest for about eight whole trials or more."""
    train = within(job.runs / 5, 1, len(job.train))
    return Parts(train, within((job.runs - train) / 8, 1, len(job.val)))


class OptunaSearch:
    name = "optuna"

    def bill(self, job: Job) -> Bill:
        given = parts(job)
        return Bill(runs=max(job.runs, given.train + given.val), proposals=PROPOSALS * len(job.tunable))

    def compile(self, job: Job) -> dspy.Module:
        job.folder.mkdir(parents=True, exist_ok=True)
        with compiling(job) as session:
            space = _candidates(session)
            examples = session.sample(job.val, space.examples, "val")
            batch = min(job.concurrency, ceil(len(examples) / _RUNGS))
            with study.opened(job.folder / "study.db", job.seed, batch) as found:
                _search(session, space, found, examples, batch, self.bill(job).runs)
                return _winner(job, space, found)


def _candidates(session: Session) -> Candidates:
    path, given = session.job.folder / "candidates.json", parts(session.job)
    known = candidates.read(path, session.job)
    if known is None:
        found = harvest(session, given.train, wanted=GOOD_RUNS)
        known = candidates.gather(session, found, PROPOSALS, given.val)
        candidates.write(path, known)
    return known


def _search(
    session: Session, space: Candidates, found: optuna.Study, examples: Sequence[dspy.Example], batch: int, runs: int
) -> None:
    """Makes trials while `runs` leave enough for another whole one and there is something left to try."""
    first = _first_trials(space, runs)
    # A trial that repeats another costs no runs, so that runs alone would not end the search.
    for _ in range(2 * ceil(runs / len(examples))):
        if space.runs + study.runs_of(found) + len(examples) > runs or study.tried(found) >= space.combinations:
            return
        study.queue_next(found, first)
        trial = found.ask()
        program = changed_copy(session.job.student, _state(session.job, space, _chosen(trial, space)))
        give_up = trial.params != _unchanged(space)
        _try(session, Bench(program, session), found, trial, examples, batch, give_up)


def _try(
    session: Session,
    program: Bench,
    found: optuna.Study,
    trial: optuna.Trial,
    examples: Sequence[dspy.Example],
    batch: int,
    give_up: bool,
) -> None:
    """Tries a program batch by batch, and tells the study its mean score, or that it was given up, if it may be."""
    before, scores = session.runs, list[float]()
    for start in range(0, len(examples), batch):
        scores += session.each(lambda example: session.score(program, example), examples[start : start + batch])
        trial.set_user_attr(study.RUNS, session.runs - before)
        trial.report(sum(scores) / len(scores), len(scores))
        if give_up and len(scores) < len(examples) and trial.should_prune():
            found.tell(trial, state=TrialState.PRUNED)
            return
    found.tell(trial, sum(scores) / len(scores))


def _winner(job: Job, space: Candidates, found: optuna.Study) -> dspy.Module:
    """The best of the finished trials if it is better than the unchanged program, else the student."""
    values = {trial.number: trial.value for trial in study.finished(found) if trial.value is not None}
    params = {trial.number: trial.params for trial in study.finished(found)}
    unchanged = next((value for number, value in values.items() if params[number] == _unchanged(space)), None)
    best = max(values, key=lambda number: (values[number], -number), default=None)
    if unchanged is None or best is None or values[best] <= unchanged:
        return job.student
    return changed_copy(job.student, _state(job, space, params[best]))


def _first_trials(space: Candidates, runs: int) -> list[Params]:
    """The unchanged program, then programs in which one thing differs, in every predictor that has that choice: kinds of
    changes in turn, for at most two thirds of the trials that the runs are enough for."""
    unchanged = _unchanged(space)
    kinds = [
        [(part, choice) for choice in dict.fromkeys(c for one in space.choices.values() for c in options(one))]
        for part, options in _OPTIONS.items()
    ]
    singles = [
        {name: choice if name in _having(space, part, choice) else value for name, value in unchanged.items()}
        for part, choice in spread(kinds, sum(map(len, kinds)))
    ]
    enough = (runs - space.runs) // space.examples * 2 // 3
    return [unchanged, *singles[: max(0, enough - 1)]]


_OPTIONS: dict[str, Callable[[Choices], list[float | str]]] = {
    "temperature": lambda choices: [*choices.temperatures],
    "demonstrations": lambda choices: [name for name in choices.demos if name != ORIGINAL],
    "instruction": lambda choices: [name for name in choices.instructions if name != ORIGINAL],
}
"""What may be chosen for a predictor instead of what it has, by the part that it changes."""


def _having(space: Candidates, part: str, choice: float | str) -> set[str]:
    """The parameters of those predictors that may be changed so."""
    return {f"{name} {part}" for name, choices in space.choices.items() if choice in _OPTIONS[part](choices)}


def _unchanged(space: Candidates) -> Params:
    return {
        f"{name} {part}": ORIGINAL
        for name, choices in space.choices.items()
        for part in ("instruction", "demonstrations", *(["temperature"] if choices.temperatures else []))
    }


def _chosen(trial: optuna.Trial, space: Candidates) -> Params:
    chosen: Params = {}
    for name, choices in space.choices.items():
        chosen[f"{name} instruction"] = trial.suggest_categorical(f"{name} instruction", list(choices.instructions))
        chosen[f"{name} demonstrations"] = trial.suggest_categorical(f"{name} demonstrations", list(choices.demos))
        if choices.temperatures:
            warmth: list[float | str] = [ORIGINAL, *choices.temperatures]
            chosen[f"{name} temperature"] = trial.suggest_categorical(f"{name} temperature", warmth)  # type: ignore[assignment]
    return chosen


def _state(job: Job, space: Candidates, params: Params) -> State:
    return {
        name: space.tuned(
            name,
            original,
            str(params[f"{name} instruction"]),
            str(params[f"{name} demonstrations"]),
            params.get(f"{name} temperature", ORIGINAL),
        )
        for name, original in state_of(job.student, job.tunable).items()
    }
