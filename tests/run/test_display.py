"""Invariants of the progress display (`programs.run.display`, `programs.run.ledger`).

1. The panel and the line show the same facts, at any width; an unknown number is never shown as 0.
2. Without a terminal there is a line at the start, one a minute and one at the end, each starting with `progress:`.
3. On a terminal, the first Ctrl-C shows how many calls will finish before the run saves, and that a second one stops at
   once, which it does; either way the run can be resumed, and no call is paid twice.
4. Failures are shown while their calls are still being retried: counts by kind, and the newest on one line.
5. The time left is the time that the remaining traces will take.
"""

import asyncio
import io
import os
import pty
import re
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from programs.errors import RateLimited
from programs.lms.meter import ResourceUsage
from programs.option_groups import BudgetOptions
from programs.run import display
from programs.run.budget import Budget
from programs.run.display import ProgressView, line, panel
from programs.run.gate import Gate
from programs.run.ledger import Ledger
from programs.run.reading import Reading
from programs.run.run import run
from programs.settings import Settings
from tests.lab import PROCESS_TIMEOUT, environment, laboratory, run_command
from tests.lms.asking import ManualClock
from tests.standin.faults import FaultPlan

NOON = 1_700_000_000.0
SPENT = ResourceUsage(calls=9272, reasks=43, prompt_tokens=3_012_345, completion_tokens=901_234)


def ledger(
    to_end: float | None = 3066,
    cost: float | None = 1.2345,
    stopping: str | None = None,
    in_flight: int = 15,
    **fields: Any,
) -> Ledger:
    """The ledger of a run that has made a thousand traces."""
    reading = cast(Reading, SimpleNamespace(texts=None if to_end is None else fields.get("texts_done", 1034) + to_end))
    ledger = Ledger(Gate(16), Budget(BudgetOptions()), reading, texts_in_progress=32)
    ledger.gate.in_flight, ledger.gate.closed = in_flight, stopping is not None
    ledger.gate.interrupted, ledger.budget.reached = stopping == "interrupted", stopping and "9 calls"
    ledger.budget.cost = cost
    defaults = {"traces": Counter(accepted=1034, rejected=12, failed=1), "total": SPENT, "texts_done": 1034}
    for name, value in {**defaults, **fields}.items():
        setattr(ledger, name, value)
    ledger.retries.faults.update({"429": 112, "timeout": 3, "500": 2, "connection": 1})
    return ledger


def view(run: Ledger | None = None, seconds: float = 100.0, earlier: int = 900, **options: Any) -> ProgressView:
    """The view of a run whose traces after the `earlier` ones were made in the last `seconds`."""
    clock, run = ManualClock(), run or ledger()
    progress = ProgressView(run, Settings(model="m", **options), clock)
    traces, total = run.traces, run.total
    run.traces, run.total = Counter(accepted=earlier), ResourceUsage(calls=8272, prompt_tokens=3_000_000)
    progress.look()
    clock.now += seconds
    run.traces, run.total = traces, total
    return progress.look()


def panel_text(progress: ProgressView, columns: int) -> str:
    """The text of the panel without its frame, on one line."""
    console = Console(width=columns, record=True, file=io.StringIO(), force_terminal=True)
    console.print(panel(progress, NOON, columns))
    return " ".join(" ".join(row.strip("│╭╮╰╯─ ") for row in console.export_text().splitlines()).split())


def test_1_panel_and_line_show_the_same_facts() -> None:
    run = ledger()
    run.retries.record(RateLimited("slow\n down", status=429), 12.4)
    progress = view(run)
    for fact in (
        "1,034 of about 4,100 traces (25%)",
        "so far",
        "about 0:38:09 left",
        "80.4 traces/min",
        "15 of 16 in flight, 1 waiting to retry, 9,272 finished, 43 of them asked again",
        "1,034 done, 32 in progress",
        "1,034 accepted, 1 failed, 12 rejected",
        "3,012,345 tokens read, 901,234 written, cost 1.234",
        "429 x113, timeout x3, 500 x2",
        "slow down",
    ):
        assert all(fact in panel_text(progress, columns) for columns in (60, 100)), fact
        assert fact in line(progress, NOON)


def test_1_unknown_numbers_are_not_shown_as_0() -> None:
    progress = view(ledger(to_end=None, cost=None, total=ResourceUsage(calls=3, prompt_tokens=None)), earlier=1034)
    text = line(progress, NOON)
    for unknown in ("cost unknown", "tokens unknown", "1,034 traces;", "time left unknown", "no pace yet"):
        assert unknown in text
    assert "100%" not in panel_text(progress, 100)
    fewer = line(view(ledger(accepted_before=1100, texts_done=30)), NOON)
    assert re.search(r"1,034 traces;.* time left unknown, ", fewer), "a decrease gives no forecast"


def test_1_a_goal_is_exact_and_the_input_may_fall_short_of_it() -> None:
    assert "1,034 of 4,100 traces" in line(view(ledger(goal=4100)), NOON)
    assert "the input" not in line(view(ledger(goal=4100)), NOON)
    assert "; the input will give about 4,100 in all" in panel_text(view(ledger(goal=5000)), 100)
    assert "too early to estimate the time left" in line(view(ledger(to_end=None, goal=10**15)), NOON)


