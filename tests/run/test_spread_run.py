"""A run over several servers, from its command line to its document.

1. nothing is lost whatever one of them does (one that is killed: tests/attack/test_servers.py)
2. before the first call each server is asked for its models; one line names the one that refuses; one that is not up is
   left out with a warning, unless none is up
3. servers may come and go between the runs of one journal
4. the records do not depend on how many servers there are
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab import KEY, Lab, called, laboratory, mistake
from tests.run.merging.merging import records_by_id
from tests.standin.faults import FaultPlan
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Answer
from tests.standin.server import StandIn

DEAD = "http://127.0.0.1:9/v1"


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
    assert (finished.status, finished.failure) == ("completed", None)
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


def test_a_server_that_is_not_up_keeps_nobody_from_beginning(lab: Lab) -> None:
    for looks in (False, True):
        done = called(*lab.arguments(api_base=[DEAD, *bases(lab.server)], list_models=looks))
        assert done.returncode == 0, done.stderr
        assert f"{DEAD} is not reachable" in done.stderr
    assert done.stdout == "gpt4o  (GPT-4o)\n"
    assert len(set(lab.units)) == 12
    gone = [DEAD, DEAD.replace("9", "10")]
    assert "not reachable" in mistake(called(*lab.arguments(api_base=gone, list_models=True)))
    assert "not reachable" in mistake(called(*lab.arguments(api_base=gone, max_traces=20, traces_per_sample=2)))


@pytest.mark.parametrize("most", [None, 6])
def test_the_records_are_those_of_one_server(tmp_path: Path, most: int | None) -> None:
    made, some = [], dict[str, Answer](judge=lambda asked: verdict(4 + int(asked.nonce[0], 16) % 5))
    for count in (1, 2, 3):
        with ExitStack() as running:
            lab = running.enter_context(laboratory(tmp_path / str(count), texts=8, stages=some))
            lab.input.write_bytes(lab.input.read_bytes() * 2)
            others = [running.enter_context(StandIn(lab.brain, latency=0.01 * n)) for n in range(1, count)]
            judged = {"quality_check": True, "judge_models": PANEL, "grade_answers": True, "traces_per_sample": 2}
            finished = lab.run(api_base=bases(lab.server, *others), max_traces=most, **judged)
            assert finished.summary.input["skipped"] == {"duplicate text": 8} or most
            assert all(server.calls for server in others)
            made.append(records_by_id(lab))
    assert made[0] == made[1] == made[2]
    assert len(made[0]) == most or most is None
