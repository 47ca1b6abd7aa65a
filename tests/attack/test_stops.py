"""What stops a run: signals, and servers that are gone.

1. One SIGINT or SIGTERM finishes the calls in flight, no others, writes the document as interrupted, and exits with
   130; a second one stops at once (tests/run/test_display.py). Either way the run can be resumed and repeats nothing
   that was written.
2. A server that is not there is a mistake of one line; one that goes away for good ends the run with exit code 1 and one
   clear line, and the run can be resumed.
"""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, called, interrupted, laboratory, mistake, wait_for
from tests.standin import scientist
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Asked


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_finishes_what_is_in_flight_and_no_more(tmp_path: Path, name: signal.Signals) -> None:
    """First tries of no use are kept too."""

    def questions(asked: Asked) -> Any:
        return scientist.questions(asked) if asked.given("feedback") else "I would rather not."

    stages: dict[str, scientist.Answer] = {"questions": questions}
    with laboratory(tmp_path, texts=12, stages=stages, latency=0.3, base={"concurrency": 4}) as lab:
        process = lab.start()
        wait_for(lambda: lab.calls >= 18)
        process.send_signal(name)
        wait_for(lambda: "stopping" in process.stderr.read_text(encoding="utf-8"), process)
        time.sleep(0.1)  # what was sent before the signal arrives; none of it is answered yet
        asked = lab.calls
        interrupted(process)
        assert lab.calls == asked, "no new call starts"
        assert len([*lab.lines("stage"), *lab.lines("failed")]) == asked, "what was in flight is finished and kept"
        assert lab.document["metadata"]["status"] == "interrupted"
        assert asked + lab.goes_on(12) == 12 * 9, "nothing is asked twice"
        assert lab.document["metadata"]["status"] == "completed"


@pytest.mark.parametrize("fault", ["hang", "500"])
def test_a_call_that_would_go_on_for_long_does_not_keep_the_run_from_stopping(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault], script=[None] * 20)
    base = {"concurrency": 4, "timeout": 1.0, "retry_wait": 60.0, "patience": 3000.0}
    with laboratory(tmp_path, texts=10, faults=faults, base=base) as lab:
        process = lab.start()
        wait_for(lambda: lab.calls >= 24)
        process.send_signal(signal.SIGINT)
        interrupted(process, within=20)
        assert lab.document["metadata"]["status"] == "interrupted"
        lab.goes_on(10)


def test_a_signal_while_starting_up_leaves_no_traceback(lab: Lab) -> None:
    process = lab.start_cold()
    wait_for(lab.journal.exists)
    process.send_signal(signal.SIGINT)
    interrupted(process)
    lab.goes_on(4)


GONE = "http://127.0.0.1:9"


def test_a_server_that_is_not_there_is_told_before_any_work(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not reachable" in mistake(called(*lab.arguments(api_base=f"{GONE}/v1", patience=0.05)))
    on_argo = {**lab.as_argo(monkeypatch), "output": str(lab.folder / "argo.json")}
    monkeypatch.setenv("ARGO_BASE_URL", GONE)
    assert "VPN" in mistake(called(*lab.arguments(**on_argo, patience=0.05)))
    assert not lab.output.exists()
    lab.goes_on(4)


@pytest.mark.parametrize("fault", ["reset", "prose"])
def test_a_server_that_is_gone_for_good_ends_the_run(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault], script=[None] * 40)
    with laboratory(tmp_path, texts=30, faults=faults, base={"patience": 0.05}) as lab:
        done = called(*lab.arguments())
        assert done.returncode == 1, done.stdout
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert "no usable answer" in line
        assert lab.document["metadata"]["status"] == "failed"
        kept = len(lab.lines("stage"))
        assert kept == 40
        assert lab.goes_on(30) == 30 * 8 - kept


def test_a_server_that_answers_nothing_is_told_even_when_there_is_little_to_ask(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1, faults=FaultPlan(share=1.0, kinds=["500"]), base={"patience": 0.05}) as lab:
        done = called(*lab.arguments())
        assert done.returncode == 1
        assert "HTTP 500" in done.stderr
