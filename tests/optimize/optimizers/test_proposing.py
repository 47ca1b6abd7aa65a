"""Which proposals are tried.

1. Empty and endless ones are not, nor those that copy a dozen words in a row from any text of the job.
2. Each completion is asked for once, as another rollout; what is left out, or all, leaves DSPy's optimizers working.
"""

from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimize.optimizers.proposing import LONGEST, LONGEST_QUOTE, Fitness, ProposalAdapter, source_of
from optimize.optimizers.session import compiling
from tests.lab import passage
from tests.optimize.optimizers.tuning import DULL, ENDLESS, MAGIC, Lab, example, small_laboratory

FIT = Fitness([example(number) for number in range(4)])
WORDS = passage(2).split()


@given(st.integers(0, len(WORDS) - LONGEST_QUOTE), st.text("abc \n.", max_size=40), st.sampled_from([" ", "\n", ", "]))
def test_a_dozen_words_in_a_row_are_a_copy(start: int, around: str, between: str) -> None:
    copied = between.join(word.upper() for word in WORDS[start : start + LONGEST_QUOTE])
    assert not FIT(f"{around} {copied} {around}")
    assert FIT(f"Do it. {between.join(WORDS[start : start + LONGEST_QUOTE - 1])}")


@pytest.mark.parametrize(("text", "fit"), [("", False), (" \n", False), (None, False), (DULL, True), (ENDLESS, False)])
def test_empty_and_endless_ones_are_not_fit(text: Any, fit: bool) -> None:
    assert FIT(text) is fit
    assert FIT("x" * LONGEST)
    assert not FIT("x" * (LONGEST + 1))


class Propose(dspy.Signature):
    """Propose."""

    basic_instruction: str = dspy.InputField()
    proposed_instruction: str = dspy.OutputField()


def asked(lab: Lab, count: int) -> list[str]:
    with lab.configured(), compiling(lab.job) as session, dspy.context(lm=lab.job.proposer):
        assert isinstance(dspy.settings.adapter, ProposalAdapter)
        made = dspy.Predict(Propose, n=count, temperature=1.0)(basic_instruction="As it was.")
        assert session.proposals == lab.proposals == count
        return list(made.completions.proposed_instruction)


def test_unfit_ones_are_left_out(tmp_path: Path) -> None:
    lab = small_laboratory(tmp_path, texts=(DULL, "", ENDLESS, MAGIC))
    assert asked(lab, 4) == [DULL, MAGIC]


def test_where_none_is_fit_nothing_changes(tmp_path: Path) -> None:
    assert asked(small_laboratory(tmp_path, texts=("", ENDLESS)), 2) == ["As it was."]


def test_the_proposer_reads_the_source_of_the_student(tmp_path: Path) -> None:
    assert source_of(small_laboratory(tmp_path).job.student).startswith("class Replier(dspy.Module):")
