"""The parts of the benchmarks that decide what is counted."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signatures.thought import Thought
from tests.bench.process import run
from tests.bench.server import Bucket
from tests.bench.texts import LONG_THOUGHT, text_of


@given(
    st.floats(0.5, 100),
    st.floats(1, 200),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 1)), min_size=1, max_size=60),
)
def test_a_bucket_gives_no_more_than_its_content_and_what_flowed_in(
    rate: float, size: float, steps: list[tuple[float, float]]
) -> None:
    bucket, now, taken = Bucket(rate, size, 0.0), 0.0, 0.0
    for pause, amount in steps:
        now += pause
        if bucket.wait(amount, now) == 0:
            bucket.take(amount)
            taken += amount
    assert taken <= size + rate * now + 1e-6


def test_a_bucket_holds_what_was_asked_for_after_the_wait_it_names() -> None:
    bucket = Bucket(rate=2.0, size=4.0, now=10.0)
    bucket.take(4.0)
    wait = bucket.wait(3.0, 10.0)
    assert wait == 1.5
    assert bucket.wait(3.0, 10.0 + wait) == 0


def test_texts_are_of_real_length_and_each_is_another() -> None:
    found = [text_of(number) for number in range(400)]
    assert len(set(found)) == len({text.partition(". ")[0] for text in found}) == 400
    assert 900 <= min(map(len, found)) < 1200
    assert 5500 < max(map(len, found)) <= 6000
    thought = Thought.model_validate(LONG_THOUGHT)
    assert 350 < sum(len(text.split()) for text in thought.texts) < 450


def test_a_bill_counts_the_child_alone() -> None:
    ballast = bytearray(200 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    bill = run(["-S", "-c", "print('done')"])
    assert bill.output == "done\n"
    assert bill.peak_mb < 100


def test_a_process_is_interrupted_after_its_time() -> None:
    bill = run(["-S", "-c", "import time; time.sleep(600)"], expect=-signal.SIGINT, seconds=0.5)
    assert bill.code == -signal.SIGINT


def test_a_process_that_fails_is_an_error_with_what_it_printed() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        run(["-S", "-c", "raise SystemExit('no such luck')"])
