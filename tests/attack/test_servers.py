"""Kills what a run over several servers stands on. The servers are processes of their own.

1. Whatever is killed, comes late or comes back as another model: in the end there are the records of an undisturbed run,
   and at most what was in flight was asked again. So too when the run itself is killed, and goes on with other servers.
2. One Ctrl-C finishes what is in flight, though servers die meanwhile; a second one stops at once. Nothing is torn.
3. The key is not written.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.forked.process import Forked
from tests.lab import KEY, Lab, ended, interrupted, laboratory, wait_for
from tests.run.merging.merging import records_by_id
from tests.standin.nodes import Node, servers
from tests.standin.panel import PANEL

CONCURRENCY = 16
OPTIONS: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "grade_answers": True}
OPTIONS |= {"concurrency": CONCURRENCY, "log_level": "debug"}
TEXTS = 32


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The records of a run that nothing disturbs."""
    with laboratory(tmp_path_factory.mktemp("calm"), texts=TEXTS) as lab:
        lab.run(**OPTIONS)
        return records_by_id(lab)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(name, KEY)


def bases(*nodes: Node) -> list[str]:
    return [node.base for node in nodes]


def asked(nodes: list[Node]) -> list[str]:
    return [seed for node in nodes for seed in node.seeds]


def wait_for_more(nodes: list[Node], run: Forked) -> None:
    """Until some are answered that were not in flight."""
    before = len(asked(nodes))
    wait_for(lambda: len(asked(nodes)) > before + CONCURRENCY, run)


def expect_the_same(lab: Lab, calm: dict[str, Any], nodes: list[Node], kills: int) -> None:
    """As undisturbed, with no more asked again than was in flight when so many were killed."""
    assert records_by_id(lab) == calm
    assert len(asked(nodes)) - len(set(asked(nodes))) <= kills * CONCURRENCY
    assert KEY.encode() not in lab.everything_written()


@pytest.mark.attack
def test_what_is_killed_changes_no_record(tmp_path: Path, calm: dict[str, Any]) -> None:
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
        done = ended(lab.start(api_base=bases(one, two), **OPTIONS))
        assert done.returncode == 0, done.stderr
        expect_the_same(lab, calm, nodes, kills=6)


@pytest.mark.attack
@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_while_a_server_dies(tmp_path: Path, calm: dict[str, Any], signals: int) -> None:
    with laboratory(tmp_path / "rough", texts=TEXTS) as lab, servers(tmp_path, 2, "--latency", "0.5") as nodes:
        run = lab.start(api_base=bases(*nodes), **OPTIONS)
        wait_for_more(nodes, run)
        run.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in run.stderr.read_text(encoding="utf-8"), run)
        nodes[0].kill()
        if signals == 2:
            run.send_signal(signal.SIGINT)
        interrupted(run)
        written = len([*lab.lines("stage"), *lab.lines("failed")])
        if signals == 1:
            assert written == len(set(asked(nodes))), "what was in flight is finished, by the server that is left"
        nodes[0].start("--latency", "0")
        assert ended(lab.start(api_base=bases(nodes[0]), **OPTIONS)).returncode == 0
        expect_the_same(lab, calm, nodes, kills=1)
