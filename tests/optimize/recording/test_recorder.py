"""Invariants of `optimize.recording.recorder`. The first two its users cannot bring about at will.

1. A call whose answer is kept and that has not landed yet counts once against `max_calls`.
2. A call that failed does not count.
3. No more calls are paid for than `max_calls`, over all sessions; replays need no budget.
4. After an error that leaves nothing to hope for, and after the end, nothing is asked any more.
5. One process at a time; a call that is under way at the end is still recorded.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from optimize.recording.call_journal import Call
from optimize.recording.recorder import BudgetSpent, CompileStopped, Flight, Recorder
from programs.errors import AccessDenied, CallError, JournalError, UserError
from tests.lab import environment
from tests.optimize.recording.sessions import echo, our_error, session, wait_until
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


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


def test_3_no_more_calls_are_paid_for_than_allowed(tmp_path: Path) -> None:
    with StandIn(echo) as server:
        with session(tmp_path, server, max_calls=3) as asked:
            said = [asked.ask(str(number)) for number in range(3)]
            for _ in range(2):
                with pytest.raises(Exception, match="budget of 3 calls") as caught:
                    asked.ask("3")
                assert our_error(caught) is BudgetSpent
            assert isinstance(asked.recorder.failure, BudgetSpent)
            assert [asked.ask(str(number)) for number in range(3)] == said
        with session(tmp_path, server, max_calls=4) as asked:
            assert [asked.ask(str(number)) for number in range(3)] == said
            asked.ask("3")
            with pytest.raises(Exception, match="budget of 4 calls"):
                asked.ask("4")
    assert len(server.calls) == 4


def test_3_calls_under_way_count(tmp_path: Path) -> None:
    with StandIn(echo, latency=0.05) as server, session(tmp_path, server, max_calls=5) as asked:
        with ThreadPoolExecutor(12) as pool:
            futures = [pool.submit(asked.ask, str(number)) for number in range(12)]
        assert sum(future.exception() is None for future in futures) == 5
    assert len(server.calls) == 5


def test_4_nothing_is_asked_after_a_fatal_error(tmp_path: Path) -> None:
    with StandIn(echo, faults=FaultPlan(script=[None, "401"])) as server, session(tmp_path, server) as asked:
        said = asked.ask("known")
        for prompt in ("one", "two", "three"):
            with pytest.raises(Exception, match="401") as caught:
                asked.ask(prompt)
            assert our_error(caught) is AccessDenied
        assert isinstance(asked.recorder.failure, AccessDenied)
        assert asked.ask("known") == said
    assert len(server.calls) == 2


def test_4_nothing_is_asked_once_answers_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with StandIn(echo) as server, session(tmp_path, server) as asked:
        monkeypatch.setattr(os, "pwrite", full_disk)
        for prompt in ("one", "two"):
            with pytest.raises(Exception, match="No space left"):
                asked.ask(prompt)
        assert isinstance(asked.recorder.failure, JournalError)
    assert len(server.calls) == 1


def test_4_nothing_is_asked_after_the_end(tmp_path: Path) -> None:
    with StandIn(echo) as server, session(tmp_path, server) as asked:
        asked.ask()
        asked.recorder.close()
        with pytest.raises(Exception, match="ended") as caught:
            asked.ask("another")
    assert our_error(caught) is CompileStopped
    assert len(server.calls) == 1


def test_5_two_compilations_cannot_share_a_folder(tmp_path: Path) -> None:
    with Recorder(tmp_path):
        with pytest.raises(UserError, match="in use by another compile"):
            Recorder(tmp_path)
        code = (
            "import pathlib, sys; from optimize.recording.recorder import Recorder; Recorder(pathlib.Path(sys.argv[1]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], env=environment(), capture_output=True, text=True
        )
        assert "in use by another compile" in done.stderr
    Recorder(tmp_path).close()


def test_5_a_call_under_way_at_the_end_is_recorded(tmp_path: Path) -> None:
    with StandIn(echo, latency=0.2) as server:
        with session(tmp_path, server) as asked:
            thread = threading.Thread(target=asked.ask)
            thread.start()
            wait_until(lambda: server.in_flight)
            asked.recorder.close()
            with pytest.raises(UserError, match="in use"):
                Recorder(tmp_path)
            thread.join()
        with session(tmp_path, server) as asked:
            asked.ask()
    assert len(server.calls) == 1
