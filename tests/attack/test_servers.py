"""Kills the servers of a run, or the run itself. The servers are separate processes.

1. If servers are killed, start late or come back with another model, the records are those of an undisturbed run, and at
   most the calls in flight are repeated. The same holds if the run itself is killed and resumed with other servers.
2. After a first Ctrl-C, the calls in flight finish, even if servers die; a second one stops at once. No file is torn.
3. The key is not written.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.forked.process import ForkedProcess
from tests.lab import KEY, Lab, expect_interrupted, laboratory, wait_for, wait_for_exit
from tests.run.merging.merging import records_by_id
from tests.standin.nodes import Node, servers
from tests.standin.panel import PANEL

CONCURRENCY = 16
OPTIONS: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "grade_answers": True}
OPTIONS |= {"concurrency": CONCURRENCY, "log_level": "debug"}
TEXTS = 32


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The records of an undisturbed run."""
    with laboratory(tmp_path_factory.mktemp("undisturbed"), texts=TEXTS) as lab:
        lab.run(**OPTIONS)
        return records_by_id(lab)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(name, KEY)


def bases(*nodes: Node) -> list[str]:
    return [node.base for node in nodes]


def answered_seeds(nodes: list[Node]) -> list[str]:
    return [seed for node in nodes for seed in node.seeds]


def wait_for_more(nodes: list[Node], run: ForkedProcess) -> None:
    """Waits for more replies than were in flight, so that some are to new calls."""
    before = len(answered_seeds(nodes))
    wait_for(lambda: len(answered_seeds(nodes)) > before + CONCURRENCY, run)


def expect_undisturbed_records(lab: Lab, undisturbed: dict[str, Any], nodes: list[Node], kills: int) -> None:
    """Asserts the records of an undisturbed run, and that each kill repeated at most the calls in flight."""
    assert records_by_id(lab) == undisturbed
    assert len(answered_seeds(nodes)) - len(set(answered_seeds(nodes))) <= kills * CONCURRENCY
    assert KEY.encode() not in lab.all_written_bytes()


@pytest.mark.attack
def test_killed_servers_and_runs_change_no_record(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    with laboratory(tmp_path / "rough", texts=TEXTS) as lab, servers(tmp_path, 3, "--latency", "0.5") as nodes:
        one, two, three = nodes
        three.kill()
        run = lab.start(api_base=bases(*nodes), **OPTIONS)
        wait_for_more(nodes, run)
        one.kill()
        wait_for_more(nodes, run)
        three.start()
        wait_for_more([three], run)
        two.kill()
        one.start("--model", "another")
        wait_for_more(nodes, run)
        three.kill()
        one.kill()
        for node in (one, three):
            node.start()
        wait_for_more([one], run)
        run.kill()
        run.wait()
        for node in (one, two):
            node.kill()
            node.start("--latency", "0")
        done = wait_for_exit(lab.start(api_base=bases(one, two), **OPTIONS))
        assert done.returncode == 0, done.stderr
        expect_undisturbed_records(lab, undisturbed, nodes, kills=6)


@pytest.mark.attack
@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_while_a_server_dies(tmp_path: Path, undisturbed: dict[str, Any], signals: int) -> None:
    with laboratory(tmp_path / "rough", texts=TEXTS) as lab, servers(tmp_path, 2, "--latency", "0.5") as nodes:
        run = lab.start(api_base=bases(*nodes), **OPTIONS)
        wait_for_more(nodes, run)
        run.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in run.stderr.read_text(encoding="utf-8"), run)
        nodes[0].kill()
        if signals == 2:
            run.send_signal(signal.SIGINT)
        expect_interrupted(run)
        written = len([*lab.lines("stage"), *lab.lines("failed")])
        if signals == 1:
            assert written == len(set(answered_seeds(nodes))), "the remaining server finishes the calls in flight"
        nodes[0].start("--latency", "0")
        assert wait_for_exit(lab.start(api_base=bases(nodes[0]), **OPTIONS)).returncode == 0
        expect_undisturbed_records(lab, undisturbed, nodes, kills=1)
