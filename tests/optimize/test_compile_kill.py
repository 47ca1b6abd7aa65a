"""A compilation that is killed or interrupted.

1. Killed and resumed, it asks for no recorded answer again. Where the optimizer draws no lots at a new start (all but
   Optuna) it comes to the program and the proof of a compilation that nobody killed.
2. Ctrl-C ends it with 130 and one line, once the calls under way are recorded: resumed, not even these are made again.
3. A server that is away does not keep it from ending, whatever its patience.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.compiled import program_fingerprint
from programs.tracer import load_tracer
from tests.forked.process import Forked
from tests.lab import LONGEST, ended
from tests.optimize.compiling import Shop, workshop
from tests.standin.faults import FaultPlan


def until(shop: Shop, calls: int, process: Forked) -> None:
    """Waits for the server to have been asked so often."""
    deadline = time.monotonic() + LONGEST
    while shop.calls < calls:
        assert time.monotonic() < deadline, "the calls that were waited for did not come"
        assert process.poll() is None, f"it ended by itself: {process.communicate()}"
        time.sleep(0.002)


def quiet(shop: Shop) -> None:
    """Waits for the server to have nothing under way."""
    deadline = time.monotonic() + LONGEST
    while shop.server.in_flight:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def asked(shop: Shop) -> Counter[str]:
    """The student's requests, each by how often it came. A proposer is asked the same again for another proposal."""
    return Counter(json.dumps(body, sort_keys=True) for body in shop.server.bodies if "seed" in body)


def result(shop: Shop) -> tuple[str, Any]:
    return program_fingerprint(load_tracer(shop.output), "passage-first"), shop.report["proof"]


@pytest.mark.parametrize(("optimizer", "stage", "calls"), [("bootstrap", "all", 40), ("optuna", "answer", 30)])
def test_1_killed_and_resumed(optimizer: str, stage: str, calls: int, tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "stage": stage, "num_train": 1, "num_val": 1, "num_test": 2}
    with workshop(tmp_path, latency=0.003) as shop:
        shop.lucky_in_training(**options)
        process = shop.start(**options)
        try:
            until(shop, calls, process)
        finally:
            process.kill()
            process.communicate()
        quiet(shop)
        before, recorded = shop.calls, shop.recorded
        assert 0 < recorded <= before
        assert not (shop.output / "program.json").exists()

        done = shop.compile(**options)
        assert done.returncode == 0, done.stderr
        # Each answer that came too late for the journal is asked for once more, and nothing else.
        repeated = sum(times - 1 for times in asked(shop).values())
        assert repeated <= before - recorded
        assert shop.calls - shop.recorded == before - recorded
        assert shop.report["proof"]["composite"]["interval"]["low"] > 0
        if optimizer != "optuna":
            killed = result(shop)
            assert shop.compile(**options, resume=False).returncode == 0
            assert result(shop) == killed


def test_2_interrupted_and_resumed(tmp_path: Path) -> None:
    with workshop(tmp_path, latency=0.05) as shop:
        options: dict[str, Any] = {"optimizer": "mipro", "stage": "answer", "num_train": 1, "num_val": 1, "num_test": 2}
        shop.lucky_in_training(**options)
        process = shop.start(**options)
        until(shop, 32, process)
        process.send_signal(signal.SIGINT)
        done = ended(process)
        assert done.returncode == 130
        assert done.stderr == ""
        *_, last = done.stdout.splitlines()
        assert last == "interrupted: the calls under way are waited for; run the same command again to go on"
        assert shop.recorded == shop.calls

        shop.server.latency = 0.0
        assert shop.compile(**options).returncode == 0
        assert shop.recorded == shop.calls
        assert set(asked(shop).values()) == {1}
        assert shop.report["proof"]["composite"]["interval"]["low"] > 0


@pytest.mark.parametrize("fault", ["503", "hang"])
def test_3_interrupted_while_the_server_is_away(fault: str, tmp_path: Path) -> None:
    with workshop(tmp_path, latency=0.01) as shop:
        options: dict[str, Any] = {
            "optimizer": "bootstrap",
            "stage": "answer",
            "num_train": 1,
            "num_val": 1,
            "num_test": 2,
        }
        shop.lucky_in_training(**options)
        process = shop.start(**options, timeout=2, patience=900)
        until(shop, 20, process)
        shop.server.faults = FaultPlan(share=1.0, kinds=[fault])
        until(shop, 22, process)
        process.send_signal(signal.SIGINT)
        done = ended(process)
        assert (done.returncode, done.stderr) == (130, "")
        shop.server.faults = FaultPlan()
        assert shop.compile(**options).returncode == 0