@pytest.mark.parametrize("earlier", [900, 1034])
@pytest.mark.parametrize("fields", [{"goal": 1034}, {"goal": 1000}, {"to_end": 0, "texts_in_progress": 0}])
def test_1_a_finished_run_shows_no_time_left(fields: dict[str, Any], earlier: int) -> None:
    text = line(view(ledger(**fields), earlier=earlier), NOON)
    assert "(100%)" in text
    assert "too early" not in text
    assert "left" not in text


@pytest.mark.parametrize(("reason", "key"), [("interrupted", "Ctrl-C again"), ("the budget is spent", "Ctrl-C twice")])
def test_1_a_stopping_run_says_what_it_finishes(reason: str, key: str) -> None:
    run = ledger(stopping=reason, in_flight=3)
    run.retries.record(RateLimited("slow down", status=429), 12.4)
    progress = view(run)
    for text in (panel_text(progress, 60), line(progress, NOON)):
        assert "waiting" not in text
        assert f"{reason}: finishing the 3 calls in flight, then saving; {key} stops at once" in text
        assert "left" not in text


def test_2_lines_come_at_both_ends_and_at_intervals_and_cannot_fail_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "PLAIN_SECONDS", 0.2)
    with laboratory(tmp_path, latency=0.3) as lab:
        done = run_command(*lab.arguments(max_traces=3))
        monkeypatch.setattr(ProgressView, "rows", lambda _self, _now: 1 / 0)
        without_display = run_command(*lab.arguments())
        assert (without_display.returncode, len(lab.records)) == (0, 4)
    assert "could not be shown: ZeroDivisionError" in without_display.stderr
    first, *between, last = [row for row in done.stdout.splitlines() if row.startswith("progress:")]
    assert first.startswith("progress: started, 0 of 3 traces (0%);")
    assert re.match(r"progress: \d of 3 traces \(\d+%\); time ", between[-1])
    assert last.startswith("progress: ended, 3 of 3 traces (100%);")
    assert "0 of 8 in flight, 24 finished" in last
    assert "cost unknown" in last


def read_terminal(terminal: int, until: str | None) -> str:
    """Reads from a terminal until a text appears (None: until it is closed). Returns its text without colours or frames."""
    written, deadline = "", time.monotonic() + PROCESS_TIMEOUT
    while True:
        plain = " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[│╭╮╰╯─\r\n]", " ", written).split())
        if until is not None and until in plain:
            return plain
        assert time.monotonic() < deadline, plain
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                written += os.read(terminal, 65536).decode("utf-8", "replace")
            except OSError:
                assert until is None, plain
                return plain


def test_3_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    faults = FaultPlan(rate=1.0, kinds=["hang"], script=[None] * 20)
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": "60", "LINES": "40"}
    with laboratory(tmp_path, texts=10, faults=faults, base={"concurrency": 4, "timeout": 900.0}) as lab:
        command = [sys.executable, "-m", "programs.generate", *lab.arguments()]
        pid, terminal = pty.fork()
        if not pid:
            os.execve(sys.executable, command, env)
        try:
            read_terminal(terminal, "4 of 4 in flight, 20 finished")
            os.write(terminal, b"\x03")
            read_terminal(terminal, "finishing the 4 calls in flight")
            os.write(terminal, b"\x03")
            text = read_terminal(terminal, None)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130, text
        assert "stopped at once; run the same command again to continue" in text
        assert "Traceback" not in text
        assert len(lab.lines("stage")) == 20
        lab.server.faults = FaultPlan()
        _, calls = lab.run_and_count()
        assert calls == 10 * 8 - 20
        assert len(set(lab.units)) == 10


def test_5_the_time_left_is_that_of_the_remaining_traces() -> None:
    assert re.search(r"about 0:01:00 left \(done .* 2023 ", line(view(ledger(goal=1034 + 134), seconds=60.0), NOON))
    assert "about 0:00:40 left" in line(view(ledger(to_end=40.0), seconds=134.0), NOON), "estimated from the input"
    with_many_empty_texts = ledger(texts_done=2066, goal=None)
    assert "about 0:19:07 left" in line(view(with_many_empty_texts), NOON), "half of the texts give no trace"


def test_5_the_pace_includes_the_time_before_the_first_trace_and_after_the_last() -> None:
    clock, run = ManualClock(), ledger(goal=6, traces=Counter())
    progress = ProgressView(run, Settings(model="m"), clock).look()
    for minutes in (10, 1, 9):
        clock.now += 60 * minutes
        run.traces["accepted"] = min(2, run.traces["accepted"] + 1)
        progress.look()
    assert "about 0:40:00 left" in line(progress, NOON)
    assert "6.0 traces/h" in line(progress, NOON)


def test_5_a_text_that_is_decided_again_counts_as_done(tmp_path: Path) -> None:
    seen: list[Ledger] = []

    @asynccontextmanager
    async def keep_ledger(ledger: Ledger) -> AsyncIterator[None]:
        ledger.reading.counting.join()
        yield
        seen.append(ledger)

    with laboratory(tmp_path, texts=8) as lab:
        lab.run(max_traces=3)
        asyncio.run(run(lab.settings(max_traces=5, quality_check=True, judge_models=["openai/j"]), keep_ledger))
    assert [(run.traces["accepted"], run.texts_done, run.texts_left) for run in seen] == [(5, 5, 3.0)]
    seen[0].texts_done, seen[0].texts_in_progress = 9, 2
    assert seen[0].texts_left == 2.0, "texts that are resumed at the end"
