"""A run over several servers, from its command line to its document.

1. Nothing is lost, whatever one server does (killed servers: tests/attack/test_servers.py).
2. Before the first call, each server is asked for its models. A server that rejects the key ends the run with one line that
   names it; an unreachable one is left out with a warning, unless all are unreachable.
3. Servers may come and go between the runs of one journal.
4. The records do not depend on the number of servers.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab import KEY, Lab, laboratory, run_command, user_error
from tests.run.merging.merging import records_by_id
from tests.standin.faults import FaultPlan
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import AnswerFunction
from tests.standin.server import StandIn

UNREACHABLE = "http://127.0.0.1:9/v1"


def base_urls(*servers: StandIn) -> list[str]:
    return [server.openai_base for server in servers]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with laboratory(tmp_path, texts=12) as lab:
        yield lab


def test_a_server_that_fails_half_of_its_calls_loses_nothing_and_can_be_removed(lab: Lab) -> None:
    plan = FaultPlan(rate=0.5, kinds=["500", "503", "reset", "html", "empty"], seed=2)
    judges = {"quality_check": True, "judge_models": ["openai/one", "openai/two"]}
    with StandIn(lab.brain, faults=plan) as other:
        finished = lab.run(api_base=base_urls(lab.server, other), traces_per_sample=2, **judges)
    assert (finished.status, finished.failure) == ("completed", None)
    assert len(set(lab.units)) == 24
    assert lab.lines("failed") == []
    assert {"500", "503", "connection"} <= set(finished.summary.this_run.faults)
    assert {body["model"] for body in other.bodies} == {"any", "one", "two"}
    assert lab.run(traces_per_sample=3, **judges).status == "completed"
    assert len(set(lab.units)) == 36, "with one server fewer"


def test_a_server_that_rejects_the_key_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with StandIn(lab.brain, api_key="another-one") as other:
        line = user_error(run_command(*lab.arguments(api_base=base_urls(lab.server, other))))
    assert other.openai_base in line
    assert lab.server.openai_base not in line
    assert "401" in line
    assert KEY not in line
    assert lab.calls == len(other.calls) == 0


def test_an_unreachable_server_does_not_keep_a_run_from_starting(lab: Lab) -> None:
    for list_models in (False, True):
        done = run_command(*lab.arguments(api_base=[UNREACHABLE, *base_urls(lab.server)], list_models=list_models))
        assert done.returncode == 0, done.stderr
        assert f"{UNREACHABLE} is not reachable" in done.stderr
    assert done.stdout == "gpt4o  (GPT-4o)\n"
    assert len(set(lab.units)) == 12
    down = [UNREACHABLE, UNREACHABLE.replace("9", "10")]
    assert "not reachable" in user_error(run_command(*lab.arguments(api_base=down, list_models=True)))
    assert "not reachable" in user_error(run_command(*lab.arguments(api_base=down, max_traces=20, traces_per_sample=2)))


@pytest.mark.parametrize("max_traces", [None, 6])
def test_the_records_do_not_depend_on_the_number_of_servers(tmp_path: Path, max_traces: int | None) -> None:
    records, stages = [], dict[str, AnswerFunction](judge=lambda request: verdict(4 + int(request.nonce[0], 16) % 5))
    for count in (1, 2, 3):
        with ExitStack() as running:
            lab = running.enter_context(laboratory(tmp_path / str(count), texts=8, stages=stages))
            lab.input.write_bytes(lab.input.read_bytes() * 2)
            others = [running.enter_context(StandIn(lab.brain, latency=0.01 * n)) for n in range(1, count)]
            judged = {"quality_check": True, "judge_models": PANEL, "grade_answers": True, "traces_per_sample": 2}
            finished = lab.run(api_base=base_urls(lab.server, *others), max_traces=max_traces, **judged)
            assert finished.summary.input["skipped"] == {"duplicate text": 8} or max_traces
            assert all(server.calls for server in others)
            records.append(records_by_id(lab))
    assert records[0] == records[1] == records[2]
    assert len(records[0]) == max_traces or max_traces is None
