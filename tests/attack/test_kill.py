"""Kills runs at random moments, then resumes them. `pytest tests/attack/test_kill.py --kills 100` kills more often.

Everything is on that can be: judges, grades, own thoughts, blind solving, step checks, no question twice; a third of all
stages is answered only when it is asked again.

1. In the end there is exactly what an undisturbed run makes: the same variations, none twice, with the same words.
2. A call whose reply was written before a kill is never made again, whether the reply was of use or not.
3. At most as many others as were in flight, which is `concurrency`, are made again after a kill.
4. Whenever it is looked at, the document is whole or not there, and the journal is whole but for its last line.
5. Nothing but the document, the journal and what belongs to it is left behind.
"""

import contextlib
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from programs.asking.caller import seed_of
from tests.lab import LONGEST, Lab, ended, laboratory, unit_name
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import THOUGHT, Asked

CONCURRENCY = 32
SEED = 0

OPTIONS: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "grade_answers": True, "check_steps": True}
OPTIONS |= {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer", "thought": "both"}
OPTIONS |= {"traces_per_sample": 2, "concurrency": CONCURRENCY, "document_interval": 0.1, "seed": SEED}


def at_the_second_try(answer: Callable[[Asked], Any]) -> scientist.Answer:
    """A third of what is asked is first answered with chatter."""

    def said(asked: Asked) -> Any:
        refuses = not asked.given("feedback") and int(asked.nonce[:4], 16) % 3 == 0
        return "I would rather not." if refuses else answer(asked)

    return said


ANSWERS: dict[str, scientist.Answer] = {name: say for name, say in scientist.ANSWERS.items() if name != "own"}
ANSWERS["judge"] = lambda asked: verdict(4 + int(asked.nonce[0], 16) % 5)
"""Some attempts are rejected, and by which is fixed by what was asked."""
STAGES = {name: at_the_second_try(answer) for name, answer in ANSWERS.items()}


def seeds_written(lab: Lab) -> set[int]:
    """The sampling seeds of the requests whose replies the journal holds: they name a stage and a try."""
    if not lab.journal.exists():
        return set()
    replies = [(line["key"], line["reply"]) for kind in ("stage", "failed") for line in lab.lines(kind)]
    tries = [(key, len(reply["rejected"]) + (reply["status"] == "ok")) for key, reply in replies]
    return {seed_of(key, SEED, number) for key, count in tries for number in range(count)}


def seeds_sent(lab: Lab, since: int = 0) -> list[int]:
    return [body["seed"] for body in lab.server.bodies[since:]]


def words(lab: Lab) -> dict[str, tuple[str, str]]:
    return {record["id"]: (record["reasoning_trace"], record["final_answer"]) for record in lab.records}


def kill_at_a_random_moment(lab: Lab, dice: random.Random) -> None:
    """Starts the run, kills it, and lets the server forget it."""
    before = lab.calls
    process = lab.start(**OPTIONS)
    wanted = before + dice.randint(1, 2 * CONCURRENCY)
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
def test_a_killed_run_is_resumed_as_if_nothing_had_happened(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("--kills")
    dice = random.Random(kills)
    with laboratory(tmp_path / "calm", texts=4 + kills // 2, stages=STAGES, reasoning=THOUGHT) as undisturbed:
        undisturbed.run(**OPTIONS)
    with laboratory(tmp_path / "rough", texts=4 + kills // 2, stages=STAGES, reasoning=THOUGHT, latency=0.03) as lab:
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
        done = ended(lab.start_cold(**OPTIONS), within=LONGEST * (1 + kills / 10))
        assert done.returncode == 0, done.stderr

        for since, written in forbidden:
            assert not written.intersection(seeds_sent(lab, since)), "what was written is asked again"
        sent = seeds_sent(lab)
        assert len(sent) - len(set(sent)) <= kills * CONCURRENCY
        assert len(set(sent)) == undisturbed.calls
        stages_written = [line["key"] for line in lab.lines("stage")]
        assert len(stages_written) == len(set(stages_written)) == len(undisturbed.lines("stage"))

        assert words(lab) == words(undisturbed)
        units = {(*unit_name(record), record["thought"]) for record in lab.records}
        assert len(lab.records) == len(words(lab)) == len(units)
        assert lab.document["metadata"]["status"] == "completed"
        names = {path.name for path in lab.folder.iterdir()}
        belongings = {f"out.journal.jsonl{end}" for end in ("", ".index", ".lock")}
        assert names <= {"out.json", "out.run.log", "passages.jsonl", *belongings}
