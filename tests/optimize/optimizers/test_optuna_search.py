"""The Optuna search.

1. A killed study goes on: what it chooses from is what it was, no finished trial is run again or changed, the interrupted
   one is tried again, and the runs of both starts together keep to the job's. Optuna opens the file by its name.
2. A finished one is not begun again; it gives the same program without a call.
3. The first trial is the unchanged program, whole; another must score higher. None is tried twice.
4. A trial that is no good is given up before all examples were run.
5. It finds a temperature, for models that take one; others are sent none.
6. Another job's study is moved aside; a damaged one is refused in one line.
7. After the first, each choice is tried alone, kinds in turn.
8. The best wins only if it is better also with validation examples that the search did not use.
9. Trials are tried side by side, and what is given up does not depend on how many calls are made at once.
"""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
from dspy.lm15 import Request, Response
from optuna.trial import TrialState

from optimize.optimizers import study
from optimize.optimizers.candidates import ORIGINAL
from optimize.optimizers.optuna_search import TOGETHER
from optimize.optimizers.session import Session
from programs.errors import UserError
from tests.forked.process import Forked
from tests.lab import LONGEST, ended, environment
from tests.optimize.optimizers.deadly import lab_in
from tests.optimize.optimizers.tuning import DULL, GOOD, MAGIC, Engine, Lab, Replies, example

SPACE = ("predict instruction", "predict demonstrations", "predict temperature")


def stored(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=study.NAME, storage=f"sqlite:///{folder / 'study.db'}")


def killed(folder: Path, after: int) -> None:
    """Compiles in a process that is killed once so many runs were made."""
    process = Forked("tests.optimize.optimizers.deadly", [str(folder), str(after)], env=environment())
    assert ended(process).returncode == -signal.SIGKILL


def test_1_a_study_that_is_killed_again_and_again_still_finds_it(tmp_path: Path) -> None:
    """What an interrupted trial had asked is not held against the runs: its answers are in the journal."""
    for after in (22, 8, 8):
        killed(tmp_path, after)
        assert not study.finished(stored(tmp_path))
    lab = lab_in(tmp_path)
    assert lab.held_out(lab.compile("optuna")) == 1.0
    assert TrialState.WAITING not in {trial.state for trial in stored(tmp_path).trials}
    assert study.tried(stored(tmp_path))[0] == dict.fromkeys(SPACE, ORIGINAL)


def test_a_killed_study_goes_on(tmp_path: Path) -> None:
    killed(tmp_path, after=42)
    before = stored(tmp_path).trials
    finished = {trial.number: trial for trial in before if trial.state.is_finished()}
    running = [trial for trial in before if trial.state == TrialState.RUNNING]
    assert finished
    assert running
    space = (tmp_path / "candidates.json").read_bytes()
    known = json.loads(space)["runs"] + study.runs_of(stored(tmp_path))

    lab = lab_in(tmp_path)
    made = lab.compile("optuna")

    assert lab.held_out(made) == 1.0
    assert (tmp_path / "candidates.json").read_bytes() == space
    assert lab.proposals == 0
    after = stored(tmp_path).trials
    assert {trial.number: trial for trial in after if trial.number in finished} == finished
    again = after[len(before) : len(before) + len(running)]
    assert {after[trial.number].state for trial in running} == {TrialState.FAIL}
    assert [trial.params for trial in again] == [trial.params for trial in running]
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in again)
    assert not any(trial.state == TrialState.RUNNING for trial in after)
    examples = lab.runs - 6  # held_out ran six more
    assert 0 < known + examples <= lab.job.runs

    third = lab_in(tmp_path)
    assert third.compile("optuna").dump_state() == made.dump_state()
    assert third.runs == third.proposals == 0
    assert len(stored(tmp_path).trials) == len(after)


def test_the_first_trial_is_the_unchanged_program(tmp_path: Path) -> None:
    lab = lab_in(tmp_path, runs=30)
    lab.compile("optuna")
    first, *others = stored(tmp_path).trials
    assert first.params == dict.fromkeys(SPACE, ORIGINAL)
    assert first.state == TrialState.COMPLETE
    val = json.loads((tmp_path / "candidates.json").read_text())["examples"]
    assert max(first.intermediate_values) == val
    assert all(set(trial.params) == set(SPACE) for trial in others)
    assert study.runs_of(stored(tmp_path)) <= 30


