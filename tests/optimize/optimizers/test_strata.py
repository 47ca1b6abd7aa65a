"""What an optimizer draws holds the kinds of examples in equal number, in turn, where a job tells kinds apart."""

from pathlib import Path

import dspy
import pytest

from optimize.optimizers.candidates import search_space
from optimize.optimizers.session import compiling
from tests.optimize.optimizers.tuning import example, small_laboratory


def odd(one: dspy.Example) -> bool:
    return int(one.title[1:]) % 2 == 1


@pytest.mark.parametrize(("count", "expected"), [(2, 1), (6, 3), (8, 4), (20, 4)])
def test_draws_are_even(count: int, expected: int, tmp_path: Path) -> None:
    examples = [example(2 * number) for number in range(20)] + [example(2 * number + 1) for number in range(4)]
    lab = small_laboratory(tmp_path, stratum=odd)
    with lab.configured(), compiling(lab.job) as session:
        found = session.sample(examples, count, "val")
        assert len(found) == count == len({one.title for one in found})
        assert sum(map(odd, found)) == expected
        assert odd(found[0]) != odd(found[1])
        assert session.sample(examples, count, "val") == found
        assert session.sample(examples, 99, "val") != examples
        assert len(session.sample(examples, 99, "val")) == 24


def test_temperatures_are_left_where_the_job_says_so(tmp_path: Path) -> None:
    for wanted in (True, False):
        lab = small_laboratory(tmp_path, temperatures=wanted, runs=20)
        with lab.configured(), compiling(lab.job) as session:
            space = search_space(session, session.harvest(2, wanted=1), proposals=1)
            assert bool(space.choices["predict"].temperatures) is wanted
