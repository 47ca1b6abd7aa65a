"""Invariants of `optimize.recording.recorder` that its users cannot bring about at will.

1. A call whose answer is kept and that has not landed yet counts once against `max_calls`.
2. A call that failed does not count.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from optimize.recording.call_journal import Call
from optimize.recording.recorder import BudgetSpent, Flight, Recorder
from programs.errors import CallError


def call(number: int) -> Call:
    return Call(key=f"{number:032x}", purpose="student", endpoint="http://x", model="m", text="said")


def flight(recorder: Recorder, number: int) -> Flight:
    found = recorder.turn(call(number).key, "student")
    assert isinstance(found, Flight)
    return found


def test_1_kept_and_not_landed_counts_once(tmp_path: Path) -> None:
    with Recorder(tmp_path, max_calls=2) as recorder:
        with flight(recorder, 1):
            recorder.keep(call(1))
            second = flight(recorder, 2)
            with pytest.raises(BudgetSpent):
                recorder.turn(call(3).key, "student")
        with second:
            assert isinstance(recorder.turn(call(2).key, "student"), Future)
            recorder.keep(call(2))
        assert recorder.turn(call(1).key, "student") == call(1)
    with Recorder(tmp_path, max_calls=2) as recorder, pytest.raises(BudgetSpent):
        recorder.turn(call(3).key, "student")


def test_2_a_failed_call_does_not_count(tmp_path: Path) -> None:
    with Recorder(tmp_path, max_calls=1) as recorder:
        for _ in range(2):
            with pytest.raises(CallError), flight(recorder, 1):
                raise CallError("no such thing")
        with flight(recorder, 1):
            recorder.keep(call(1))
