"""Invariants of every optimizer, tested by compiling one stage against a brain for which better prompts help.

1. No proposal that is empty, endless, copied from a text or truncated reaches the student; if there are no others, the
   program stays the same.
2. A server that disappears, the student's or the proposer's, is not turned into a score, and neither is a bug of ours.
   Silenced loggers are restored, and only our own warnings are printed.
3. The same seed gives the same result, whatever the concurrency.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM
from hypothesis import given
from hypothesis import strategies as st

from optimize.compilation import suppress_library_output
from optimize.proposing import ProposalAdapter
from optimize.texts import examples_of
from programs.cli.logs import LogOptions, logging_to_file
from programs.inputs.sample import sample_of
from programs.text.copying import COPIED_RUN
from tests.lab import passage
from tests.optimize.compiling import ENDLESS, HELPFUL, Proposer, WeakBrain, compile_lab
from tests.standin.faults import FaultPlan

PROPOSING = ("mipro", "gepa")
STAGE: dict[str, Any] = {"stage": "hypotheses", "num_test": 2}
ADAPTER = ProposalAdapter(examples_of([sample_of(passage(number)) for number in range(4)]), None)  # type: ignore[arg-type]
WORDS = passage(2).split()


@pytest.mark.parametrize("optimizer", PROPOSING)
def test_1_unfit_proposals_are_never_tried(optimizer: str, tmp_path: Path) -> None:
    texts = (HELPFUL, ENDLESS, "", "   ", f"Do as here: {passage(1)}")
    brain = WeakBrain("hypotheses", proposer=Proposer(texts, truncated_text=HELPFUL))
    with compile_lab(tmp_path, brain=brain) as lab:
        printed = lab.compile_ok(**STAGE, optimizer=optimizer)
        tuned = lab.report["predictors"]["strands.hypotheses"]
        assert tuned["instructions_after"] == tuned["instructions_before"]
        assert tuned["changed"] or "Nothing better was found: the program is unchanged." in printed
        assert "use it with" not in printed
        prompts = [str(body["messages"]) for body in lab.server.bodies if not brain.proposer.handles(body)]
        assert brain.proposer.proposals
        # The truncated proposal, which only lacks its last characters, would help if it were used.
        assert not any(words in prompt for prompt in prompts for words in (HELPFUL[:-2], "On and on.", "Do as here:"))


@given(st.integers(0, len(WORDS) - COPIED_RUN), st.text("abc \n.", max_size=40), st.sampled_from([" ", "\n", ", "]))
def test_1_a_run_of_copied_words_makes_a_proposal_unfit(start: int, around: str, between: str) -> None:
    copied = between.join(word.upper() for word in WORDS[start : start + COPIED_RUN])
    assert not ADAPTER.fit(f"{around} {copied} {around}")
    assert ADAPTER.fit(f"Do it. {between.join(WORDS[start : start + COPIED_RUN - 1])}")


@pytest.mark.parametrize("optimizer", ["random-search", "gepa"])
def test_2_a_server_that_disappears_ends_the_compilation(optimizer: str, tmp_path: Path) -> None:
    faults = FaultPlan(script=[None] * 21, rate=1.0, kinds=["503"])
    with compile_lab(tmp_path, weak="hypotheses", faults=faults) as lab:
        lab.make_first_training_text_easy(**STAGE)
        done = lab.compile(**STAGE, optimizer=optimizer, patience=0.05, concurrency=2)
        *warnings, error = done.stderr.splitlines()
        # The number of retries depends on timing; from the third failure of a call on, there is a warning.
        assert all("retrying in" in line for line in warnings)
        assert done.returncode == 1
        assert error.endswith("; run the same command again to continue")
        assert not (lab.output / "report.json").exists()


@pytest.mark.parametrize("optimizer", PROPOSING)
def test_2_a_proposer_that_disappears_ends_the_compilation(optimizer: str, tmp_path: Path) -> None:
    with compile_lab(tmp_path, weak="hypotheses") as lab:
        lab.make_first_training_text_easy(**STAGE)
        lab.brain.proposer = UnreachableProposer()
        optuna.logging.set_verbosity(optuna.logging.DEBUG)
        done = lab.compile(**STAGE, optimizer=optimizer, patience=0.05)
        assert done.returncode == 1
        assert "HTTP 500" in done.stderr
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
        assert DSPY_LOGGING_STREAM.enabled
        lab.server.brain_errors.clear()


class UnreachableProposer(Proposer):
    """A proposer whose every call fails."""

    def __call__(self, body: dict[str, Any]) -> str:  # noqa: ARG002
        raise ConnectionError("gone")


@pytest.mark.parametrize("function", ["measure.feedback_on", "proposing.ProposalAdapter.fit"])
def test_2_a_bug_of_ours_is_raised(function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError(function)

    with compile_lab(tmp_path, weak="hypotheses") as lab:
        monkeypatch.setattr(f"optimize.{function}", fail)
        with pytest.raises(ZeroDivisionError, match=function):
            lab.compile(**STAGE, optimizer="gepa")


def test_2_our_warnings_are_shown_while_others_are_silenced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_file(LogOptions(log_file=Path("/dev/full")), tmp_path / "out"), suppress_library_output():
        print("a library's", file=sys.stderr)
        logging.getLogger("synthreasoner").warning("a server is away")
    warning, log = capsys.readouterr().err.splitlines()
    assert warning == "WARNING synthreasoner: a server is away"
    assert "/dev/full cannot be written" in log


def test_3_the_same_seed_gives_the_same_result(tmp_path: Path) -> None:
    results = []
    with compile_lab(tmp_path, weak="hypotheses") as lab:
        lab.make_first_training_text_easy(**STAGE)
        for number in (1, 8):
            lab.brain.proposer.proposals = 0
            output = str(tmp_path / f"with {number}")
            assert lab.compile(**STAGE, optimizer="optuna", concurrency=number, output=output).returncode == 0
            results.append(json.loads(Path(output, "program.json").read_text())["strands.hypotheses"])
    assert results[0] == results[1]
