"""Kills runs at random moments, then resumes them. `--kills N` kills more often (20 by default).

1. In the end there is exactly what an undisturbed run makes: the same (sample, question type, variation), none twice,
   with the same words.
2. A call whose record was written before a kill is never made again.
3. At most as many others as were in flight, which is `concurrency`, are made again after a kill.
4. Whenever it is looked at, the document is whole or not there, and the journal is whole but for its last line.
5. Nothing but the document, the journal and what belongs to it is left behind.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from programs.asking.caller import seed_of
from tests.lab import LONGEST, Lab, ended, laboratory
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

RUNS = 4
CONCURRENCY = 6
SEED = 0
TRIES = 3

OPTIONS: dict[str, Any] = {
    "traces_per_sample": 2,
    "traces_per_question": 2,
    "quality_check": True,
    "judge_models": PANEL,
    "grade_answers": True,
    "concurrency": CONCURRENCY,
    "document_interval": 0.1,
    "seed": SEED,
}


def judge(asked: Asked) -> dict[str, Any]:
    """Some attempts are rejected, and by which is fixed by what was asked."""
    return verdict(4 + int(asked.nonce[0], 16) % 5)


def texts_for(kills: int) -> int:
    return 4 + kills * 4 // 3


def kills_of(run: int, total: int) -> int:
    """The kills of one of the runs, together `total`."""
    return total // RUNS + (run < total % RUNS)


def seeds_written(lab: Lab) -> set[int]:
    """The sampling seeds of the requests whose stages the journal holds: they name a stage and a try."""
    if not lab.journal.exists():
        return set()
    return {seed_of(line["key"], SEED, number) for line in lab.lines("stage") for number in range(TRIES)}


def seeds_sent(lab: Lab, since: int = 0) -> list[int]:
    return [body["seed"] for body in lab.server.bodies[since:]]


def words(lab: Lab) -> dict[str, tuple[str, str]]:
    return {record["id"]: (record["reasoning_trace"], record["final_answer"]) for record in lab.records}


def kill_at_a_random_moment(lab: Lab, dice: random.Random) -> None:
    """Starts the run, kills it, and lets the server forget it."""
    before = lab.calls
    process = lab.start(**OPTIONS)
    wanted = before + dice.randint(1, 40)
    # Some are killed before their first call: while they start, read the journal, or write its first line.
    deadline = time.monotonic() + (dice.uniform(0.0, 0.5) if dice.random() < 0.2 else LONGEST)
    while lab.calls < wanted and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(dice.uniform(0.0, 0.03))
    assert process.poll() is None, f"the run was over before it could be killed: {ended(process)}"
    process.kill()
    ended(process)
    while lab.server.in_flight:
        time.sleep(0.002)


@pytest.mark.attack
@pytest.mark.parametrize("run", range(RUNS))
def test_a_killed_run_is_resumed_as_if_nothing_had_happened(
    tmp_path: Path, request: pytest.FixtureRequest, run: int
) -> None:
    kills = kills_of(run, request.config.getoption("--kills"))
    dice = random.Random(f"kill/{run}")
    stages: dict[str, scientist.Answer] = {"judge": judge}
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir()
    rough.mkdir()
    with laboratory(calm, texts=texts_for(kills), stages=stages) as undisturbed:
        undisturbed.run(**OPTIONS)
    with laboratory(rough, texts=texts_for(kills), stages=stages, latency=0.03) as lab:
        forbidden: list[tuple[int, set[int]]] = []
        for _ in range(kills):
            before = lab.calls
            kill_at_a_random_moment(lab, dice)
            written = seeds_written(lab)
            assert len(set(seeds_sent(lab, before)) - written) <= CONCURRENCY, "more was lost than was in flight"
            forbidden.append((lab.calls, written))
            with contextlib.suppress(FileNotFoundError):
                json.loads(lab.output.read_text(encoding="utf-8"))
        lab.server.latency = 0.0
        # Forked ones share the seed of their hashes; this one has another.
        done = ended(lab.start_cold(**OPTIONS))
        assert done.returncode == 0, done.stderr

        for since, written in forbidden:
            assert not written.intersection(seeds_sent(lab, since)), "what was written is asked again"
        sent = seeds_sent(lab)
        assert len(sent) - len(set(sent)) <= kills * CONCURRENCY
        assert len(set(sent)) == undisturbed.calls
        stages_written = [line["key"] for line in lab.lines("stage")]
        assert len(stages_written) == len(set(stages_written)) == undisturbed.calls

        assert sorted(lab.units) == sorted(undisturbed.units)
        assert len(lab.units) == len(set(lab.units))
        assert words(lab) == words(undisturbed)
        assert lab.document["metadata"]["status"] == "completed"
        names = {path.name for path in lab.folder.iterdir()}
        belongings = {"out.journal.jsonl", "out.journal.jsonl.index", "out.journal.jsonl.lock"}
        assert names <= {"out.json", "out.run.log", "passages.jsonl", *belongings}
