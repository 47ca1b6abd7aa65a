"""What every optimizer does, whichever it is: compilations of one stage, on a server in whose world better prompts help.

1. Of proposals that are empty, endless, copied from a text or cut off in the middle, none reaches the student; where there
   are no others the program stays as it was.
2. A server that goes away, of the student or of the proposer, is no score; nor is a mistake of ours. Whatever was
   silenced speaks again, and nothing was printed but our own warnings.
3. The same seed has the same result, however many run at once.
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
from tests.optimize.compiling import ENDLESS, MAGIC, Proposer, World, workshop
from tests.standin.faults import FaultPlan

PROPOSING = ("mipro", "copro", "simba", "gepa")
STAGE: dict[str, Any] = {"stage": "hypotheses", "num_test": 2}
ADAPTER = ProposalAdapter(examples_of([sample_of(passage(number)) for number in range(4)]), None)  # type: ignore[arg-type]
WORDS = passage(2).split()


@pytest.mark.parametrize("optimizer", PROPOSING)
def test_1_unfit_proposals_are_never_tried(optimizer: str, tmp_path: Path) -> None:
    texts = (MAGIC, ENDLESS, "", "   ", f"Do as here: {passage(1)}")
    world = World("hypotheses", proposer=Proposer(texts, cut=MAGIC))
    with workshop(tmp_path, world=world) as shop:
        if optimizer == "simba":  # which proposes only where runs differ
            shop.lucky_in_training(**STAGE)
        printed = shop.made(**STAGE, optimizer=optimizer)
        tuned = shop.report["predictors"]["strands.hypotheses"]
        assert tuned["instructions_after"] == tuned["instructions_before"]
        assert tuned["changed"] or "Nothing better was found: the program is unchanged." in printed
        assert "use it with" not in printed
        asked = [str(body["messages"]) for body in shop.server.bodies if not world.proposer.knows(body)]
        assert world.proposer.asked
        # Cut off by less than a word, it would still have helped.
        assert not any(words in prompt for prompt in asked for words in (MAGIC[:-2], "On and on.", "Do as here:"))


@given(st.integers(0, len(WORDS) - COPIED_RUN), st.text("abc \n.", max_size=40), st.sampled_from([" ", "\n", ", "]))
def test_1_a_dozen_words_in_a_row_are_a_copy(start: int, around: str, between: str) -> None:
    copied = between.join(word.upper() for word in WORDS[start : start + COPIED_RUN])
    assert not ADAPTER.fit(f"{around} {copied} {around}")
    assert ADAPTER.fit(f"Do it. {between.join(WORDS[start : start + COPIED_RUN - 1])}")


@pytest.mark.parametrize("optimizer", ["random-search", "simba", "gepa"])
def test_2_a_server_that_goes_away_is_no_score(optimizer: str, tmp_path: Path) -> None:
    faults = FaultPlan(script=[None] * 21, share=1.0, kinds=["503"])
    with workshop(tmp_path, weak="hypotheses", faults=faults) as shop:
        shop.lucky_in_training(**STAGE)
        done = shop.compile(**STAGE, optimizer=optimizer, patience=0.05, concurrency=2)
        *warnings, error = done.stderr.splitlines()
        # How often a call is tried again before patience ends is a matter of time; the third time is told.
        assert all("retrying in" in line for line in warnings)
        assert done.returncode == 1
        assert error.endswith("; run the same command again to continue")
        assert not (shop.output / "report.json").exists()


@pytest.mark.parametrize("optimizer", PROPOSING)
def test_2_a_proposer_that_goes_away_is_the_end(optimizer: str, tmp_path: Path) -> None:
    with workshop(tmp_path, weak="hypotheses") as shop:
        shop.lucky_in_training(**STAGE)
        shop.world.proposer = Away()
        optuna.logging.set_verbosity(optuna.logging.DEBUG)
        done = shop.compile(**STAGE, optimizer=optimizer, patience=0.05)
        assert done.returncode == 1
        assert "HTTP 500" in done.stderr
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
        assert DSPY_LOGGING_STREAM.enabled
        shop.server.surprises.clear()


class Away(Proposer):
    """One that has gone."""

    def __call__(self, body: dict[str, Any]) -> str:  # noqa: ARG002
        raise ConnectionError("gone")


@pytest.mark.parametrize("place", ["measure.feedback_on", "proposing.ProposalAdapter.fit"])
def test_2_a_mistake_of_ours_is_no_score(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError(place)

    with workshop(tmp_path, weak="hypotheses") as shop:
        monkeypatch.setattr(f"optimize.{place}", broken)
        with pytest.raises(ZeroDivisionError, match=place):
            shop.compile(**STAGE, optimizer="gepa")


def test_2_our_warnings_are_seen_where_others_are_silenced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_file(LogOptions(log_file=Path("/dev/full")), tmp_path / "out"), suppress_library_output():
        print("a library's", file=sys.stderr)
        logging.getLogger("synthreasoner").warning("a server is away")
    warning, log = capsys.readouterr().err.splitlines()
    assert warning == "WARNING synthreasoner: a server is away"
    assert "/dev/full cannot be written" in log


def test_3_the_same_seed_has_the_same_result(tmp_path: Path) -> None:
    results = []
    with workshop(tmp_path, weak="hypotheses") as shop:
        shop.lucky_in_training(**STAGE)
        for number in (1, 8):
            shop.world.proposer.asked = 0
            output = str(tmp_path / f"with {number}")
            assert shop.compile(**STAGE, optimizer="optuna", concurrency=number, output=output).returncode == 0
            results.append(json.loads(Path(output, "program.json").read_text())["strands.hypotheses"])
    assert results[0] == results[1]
