"""Invariants of what is shown while a run goes on (`programs.run.display`, `programs.run.ledger`):

1. The panel and the line hold the same facts, at any width; a number that is unknown is never shown as 0.
2. On no terminal there is a line at the start, one a minute and one at the end, each of which begins with `progress:`.
3. On a terminal, the first Ctrl-C says how many calls are finished before the run saves and that a second one stops at
   once, which it does; both can be resumed, and nothing is paid for twice.
4. Failures are told while the calls that failed are still being tried, by kind, the newest in one line.
5. The time left is that of the traces that are left.
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
from tests.lab import LONGEST, called, environment, laboratory
from tests.lms.asking import Clock
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
    """A run of which a thousand traces are made."""
    reading = cast(Reading, SimpleNamespace(texts=None if to_end is None else fields.get("texts_done", 1034) + to_end))
    made = Ledger(Gate(16), Budget(BudgetOptions()), reading, texts_in_progress=32)
    made.gate.in_flight, made.gate.closed = in_flight, stopping is not None
    made.gate.interrupted, made.budget.reached = stopping == "interrupted", stopping and "9 calls"
    made.budget.cost = cost
    given = {"traces": Counter(accepted=1034, rejected=12, failed=1), "total": SPENT, "texts_done": 1034}
    for name, value in {**given, **fields}.items():
        setattr(made, name, value)
    made.faults.update({"429": 112, "timeout": 3, "500": 2, "connection": 1})
    return made


def view(run: Ledger | None = None, seconds: float = 100.0, earlier: int = 900, **given: Any) -> ProgressView:
    """The run as it stands when the last of its traces were made in so many seconds."""
    clock, run = Clock(), run or ledger()
    found = ProgressView(run, Settings(model="m", **given), clock)
    traces, total = run.traces, run.total
    run.traces, run.total = Counter(accepted=earlier), ResourceUsage(calls=8272, prompt_tokens=3_000_000)
    found.look()
    clock.now += seconds
    run.traces, run.total = traces, total
    return found.look()


def words(found: ProgressView, columns: int) -> str:
    """The panel without its frame, as one line."""
    console = Console(width=columns, record=True, file=io.StringIO(), force_terminal=True)
    console.print(panel(found, NOON, columns))
    return " ".join(" ".join(row.strip("│╭╮╰╯─ ") for row in console.export_text().splitlines()).split())


def test_1_panel_and_line_say_the_same() -> None:
    run = ledger()
    run.will_retry(RateLimited("slow\n down", status=429), 12.4)
    found = view(run)
    for said in (
        "1,034 of about 4,100 traces (25%)",
        "so far",
        "about 0:38:09 left",
        "80.4 traces/min",
        "15 of 16 in flight, 1 waiting to retry, 9,272 answered, 43 of them asked again",
        "1,034 done, 32 in progress",
        "1,034 accepted, 1 failed, 12 rejected",
        "3,012,345 tokens read, 901,234 written, cost 1.234",
        "429 x113, timeout x3, 500 x2",
        "slow down",
    ):
        assert all(said in words(found, columns) for columns in (60, 100)), said
        assert said in line(found, NOON)


def test_1_what_is_unknown_is_not_nothing() -> None:
    found = view(ledger(to_end=None, cost=None, total=ResourceUsage(calls=3, prompt_tokens=None)), earlier=1034)
    said = line(found, NOON)
    for unknown in ("cost unknown", "tokens unknown", "1,034 traces;", "time left unknown", "no pace yet"):
        assert unknown in said
    assert "100%" not in words(found, 100)
    fewer = line(view(ledger(accepted_before=1100, texts_done=30)), NOON)
    assert re.search(r"1,034 traces;.* time left unknown, ", fewer), "what becomes fewer foretells nothing"


def test_1_a_goal_is_no_guess_and_the_input_may_fall_short_of_it() -> None:
    assert "1,034 of 4,100 traces" in line(view(ledger(goal=4100)), NOON)
    assert "the input" not in line(view(ledger(goal=4100)), NOON)
    assert "; the input will give about 4,100 in all" in words(view(ledger(goal=5000)), 100)
    assert "too early to estimate the time left" in line(view(ledger(to_end=None, goal=10**15)), NOON)


@pytest.mark.parametrize("earlier", [900, 1034])
@pytest.mark.parametrize("given", [{"goal": 1034}, {"goal": 1000}, {"to_end": 0, "texts_in_progress": 0}])
def test_1_of_a_run_that_has_all_no_time_left_is_told(given: dict[str, Any], earlier: int) -> None:
    said = line(view(ledger(**given), earlier=earlier), NOON)
    assert "(100%)" in said
    assert "too early" not in said
    assert "left" not in said


@pytest.mark.parametrize(("why", "again"), [("interrupted", "Ctrl-C again"), ("the budget is spent", "Ctrl-C twice")])
def test_1_a_run_that_stops_says_what_it_finishes(why: str, again: str) -> None:
    run = ledger(stopping=why, in_flight=3)
    run.will_retry(RateLimited("slow down", status=429), 12.4)
    found = view(run)
    for said in (words(found, 60), line(found, NOON)):
        assert "waiting" not in said
        assert f"{why}: finishing the 3 calls in flight, then saving; {again} stops at once" in said
        assert "left" not in said


def test_2_lines_come_at_both_ends_and_every_so_often_and_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "PLAIN_SECONDS", 0.2)
    with laboratory(tmp_path, latency=0.3) as lab:
        done = called(*lab.arguments(max_traces=3))
        monkeypatch.setattr(ProgressView, "rows", lambda _self, _now: 1 / 0)
        unseen = called(*lab.arguments())
        assert (unseen.returncode, len(lab.records)) == (0, 4)
    assert "could not be shown: ZeroDivisionError" in unseen.stderr
    first, *between, last = [row for row in done.stdout.splitlines() if row.startswith("progress:")]
    assert first.startswith("progress: started, 0 of 3 traces (0%);")
    assert re.match(r"progress: \d of 3 traces \(\d+%\); time ", between[-1])
    assert last.startswith("progress: ended, 3 of 3 traces (100%);")
    assert "0 of 8 in flight, 24 answered" in last
    assert "cost unknown" in last


def read_on(terminal: int, until: str | None) -> str:
    """What is written on a terminal until something is said (None: until it is closed), without colours, frames and ends
    of lines."""
    written, deadline = "", time.monotonic() + LONGEST
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
    faults = FaultPlan(share=1.0, kinds=["hang"], script=[None] * 20)
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": "60", "LINES": "40"}
    with laboratory(tmp_path, texts=10, faults=faults, base={"concurrency": 4, "timeout": 900.0}) as lab:
        command = [sys.executable, "-m", "programs.generate", *lab.arguments()]
        pid, terminal = pty.fork()
        if not pid:
            os.execve(sys.executable, command, env)
        try:
            read_on(terminal, "4 of 4 in flight, 20 answered")
            os.write(terminal, b"\x03")
            read_on(terminal, "finishing the 4 calls in flight")
            os.write(terminal, b"\x03")
            said = read_on(terminal, None)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130, said
        assert "stopped at once; run the same command again to continue" in said
        assert "Traceback" not in said
        assert len(lab.lines("stage")) == 20
        lab.server.faults = FaultPlan()
        _, calls = lab.counted()
        assert calls == 10 * 8 - 20
        assert len(set(lab.units)) == 10


def test_5_it_is_that_of_the_traces_that_are_left() -> None:
    assert re.search(r"about 0:01:00 left \(done .* 2023 ", line(view(ledger(goal=1034 + 134), seconds=60.0), NOON))
    assert "about 0:00:40 left" in line(view(ledger(to_end=40.0), seconds=134.0), NOON), "the input's"
    barren = ledger(texts_done=2066, goal=None)
    assert "about 0:19:07 left" in line(view(barren), NOON), "half of the texts give none"


def test_5_a_text_that_is_decided_again_is_one_that_is_done(tmp_path: Path) -> None:
    seen: list[Ledger] = []

    @asynccontextmanager
    async def watched(ledger: Ledger) -> AsyncIterator[None]:
        ledger.reading.counting.join()
        yield
        seen.append(ledger)

    with laboratory(tmp_path, texts=8) as lab:
        lab.run(max_traces=3)
        asyncio.run(run(lab.settings(max_traces=5, quality_check=True, judge_models=["openai/j"]), watched))
    assert [(one.traces["accepted"], one.texts_done, one.texts_left) for one in seen] == [(5, 5, 3.0)]
    seen[0].texts_done, seen[0].texts_in_progress = 9, 2
    assert seen[0].texts_left == 2.0, "texts that are taken up at the end"
