"""Kills runs at random moments, then resumes them. `pytest tests/attack/test_kill.py --kills 100` kills more often.

All options are on: judges, grades, own thoughts, blind solving, step checks, no repeated questions. A third of all stages
gets a usable answer only when re-asked.

1. The final result is exactly that of an undisturbed run: the same variations, each once, with the same texts.
2. A call whose reply was written before a kill is never made again, whether the reply was usable or not.
3. After a kill, at most `concurrency` other calls, those that were in flight, are made again.
4. At any moment the document is complete or missing, and the journal is complete except for its last line.
5. No files are left except the document, the journal and the files that belong to it.
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
from tests.lab import PROCESS_TIMEOUT, Lab, laboratory, unit_name, wait_for_exit
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import THOUGHT, StageRequest

CONCURRENCY = 32
SEED = 0

OPTIONS: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "grade_answers": True, "check_steps": True}
OPTIONS |= {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer", "thought": "both"}
OPTIONS |= {"traces_per_sample": 2, "concurrency": CONCURRENCY, "document_interval": 0.1, "seed": SEED}


def answer_when_reasked(answer: Callable[[StageRequest], Any]) -> scientist.AnswerFunction:
    """Answers a third of the requests with a refusal first, and properly when re-asked."""

    def answer_or_refuse(request: StageRequest) -> Any:
        refuses = not request.input("feedback") and int(request.nonce[:4], 16) % 3 == 0
        return "I would rather not." if refuses else answer(request)

    return answer_or_refuse


ANSWERS: dict[str, scientist.AnswerFunction] = {name: fn for name, fn in scientist.ANSWERS.items() if name != "own"}
ANSWERS["judge"] = lambda request: verdict(4 + int(request.nonce[0], 16) % 5)
"""Some attempts are rejected; the verdict depends on the request alone."""
STAGES = {name: answer_when_reasked(answer) for name, answer in ANSWERS.items()}


def seeds_written(lab: Lab) -> set[int]:
    """The sampling seeds of the requests whose replies are in the journal. A seed identifies a stage and a try."""
    if not lab.journal.exists():
        return set()
    replies = [(line["key"], line["reply"]) for kind in ("stage", "failed") for line in lab.lines(kind)]
    tries = [(key, len(reply["rejected"]) + (reply["status"] == "ok")) for key, reply in replies]
    return {seed_of(key, SEED, number) for key, count in tries for number in range(count)}


def seeds_sent(lab: Lab, since: int = 0) -> list[int]:
    return [body["seed"] for body in lab.server.bodies[since:]]


def texts_by_id(lab: Lab) -> dict[str, tuple[str, str]]:
    return {record["id"]: (record["reasoning_trace"], record["final_answer"]) for record in lab.records}


def kill_at_a_random_moment(lab: Lab, rng: random.Random) -> None:
    """Starts a run, kills it, and waits until the server has none of its requests left."""
    before = lab.calls
    process = lab.start(**OPTIONS)
    target = before + rng.randint(1, 2 * CONCURRENCY)
    # Some runs are killed before their first call: while they start, read the journal, or write its first line.
    deadline = time.monotonic() + (rng.uniform(0.0, 0.5) if rng.random() < 0.2 else PROCESS_TIMEOUT)
    while lab.calls < target and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.03))
    assert process.poll() is None, f"the run ended before it was killed: {wait_for_exit(process)}"
    process.kill()
    wait_for_exit(process)
    while lab.server.in_flight:
        time.sleep(0.002)


@pytest.mark.attack
def test_a_resumed_run_makes_what_an_undisturbed_one_makes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("--kills")
    rng = random.Random(kills)
    with laboratory(tmp_path / "calm", texts=4 + kills // 2, stages=STAGES, reasoning=THOUGHT) as undisturbed:
        undisturbed.run(**OPTIONS)
    with laboratory(tmp_path / "rough", texts=4 + kills // 2, stages=STAGES, reasoning=THOUGHT, latency=0.03) as lab:
        kill_points: list[tuple[int, set[int]]] = []
        for _ in range(kills):
            before = lab.calls
            kill_at_a_random_moment(lab, rng)
            written = seeds_written(lab)
            assert len(set(seeds_sent(lab, before)) - written) <= CONCURRENCY, "more calls lost than in flight"
            kill_points.append((lab.calls, written))
            with contextlib.suppress(FileNotFoundError):
                json.loads(lab.output.read_text(encoding="utf-8"))
        lab.server.latency = 0.0
        # Forked processes share a hash seed; a new interpreter has another.
        done = wait_for_exit(lab.start_cold(**OPTIONS), timeout=PROCESS_TIMEOUT * (1 + kills / 10))
        assert done.returncode == 0, done.stderr

        for since, written in kill_points:
            assert not written.intersection(seeds_sent(lab, since)), "a call whose reply was written was repeated"
        sent = seeds_sent(lab)
        assert len(sent) - len(set(sent)) <= kills * CONCURRENCY
        assert len(set(sent)) == undisturbed.calls
        stages_written = [line["key"] for line in lab.lines("stage")]
        assert len(stages_written) == len(set(stages_written)) == len(undisturbed.lines("stage"))

        assert texts_by_id(lab) == texts_by_id(undisturbed)
        units = {(*unit_name(record), record["thought"]) for record in lab.records}
        assert len(lab.records) == len(texts_by_id(lab)) == len(units)
        assert lab.document["metadata"]["status"] == "completed"
        names = {path.name for path in lab.folder.iterdir()}
        journal_files = {f"out.journal.jsonl{end}" for end in ("", ".index", ".lock")}
        assert names <= {"out.json", "out.run.log", "passages.jsonl", *journal_files}
