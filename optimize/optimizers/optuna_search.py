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
from math import ceil
from statistics import mean

import dspy
import optuna
from optuna.trial import TrialState

from optimize.job import Job, within
from optimize.optimizers import candidates, study
from optimize.optimizers.bench import changed_copy, state_of
from optimize.optimizers.candidates import PARTS, Candidates, Choice, Params
from optimize.optimizers.session import Session
from optimize.splits import spread

PROPOSALS = 3
"""Instructions asked of the proposer for each predictor."""

GOOD_RUNS = 4
"""Good runs to make demonstrations of."""


@dataclass(frozen=True)
class Shares:
    """`train` runs to find demonstrations; trials on `val` examples each, for as long as runs are left; the best and the
    unchanged program on `more` validation examples."""

    train: int
    val: int
    more: int


def shares(job: Job) -> Shares:
    """A fifth of the runs to find demonstrations, up to a quarter of the others for the last comparison, the rest for six
    whole trials or more."""
    train = within(job.runs / 5, 1, len(job.train))
    val = within((job.runs - train) / 8, 1, len(job.val))
    return Shares(train, val, within((job.runs - train) / 8, 0, len(job.val) - val))


def optuna_search(session: Session) -> dspy.Module:
    """Searches, or goes on with the search that the job's folder holds."""
    job, given = session.job, shares(session.job)
    job.folder.mkdir(parents=True, exist_ok=True)
    space = _candidates(session)
    examples = session.sample(job.val, space.examples, "val")
    with study.opened(job.folder / "study.db", job.seed) as found:
        more = [example for example in job.val if example not in examples][: given.more]
        runs = max(job.runs, given.train + given.val + 2 * given.more)
        _search(session, space, found, examples, runs - 2 * len(more))
        return _winner(session, space, found, examples, more)


def _candidates(session: Session) -> Candidates:
    path, given = session.job.folder / "candidates.json", shares(session.job)
    known = candidates.read(path, session.job)
    if known is None:
        found = session.harvest(given.train, wanted=GOOD_RUNS)
        known = candidates.gather(session, found, PROPOSALS, given.val)
        candidates.write(path, known)
    return known


def _search(
    session: Session, space: Candidates, found: optuna.Study, examples: Sequence[dspy.Example], runs: int
) -> None:
    """Makes trials while the runs leave enough for another whole one and there is something new to try."""
    first = first_params(space, runs)
    while (room := (runs - space.runs - study.runs_of(found)) // len(examples)) > 0:
        lot = drawn(found, space, first, room, session.job.seed)
        if not lot:
            return
        try_together(session, space, found, lot, examples)


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
    made = program_of(job, space, finished[best].params)
    gain = (values[best] - unchanged) * len(examples)
    if more:
        compared = f"gain of trial {best} on {len(more)} more"
        if compared not in found.user_attrs:
            difference = session.mean(session.bench_of(made), more) - session.mean(session.bench, more)
            found.set_user_attr(compared, difference)
        gain += len(more) * found.user_attrs[compared]
    return made if gain > 0 else job.student


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
