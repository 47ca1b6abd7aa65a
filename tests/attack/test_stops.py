"""Runs stopped by signals, and by servers that are gone.

1. After the first SIGINT or SIGTERM, a run finishes only the calls in flight, writes the document as interrupted, and
   exits with 130; a second signal stops it at once (tests/run/test_display.py). Either way it can be resumed, and repeats
   no call whose reply was written.
2. An unreachable server is a one-line user error; a server that is gone for good ends the run with exit code 1 and one
   clear line, and the run can be resumed.
"""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, expect_interrupted, laboratory, run_command, user_error, wait_for
from tests.standin import scientist
from tests.standin.faults import FaultPlan
from tests.standin.scientist import StageRequest


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_finishes_only_the_calls_in_flight(tmp_path: Path, signal_number: signal.Signals) -> None:
    """Also keeps unusable first tries."""

    def questions(request: StageRequest) -> Any:
        return scientist.questions(request) if request.input("feedback") else "I would rather not."

    stages: dict[str, scientist.AnswerFunction] = {"questions": questions}
    with laboratory(tmp_path, texts=12, stages=stages, latency=0.3, base={"concurrency": 4}) as lab:
        process = lab.start()
        wait_for(lambda: lab.calls >= 18)
        process.send_signal(signal_number)
        wait_for(lambda: "stopping" in process.stderr.read_text(encoding="utf-8"), process)
        time.sleep(0.1)  # calls sent before the signal arrive; none is answered yet
        calls = lab.calls
        expect_interrupted(process)
        assert lab.calls == calls, "no new call starts"
        assert len([*lab.lines("stage"), *lab.lines("failed")]) == calls, "the calls in flight are finished and kept"
        assert lab.document["metadata"]["status"] == "interrupted"
        assert calls + lab.run_to_completion(12) == 12 * 9, "no call is repeated"
        assert lab.document["metadata"]["status"] == "completed"


@pytest.mark.parametrize("fault", ["hang", "500"])
def test_a_call_that_would_take_long_does_not_delay_the_stop(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(rate=1.0, kinds=[fault], script=[None] * 20)
    base = {"concurrency": 4, "timeout": 1.0, "retry_wait": 60.0, "patience": 3000.0}
    with laboratory(tmp_path, texts=10, faults=faults, base=base) as lab:
        process = lab.start()
        wait_for(lambda: lab.calls >= 24)
        process.send_signal(signal.SIGINT)
        expect_interrupted(process, timeout=20)
        assert lab.document["metadata"]["status"] == "interrupted"
        lab.run_to_completion(10)


def test_a_signal_during_startup_leaves_no_traceback(lab: Lab) -> None:
    process = lab.start_cold()
    wait_for(lab.journal.exists)
    process.send_signal(signal.SIGINT)
    expect_interrupted(process)
    lab.run_to_completion(4)


UNREACHABLE = "http://127.0.0.1:9"


def test_an_unreachable_server_is_an_error_before_any_work(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not reachable" in user_error(run_command(*lab.arguments(api_base=f"{UNREACHABLE}/v1", patience=0.05)))
    on_argo = {**lab.as_argo(monkeypatch), "output": str(lab.folder / "argo.json")}
    monkeypatch.setenv("ARGO_BASE_URL", UNREACHABLE)
    assert "VPN" in user_error(run_command(*lab.arguments(**on_argo, patience=0.05)))
    assert not lab.output.exists()
    lab.run_to_completion(4)


@pytest.mark.parametrize("fault", ["reset", "prose"])
def test_a_server_that_is_gone_for_good_ends_the_run(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(rate=1.0, kinds=[fault], script=[None] * 40)
    with laboratory(tmp_path, texts=30, faults=faults, base={"patience": 0.05}) as lab:
        done = run_command(*lab.arguments())
        assert done.returncode == 1, done.stdout
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert "no usable answer" in line
        assert lab.document["metadata"]["status"] == "failed"
        kept = len(lab.lines("stage"))
        assert kept == 40
        assert lab.run_to_completion(30) == 30 * 8 - kept


def test_a_server_that_answers_nothing_is_an_error_even_for_one_text(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1, faults=FaultPlan(rate=1.0, kinds=["500"]), base={"patience": 0.05}) as lab:
        done = run_command(*lab.arguments())
        assert done.returncode == 1
        assert "HTTP 500" in done.stderr