def test_weak_trials_are_given_up(tmp_path: Path) -> None:
    def said(prompt: str) -> str:
        # Without the magic everything is bad, but for the program as it is.
        if MAGIC in prompt or "Reply to the text." in prompt:
            return f"I say {GOOD} dust."
        return "Who knows."

    texts = (MAGIC, *(f"Do the step {how}." for how in ("well", "now", "soon")))
    lab = lab_in(tmp_path, Replies(said), texts=texts, runs=100, val=[example(number) for number in range(40, 49)])
    lab.compile("optuna")
    trials = stored(tmp_path).trials
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    assert pruned
    assert all(max(trial.intermediate_values) < 9 for trial in pruned)
    weak = {trial.params["predict instruction"] for trial in pruned}
    assert weak <= {"proposal 2", "proposal 3"}


def temperate(folder: Path, engine: type[Engine] = Engine) -> Lab:
    """Good answers come at one temperature alone."""
    lab = lab_in(folder, texts=(DULL,), threshold=2.0, runs=40, val=[example(n) for n in (10, 11)])
    brain = lab.brain

    def warm(body: dict[str, Any]) -> str:
        brain.asked += 1  # type: ignore[operator]
        return json.dumps({"reply": f"I say {GOOD} dust." if body["temperature"] == 0.2 else "Who knows."})

    lab.engine.brain = warm
    lab.engine.supported_params = engine.supported_params
    return lab


def test_it_finds_a_temperature(tmp_path: Path) -> None:
    made = temperate(tmp_path).compile("optuna")
    assert made.predict.config == {"temperature": 0.2}


def test_models_without_sampling_are_sent_no_temperature(tmp_path: Path) -> None:
    class Cold(Engine):
        supported_params = frozenset({"max_tokens", "response_format"})

    lab = temperate(tmp_path, Cold)
    assert lab.compile("optuna") is lab.job.student
    assert {body["temperature"] for body in lab.engine.bodies} == {None}
    assert set(stored(tmp_path).trials[0].params) == set(SPACE[:2])


def test_another_jobs_study_is_moved_aside_and_a_damaged_one_refused(tmp_path: Path) -> None:
    """A stage that is tuned after another is another job once that one has come out differently: its scores are stale."""
    lab_in(tmp_path, runs=20).compile("optuna")
    others: list[dict[str, Any]] = [{"seed": 4}, {"val": [example(99)]}]
    for count, changes in enumerate(others, 1):
        lab_in(tmp_path, **changes).compile("optuna")
        assert len(list(tmp_path.glob("study.db.*.old"))) == len(list(tmp_path.glob("candidates.json.*.old"))) == count
    kept = study.tried(stored(tmp_path))
    lab_in(tmp_path, val=[example(99)]).compile("optuna")
    assert study.tried(stored(tmp_path)) == kept, "what was searched to its end is not searched again"
    (tmp_path / "study.db").write_bytes(b"no database at all, by no means " * 200)
    with pytest.raises(UserError, match=r"study.db is no study that can be read: move it away"):
        lab_in(tmp_path, val=[example(99)]).compile("optuna")
    (tmp_path / "candidates.json").write_text("{}")
    with pytest.raises(UserError, match=r"candidates.json is damaged: name another folder"):
        lab_in(tmp_path, val=[example(99)]).compile("optuna")


def test_6_another_threshold_is_no_other_job(tmp_path: Path) -> None:
    """It is the mean of scores, and a server that refused one call may answer it after a restart."""
    lab_in(tmp_path, runs=20).compile("optuna")
    space = (tmp_path / "candidates.json").read_bytes()
    lab_in(tmp_path, runs=20, threshold=0.5).compile("optuna")
    assert (tmp_path / "candidates.json").read_bytes() == space


@pytest.mark.parametrize(("mean", "weak"), [(0.3, True), (0.5, False), (0.6, False)])
def test_4_weak_is_below_the_median_at_the_same_step(mean: float, weak: bool) -> None:
    """However good a trial was on the first examples."""
    found = optuna.create_study(direction="maximize")
    for early, late in ((0.9, 0.4), (0.9, 0.5), (0.9, 0.7)):
        trial = found.ask()
        trial.report(early, 3)
        trial.report(late, 6)
        found.tell(trial, late)
    mine = found.ask().number
    known = study.means(found)
    assert study.is_weak({**known, mine: {6: mean}}, mine, 6) is weak
    assert study.is_weak({**known, mine: {3: 0.89}}, mine, 3)
    assert not study.is_weak({**known, mine: {9: 0.0}}, mine, 9)


