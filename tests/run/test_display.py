"""Invariants of what is shown while a run goes on (`programs.run.display`, `progress`, `progress_view`, `trouble`):

1. The panel and the line hold the same facts, at any width; a number that is unknown is never shown as 0.
2. On no terminal there is a line at the start, one a minute and one at the end, each of which begins with `progress:`.
3. On a terminal, the first Ctrl-C says how many calls are finished before the run saves and that a second one stops at
   once, which it does; both can be resumed, and nothing is paid for twice.
4. Failures are told while the calls that failed are still being tried, each once, the newest in one line.
5. The pace is that of the last two minutes.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from programs.errors import RateLimited, TransientError
from programs.lms.failures import TimedOut
from programs.run import display
from programs.run.display import line, panel
from programs.run.estimate import Estimate
from programs.run.ledger import FRESH, Trouble
from programs.run.progress import Progress, Recent
from tests.lab import LONGEST, Lab, called, environment, laboratory
from tests.standin.faults import FaultPlan

NOON = 1_700_000_000.0
FACTS = Progress(
    begun=True,
    done=1034,
    total=4100,
    sure=False,
    expected=4100,
    seconds=5124.0,
    estimate=Estimate(25_500.0, None, 4100.0),
    pace=6.53,
    in_flight=15,
    capacity=16,
    texts_done=1034,
    texts_open=32,
    calls=9272,
    tokens_read=3_012_345,
    tokens_written=901_234,
    cost=1.2345,
    accepted=1034,
    lost={"rejected": 12, "failed": 1},
    reasks=43,
    errors=Counter({"429": 112, "timeout": 3, "500": 2, "connection": 1}),
    last_error="http://127.0.0.1:8000 answered HTTP 429: slow down",
    waiting="rate limited: 7 calls wait to be tried again, the next in 12 s",
    stopping=None,
)


def painted(facts: Progress, columns: int) -> list[str]:
    console = Console(width=columns, record=True, file=open(os.devnull, "w"), force_terminal=True)  # noqa: PTH123, SIM115
    console.print(panel(facts, NOON, columns))
    return console.export_text().splitlines()


def words(facts: Progress, columns: int) -> str:
    """The panel without its frame, as one line."""
    return " ".join(" ".join(row.strip("│╭╮╰╯─ ") for row in painted(facts, columns)).split())


# 1. The same facts


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_1_the_panel_fits_and_leaves_room_for_the_echo_of_ctrl_c(columns: int) -> None:
    rows = painted(FACTS, columns)
    assert max(map(len, rows)) <= min(columns, 100) - 3
    assert len(rows) <= 20


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize(
    "said",
    [
        "1,034 of about 4,100 traces (25%)",
        "1 h 25 min so far",
        "about 7 h 05 min left",
        "6.5 traces/min",
        "15 of 16 in flight, 9,272 answered, 43 of them asked again",
        "1,034 done, 32 under way",
        "1,034 accepted, 12 rejected, 1 failed",
        "3.01M tokens read, 901k written, cost 1.23",
        "429 x112, timeout x3, 500 x2, 1 more",
        "rate limited: 7 calls wait to be tried again, the next in 12 s",
    ],
)
def test_1_panel_and_line_say_the_same(said: str, columns: int) -> None:
    assert said in words(FACTS, columns)
    assert said in line(FACTS, NOON)


def test_1_what_is_unknown_is_not_nothing() -> None:
    unknown = replace(FACTS, tokens_read=None, tokens_written=None, cost=None, total=None, estimate=None, pace=None)
    said = line(unknown, NOON)
    assert "cost unknown" in said
    assert "tokens unknown" in said
    assert "1,034 traces;" in said
    assert "no telling how long" in said
    assert "no trace yet" in said
    assert "100%" not in words(unknown, 100)


def test_1_a_goal_is_no_guess_and_a_budget_is_named() -> None:
    assert "1,034 of 4,100 traces" in line(replace(FACTS, sure=True), NOON)
    assert "the input" not in line(replace(FACTS, sure=True), NOON)
    short = replace(FACTS, sure=True, total=5000)
    assert "; the input will give about 4,100 in all" in words(short, 100)
    budget = replace(FACTS, estimate=Estimate(90.0, "calls", None))
    assert "about 1 min 30 s left until the budget of calls is spent" in line(budget, NOON)


def test_1_a_long_error_takes_one_row() -> None:
    long = replace(FACTS, last_error="x" * 5000)
    assert len(painted(long, 80)) == len(painted(FACTS, 80))
    assert len(line(long, NOON)) < 1000


@pytest.mark.parametrize(("why", "again"), [("interrupted", "Ctrl-C again"), ("the budget is spent", "Ctrl-C twice")])
def test_1_a_run_that_stops_says_what_it_finishes(why: str, again: str) -> None:
    stopping = replace(FACTS, stopping=why, in_flight=3)
    for said in (words(stopping, 60), line(stopping, NOON)):
        assert f"{why}: finishes the 3 calls in flight and saves; {again} stops at once" in said
        assert "left" not in said


# 2. No terminal


def test_2_there_is_a_line_at_the_start_and_one_at_the_end(lab: Lab) -> None:
    done = called(*lab.arguments(max_traces=3))
    first, last = [row for row in done.stdout.splitlines() if row.startswith("progress:")]
    assert first.startswith("progress: begins, 0 of 3 traces (0%);")
    assert last.startswith("progress: ends, 3 of 3 traces (100%);")
    assert "0 of 8 in flight, 24 answered" in last
    assert "cost unknown" in last


def test_2_there_is_one_every_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "PLAIN_SECONDS", 0.0)
    with laboratory(tmp_path, texts=4, latency=0.3) as lab:
        done = called(*lab.arguments())
        between = [row for row in done.stdout.splitlines() if row.startswith("progress:")][1:-1]
        assert between
        assert all(re.match(r"progress: \d of about \d traces \(\d+%\); time ", row) for row in between[-1:])


def test_2_the_input_is_counted_where_no_goal_is_set(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, latency=0.02, base={"concurrency": 2}) as lab:
        done = called(*lab.arguments())
        last = [row for row in done.stdout.splitlines() if row.startswith("progress:")][-1]
        assert last.startswith("progress: ends, 12 of about 12 traces (100%);")


def test_2_a_mistake_shows_no_progress(lab: Lab) -> None:
    done = called(*lab.arguments(input_file="nowhere.jsonl"))
    assert done.returncode == 2
    assert "progress:" not in done.stdout


# 3. A terminal


@dataclass
class Screen:
    """A run on a terminal of its own, and everything that it wrote there."""

    process: subprocess.Popen[bytes]
    end: int
    written: str = ""

    def read(self, seconds: float = 0.1) -> bool:
        """Reads on; False when the terminal was closed."""
        if select.select([self.end], [], [], seconds)[0]:
            try:
                found = os.read(self.end, 65536)
            except OSError:
                return False
            self.written += found.decode("utf-8", "replace")
            return bool(found)
        return True

    def wait_for(self, said: str, after: int = 0) -> None:
        """Until this was written."""
        deadline = time.monotonic() + LONGEST
        while not re.search(said, plain(self.written[after:])):
            assert self.read() or re.search(said, plain(self.written[after:])), plain(self.written)
            assert time.monotonic() < deadline, plain(self.written)

    def type(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def ended(self) -> int:
        """Its exit code."""
        deadline = time.monotonic() + LONGEST
        while self.read() and time.monotonic() < deadline:
            pass
        return self.process.wait(timeout=LONGEST)


def plain(written: str) -> str:
    """What was written, without colours, frames and line ends."""
    without = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    return " ".join(re.sub(r"[│╭╮╰╯─\r\n]", " ", without).split())


@contextmanager
def on_a_terminal(lab: Lab, columns: int = 100) -> Iterator[Screen]:
    """The run at a terminal: Ctrl-C is a key there, which the terminal turns into SIGINT."""
    ours, theirs = pty.openpty()
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, "-m", "programs.generate", *lab.arguments()],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=env,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    try:
        yield Screen(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_3_one_ctrl_c_finishes_what_is_in_flight(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, latency=0.8, base={"concurrency": 4}) as lab:
        with on_a_terminal(lab) as screen:
            screen.wait_for(r"4 of 4 in flight, [1-9]\d* answered")
            screen.type(b"\x03")
            screen.wait_for(r"finishes the \d calls? in flight and saves; Ctrl-C again stops at once")
            assert screen.ended() == 130, plain(screen.written)
        assert "interrupted; run the same command again to go on" in plain(screen.written)
        assert "Traceback" not in screen.written
        kept = len(lab.lines("stage"))
        assert kept == lab.calls, "what was in flight was finished and kept"
        assert lab.document["metadata"]["status"] == "interrupted"
        lab.server.latency = 0.0
        lab.run()
        assert lab.calls == 12 * 8, "nothing is asked twice"


def test_3_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    faults = FaultPlan(share=1.0, kinds=["hang"], script=[None] * 20)
    with laboratory(tmp_path, texts=10, faults=faults, base={"concurrency": 4, "timeout": 900.0}) as lab:
        with on_a_terminal(lab, columns=60) as screen:
            screen.wait_for("4 of 4 in flight, 20 answered")
            screen.type(b"\x03")
            screen.wait_for("finishes the 4 calls in flight")
            screen.type(b"\x03")
            assert screen.ended() == 130, plain(screen.written)
        assert "stopped at once; run the same command again to go on" in plain(screen.written)
        assert "Traceback" not in screen.written
        assert len(lab.lines("stage")) == 20
        lab.server.faults = FaultPlan()
        _, calls = lab.counted()
        assert calls == 10 * 8 - 20
        assert len(set(lab.units)) == 10


def test_3_a_refusing_server_is_told_while_nothing_is_answered(tmp_path: Path) -> None:
    faults = FaultPlan(share=1.0, kinds=["429"])
    base = {"concurrency": 4, "retry_wait": 30.0, "patience": 3000.0}
    with laboratory(tmp_path, texts=8, faults=faults, base=base) as lab, on_a_terminal(lab) as screen:
        screen.wait_for(r"429 x4")
        screen.wait_for(r"rate limited: 4 calls wait to be tried again, the next in [123]\d s")
        screen.process.send_signal(signal.SIGTERM)
        screen.wait_for("finishes the 4 calls in flight")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.ended() == 130


# 4. Trouble


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_4_each_failure_counts_once_however_it_was_heard_of() -> None:
    trouble = Trouble()
    for error in (RateLimited("slow down", status=429), TimedOut("no reply\n in time"), TimedOut("again")):
        trouble.pauses(error, 1.0)
    assert trouble.by_kind({}) == {"429": 1, "timeout": 2}
    assert trouble.by_kind({"429": 1, "timeout": 3, "schema": 1}) == {"429": 1, "timeout": 3, "schema": 1}
    assert trouble.last == "again"


def test_4_what_is_waited_for_is_told_as_long_as_it_lasts() -> None:
    clock = Clock()
    trouble = Trouble(clock)
    assert trouble.waited_for is None
    trouble.pauses(TransientError("broken"), 20.0)
    trouble.pauses(TransientError("broken"), 5.0)
    assert trouble.waited_for == "retrying: 2 calls wait to be tried again, the next in 5 s"
    clock.now += 6.0
    assert trouble.waited_for == "retrying: 1 call waits to be tried again, the next in 14 s"
    clock.now += 20.0
    assert trouble.waited_for is None
    trouble.pauses(RateLimited("slow down", status=429), 1.0)
    clock.now += 2.0
    assert (trouble.waited_for or "").startswith("rate limited")
    clock.now += FRESH
    assert trouble.waited_for is None


# 5. The pace


def test_5_the_pace_is_of_late() -> None:
    clock = Clock()
    recent = Recent(clock)
    assert recent.pace(0) is None
    for second in range(1, 601):
        clock.now = 100.0 + second
        # One a second for five minutes, then one in ten seconds.
        made = min(second, 300) + max(0, second - 300) // 10
        pace = recent.pace(made)
        if second == 290:
            assert pace == pytest.approx(60, rel=0.02)
    assert pace == pytest.approx(6, rel=0.1)
