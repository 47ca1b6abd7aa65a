"""A run over several servers, from its command line to its document.

1. nothing is lost whatever one of them does (one that dies: tests/lms/test_spread.py)
2. before the first call each server is reached; one line names the one that cannot be used
3. servers may come and go between the runs of one journal
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import KEY, Lab, called, laboratory, mistake
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


def bases(*servers: StandIn) -> list[str]:
    return [server.openai_base for server in servers]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with laboratory(tmp_path, texts=12) as lab:
        yield lab


def test_a_server_that_fails_half_the_time_loses_nothing_and_may_go(lab: Lab) -> None:
    plan = FaultPlan(share=0.5, kinds=["500", "503", "reset", "html", "empty"], seed=2)
    judges = {"quality_check": True, "judge_models": ["openai/one", "openai/two"]}
    with StandIn(lab.brain, faults=plan) as other:
        finished = lab.run(api_base=bases(lab.server, other), traces_per_sample=2, **judges)
    assert (finished.status, finished.error) == ("completed", None)
    assert len(set(lab.units)) == 24
    assert lab.lines("failed") == []
    assert {"500", "503", "connection"} <= set(finished.summary.this_run.faults)
    assert {body["model"] for body in other.bodies} == {"any", "one", "two"}
    assert lab.run(traces_per_sample=3, **judges).status == "completed"
    assert len(set(lab.units)) == 36, "with one server less"


def test_a_server_that_refuses_the_key_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with StandIn(lab.brain, api_key="another-one") as other:
        line = mistake(called(*lab.arguments(api_base=bases(lab.server, other))))
    assert other.openai_base in line
    assert lab.server.openai_base not in line
    assert "401" in line
    assert KEY not in line
    assert lab.calls == len(other.calls) == 0