def test_3_no_program_is_tried_twice(tmp_path: Path) -> None:
    """Where there is little to choose from, the search ends before its runs do."""
    lab = lab_in(tmp_path, texts=(DULL,), runs=400)
    lab.compile("optuna")
    trials = study.tried(stored(tmp_path))
    assert len({json.dumps(params, sort_keys=True) for params in trials}) == len(trials)
    assert lab.runs < 400


def test_7_each_choice_is_tried_alone_first(tmp_path: Path) -> None:
    """Kinds of changes take turns; the runs leave a third of the trials to combinations."""
    lab = lab_in(tmp_path, runs=120)
    lab.compile("optuna")
    first, *others = (trial for trial in stored(tmp_path).trials if trial.state != TrialState.FAIL)
    unchanged = dict.fromkeys(SPACE, ORIGINAL)
    assert first.params == unchanged
    changed = [{name for name in SPACE if trial.params[name] != ORIGINAL} for trial in others]
    alone = next(number for number, names in enumerate(changed) if len(names) != 1)
    assert [*map(tuple, changed[:3])] == [
        ("predict temperature",),
        ("predict demonstrations",),
        ("predict instruction",),
    ]
    assert alone >= 4
    assert len({json.dumps(trial.params, sort_keys=True) for trial in others[:alone]}) == alone


def test_8_the_luckiest_on_a_few_examples_does_not_win(tmp_path: Path) -> None:
    """An instruction that does better on the examples of the search alone, and worse on the rest."""
    val = [example(number) for number in range(40, 49)]
    searched = {one.text for one in Session(lab_in(tmp_path, val=val).job).sample(val, 6, "val")}
    unlucky = next(iter(sorted(searched)))

    def said(prompt: str) -> str:
        text = next((one.text for one in val if one.text in prompt), None)
        if text is None:
            return f"I say {GOOD} dust."
        good = text in searched if MAGIC in prompt else text != unlucky
        return f"I say {GOOD} dust." if good else "Who knows."

    lab = lab_in(tmp_path, Replies(said), texts=(MAGIC,), runs=60, val=val)
    made = lab.compile("optuna")
    space = json.loads((tmp_path / "candidates.json").read_text())
    assert space["examples"] == 6
    best = max(study.finished(stored(tmp_path)), key=lambda trial: trial.value or 0.0)
    assert best.value == 1.0
    assert best.params["predict instruction"] != ORIGINAL
    assert made is lab.job.student
    assert lab.runs <= 60


def test_9_trials_are_tried_side_by_side(tmp_path: Path) -> None:
    """Of the first trials no call is answered before more are under way than one trial's batch has."""
    together = threading.Barrier(TOGETHER)
    tickets = iter(range(TOGETHER))

    class Waiting(Engine):
        def complete(self, request: Request) -> Response:
            if (tmp_path / "study.db").exists() and next(tickets, None) is not None:
                together.wait(timeout=LONGEST)
            return super().complete(request)

    lab = lab_in(tmp_path, runs=100, concurrency=TOGETHER)
    lab.engine = Waiting(lab.engine.brain)
    lab.compile("optuna")
    assert next(tickets, None) is None
    assert not together.broken
    assert min(stored(tmp_path).trials[0].intermediate_values) < TOGETHER


def test_9_what_is_given_up_does_not_depend_on_concurrency(tmp_path: Path) -> None:
    ends = []
    for concurrency in (1, 8):
        folder = tmp_path / str(concurrency)
        texts = (MAGIC, f"{MAGIC} Then its size.", f"{MAGIC} Then its date.")
        lab_in(folder, runs=100, concurrency=concurrency, texts=texts).compile("optuna")
        ends.append([(trial.params, trial.state, trial.intermediate_values) for trial in stored(folder).trials])
    assert ends[0] == ends[1]
    assert TrialState.PRUNED in {state for _, state, _ in ends[0]}
