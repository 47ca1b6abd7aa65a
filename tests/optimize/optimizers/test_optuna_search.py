"""The Optuna search.

1. The first trial is the unchanged program; then each choice is tried alone, kinds of choices in turn.
2. No choice is tried twice, and the same seed makes the same trials, however many run at once.
3. The luckiest on a few examples does not win.
"""

import json
from pathlib import Path
from typing import Any

from optimize.optimizers.candidates import ORIGINAL, search_space
from optimize.optimizers.optuna_search import try_choices
from optimize.optimizers.session import Session, compiling
from tests.optimize.optimizers.tuning import DULL, GOOD, MAGIC, Lab, Replies, example, small_laboratory

SPACE = ("predict instruction", "predict demonstrations", "predict temperature")


def trials_of(lab: Lab, count: int) -> list[tuple[dict[str, Any], float]]:
    with lab.configured(), compiling(lab.job) as session:
        space = search_space(session, session.harvest(9, wanted=4), proposals=3)
        return try_choices(session, space, session.validation(4), count)
    raise AssertionError("a session that failed must raise")


def test_1_the_unchanged_program_comes_first_and_then_each_choice_alone(tmp_path: Path) -> None:
    trials = trials_of(small_laboratory(tmp_path), 12)
    (first, _), *others = trials
    assert first == dict.fromkeys(SPACE, ORIGINAL)
    changed = [{name for name in SPACE if params[name] != ORIGINAL} for params, _ in others]
    alone = [("predict temperature",), ("predict demonstrations",), ("predict instruction",)]
    assert [*map(tuple, changed[:3])] == alone
    assert any(len(names) > 1 for names in changed), "a third of the trials are left to combinations"


def test_2_nothing_is_tried_twice_and_concurrency_changes_nothing(tmp_path: Path) -> None:
    found = [trials_of(small_laboratory(tmp_path, concurrency=number), 10) for number in (1, 8)]
    assert found[0] == found[1]
    few = trials_of(small_laboratory(tmp_path, texts=(DULL,)), 400)
    assert len({json.dumps(params, sort_keys=True) for params, _ in few}) == len(few) < 400


def test_3_the_luckiest_on_a_few_examples_does_not_win(tmp_path: Path) -> None:
    """An instruction that does better on the examples of the search alone, and worse on the rest."""
    val = [example(number) for number in range(40, 49)]
    searched = {one.text for one in Session(small_laboratory(tmp_path, val=val).job).sample(val, 6, "val")}
    unlucky = min(searched)

    def said(prompt: str) -> str:
        text = next((one.text for one in val if one.text in prompt), None)
        if text is None:
            return f"I say {GOOD} dust."
        good = text in searched if MAGIC in prompt else text != unlucky
        return f"I say {GOOD} dust." if good else "Who knows."

    lab = small_laboratory(tmp_path, Replies(said), texts=(MAGIC,), runs=60, val=val)
    assert lab.compile("optuna") is lab.job.student
    assert lab.runs <= 60
