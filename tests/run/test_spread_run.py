"""A run over several servers, from its command line to its document.

1. nothing is lost whatever one of them does
2. before the first call each server is reached; one line names the one that cannot be used
3. servers may come and go between the runs of one journal
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from programs.run.run import Finished
from tests.lab import KEY, Lab, called, laboratory, mistake
from tests.standin.faults import FaultPlan
from tests.standin.server import StandIn


def bases(*servers: StandIn) -> list[str]:
    return [server.openai_base for server in servers]


def whole(lab: Lab, finished: Finished, traces: int) -> None:
    """Every trace was made, and no stage of any failed."""
    assert (finished.status, finished.error) == ("completed", None)
    assert len(set(lab.units)) == traces
    assert lab.lines("failed") == []


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with laboratory(tmp_path, texts=12) as lab:
        yield lab


def test_a_server_that_fails_half_the_time_loses_nothing(lab: Lab) -> None:
    plan = FaultPlan(share=0.5, kinds=["500", "503", "reset", "html", "empty"], seed=2)
    judges = {"quality_check": True, "judge_models": ["openai/one", "openai/two"]}
    with StandIn(lab.brain, faults=plan) as other:
        finished = lab.run(api_base=bases(lab.server, other), traces_per_sample=2, **judges)
    whole(lab, finished, 24)
    assert {"500", "503", "connection"} <= set(finished.summary.this_run.faults)
    assert {body["model"] for body in other.bodies} == {"any", "one", "two"}


def test_a_server_that_dies_under_way_loses_nothing(lab: Lab) -> None:
    other = StandIn(lab.brain, latency=0.05).__enter__()

    def kill() -> None:
        while len(other.calls) < 4:
            time.sleep(0.001)
        other.__exit__(None, None, None)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    finished = lab.run(api_base=bases(lab.server, other))
    killer.join()
    whole(lab, finished, 12)
    assert set(finished.summary.this_run.faults) == {"connection"}
    with StandIn(lab.brain, port=other.port) as back:
        finished = lab.run(api_base=bases(lab.server, back), traces_per_sample=2)
        whole(lab, finished, 24)
        assert len(back.calls) > 0


def test_a_server_that_refuses_the_key_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with StandIn(lab.brain, api_key="another-one") as other:
        line = mistake(called(*lab.arguments(api_base=bases(lab.server, other))))
    assert other.openai_base in line
    assert lab.server.openai_base not in line
    assert "401" in line
    assert KEY not in line
    assert lab.calls == len(other.calls) == 0


def test_a_server_without_the_model_is_named(tmp_path: Path) -> None:
    with laboratory(tmp_path, models=[("any", "any")]) as lab, StandIn(lab.brain, models=[("any-2", "any-2")]) as other:
        line = mistake(called(*lab.arguments(api_base=bases(lab.server, other))))
        assert f"{other.openai_base} does not have the model 'any' (nearest names: any-2)" in line
        assert lab.calls == 0


@pytest.mark.parametrize("way", ["again", "config"])
def test_bases_may_be_given_in_any_way(lab: Lab, tmp_path: Path, way: str) -> None:
    with StandIn(lab.brain) as other:
        one, two = bases(lab.server, other)
        words = {"again": ["--api-base", one, "--api-base", two], "config": ["--config", str(tmp_path / "run.yaml")]}
        (tmp_path / "run.yaml").write_text(yaml.safe_dump({"api_base": [one, two]}))
        done = called(*lab.arguments(api_base=None), *words[way])
        assert done.returncode == 0, done.stderr
        assert len(lab.server.calls) > 0 < len(other.calls)
