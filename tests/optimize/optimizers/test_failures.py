"""When something goes wrong while an optimizer works.

1. A server that is gone, of the student or of the proposer, ends the compilation with its error: nothing is scored 0 for
   it, and nothing new is begun. Whatever was silenced speaks again.
2. So does a mistake in a metric or a program.
3. A reply that cannot be read, or a prompt that is too long, is a bad run, not the end.
4. A proposer that gives nothing readable changes nothing.
5. An interrupt comes through.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

from optimize.optimizers import OPTIMIZERS
from programs.errors import AccessDenied, BackendError, ContextTooLong, TransientError
from tests.optimize.optimizers.tuning import GOOD, Lab, Replies, is_good, runs_for, small_laboratory

every = pytest.mark.parametrize("optimizer", OPTIMIZERS)
proposing = pytest.mark.parametrize("optimizer", ["optuna", "mipro", "copro", "gepa"])


def failing(after: int, error: Exception) -> Callable[[str], str]:
    """Replies of which the ones after so many fail."""
    times = 0

    def said(prompt: str) -> str:
        nonlocal times
        times += 1
        if times > after:
            raise error
        return f"I say {GOOD} dust." if is_good(prompt) else "Who knows."

    return said


@every
def test_a_server_that_is_gone_ends_the_compilation(optimizer: str, tmp_path: Path) -> None:
    after = 12
    brain = Replies(failing(after, AccessDenied("the key is refused")))
    lab = small_laboratory(tmp_path, brain, runs=max(runs_for(optimizer), 40))
    with pytest.raises(AccessDenied, match="the key is refused"):
        lab.compile(optimizer)
    # Those that were under way when the first one failed.
    assert brain.asked <= after + lab.job.concurrency
    assert DSPY_LOGGING_STREAM.enabled


@proposing
def test_a_proposer_that_is_gone_ends_the_compilation(optimizer: str, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, concurrency=1)
    lab.proposer.brain = _raising(TransientError("no connection"))
    with pytest.raises(BackendError, match="no connection"):
        lab.compile(optimizer)
    assert lab.proposals == 1


@every
@pytest.mark.parametrize("error", [ZeroDivisionError("in a metric"), ContextTooLong("of a judge, in a metric")])
def test_what_a_metric_raises_is_not_a_score(optimizer: str, error: Exception, tmp_path: Path) -> None:
    def wrong(*_: Any) -> float:
        raise error

    lab = small_laboratory(tmp_path, metric=wrong, feedback=wrong)
    with pytest.raises(type(error), match="in a metric"):
        lab.compile(optimizer)


@pytest.mark.parametrize("optimizer", ["bootstrap", "copro", "gepa"])
def test_an_interrupt_comes_through(optimizer: str, tmp_path: Path) -> None:
    def interrupted(*_: Any) -> float:
        raise KeyboardInterrupt

    lab = small_laboratory(tmp_path, metric=interrupted, feedback=interrupted, concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        lab.compile(optimizer)
    assert lab.runs == 1


@every
def test_unreadable_replies_are_bad_runs(optimizer: str, tmp_path: Path) -> None:
    def said(prompt: str) -> str:
        if "Catalogue 1 " in prompt or "Catalogue 11 " in prompt:
            return "! That is no JSON."
        if "Catalogue 2 " in prompt:
            raise ContextTooLong("the prompt does not fit")
        return f"I say {GOOD} dust." if is_good(prompt) else "Who knows."

    lab = small_laboratory(tmp_path, Replies(said), runs=runs_for(optimizer))
    made = lab.compile(optimizer)
    assert lab.held_out(made) == 1.0


@proposing
@pytest.mark.parametrize("too_long", [False, True])
def test_a_proposer_without_a_word_changes_nothing(optimizer: str, too_long: bool, tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, texts=("",), threshold=2.0, runs=runs_for(optimizer))
    if too_long:
        lab.proposer.brain = _raising(ContextTooLong("the prompt does not fit"))
    assert lab.compile(optimizer) is lab.job.student
    assert lab.proposals
    assert lab.keeps_to_its_job()


def test_tunable_names_that_the_program_has_not(tmp_path: Path) -> None:
    lab: Lab = small_laboratory(tmp_path, tunable=("predict", "nothing"))
    with pytest.raises(ValueError, match=r"no predictors nothing; it has predict"):
        lab.compile("bootstrap")


def _raising(error: Exception) -> Callable[[dict[str, Any]], str]:
    def brain(_body: dict[str, Any]) -> str:
        raise error

    return brain


def test_settings_are_restored(tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path)
    with lab.configured():
        adapter, errors = dspy.settings.adapter, dspy.settings.max_errors
        OPTIMIZERS["bootstrap"].compile(lab.job)
        assert dspy.settings.adapter is adapter
        assert dspy.settings.max_errors == errors
