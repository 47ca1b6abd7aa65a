"""`python -m programs.calibrate`, with judges that are known: what they say depends on what people said.

1. Each judge's figures are those of its ratings against people's, computed by hand here; so is the agreement of judges.
2. Nothing is paid for twice: the same command again asks nothing, more labels or another judge only what is new, and an
   interrupted or limited one goes on.
3. A judge that fails is unscored: counted, and in no figure.
4. The report is what `programs.generate --judge-calibration` takes, from at least 30 ratings of 1-10 that both gave.
5. A judge is shown what it is shown by `optimize.compile --stage judge`, the thought included.
6. A user's mistakes are answered with one line, and no file of the user is written over.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from programs.calibrate import main
from programs.errors import UserError
from programs.traces.verdicts import biases_of
from tests.forked.process import Forked
from tests.lab import called, environment, laboratory
from tests.standin.panel import verdict
from tests.standin.scientist import Answer, Asked, Scientist
from tests.standin.server import StandIn

PEOPLE = [1, 3, 4, 5, 6, 7, 9, 10]
JUDGES = ("openai/strict", "openai/mild")


def label(number: int, overall: int, **given: Any) -> dict[str, Any]:
    """An answer that people rated; two belong to each question."""
    return {
        "question": f"What makes lamp {number // 2} drift?",
        "key_passage": f"Lamp {number // 2} was never calibrated.",
        "answer": f"Answer {number} is worth {overall} points.",
        "human": {"overall": overall},
        **given,
    }


def labels(count: int) -> list[dict[str, Any]]:
    return [label(number, PEOPLE[number % len(PEOPLE)]) for number in range(count)]


def within(rating: int) -> int:
    return min(10, max(1, rating))


def said_by(model: str, people: int) -> int:
    """The strict judge gives two less than people, the mild one a point more."""
    return within(people - 2 if model.endswith("strict") else people + 1)


def judge(asked: Asked) -> Any:
    people = int(asked.given("answer").partition(" worth ")[2].partition(" ")[0])
    return verdict(said_by(asked.body["model"], people))


@dataclass
class Desk:
    """A folder with labels, and a server with judges."""

    folder: Path
    server: StandIn
    brain: Scientist

    def write(self, lines: list[dict[str, Any]]) -> Path:
        path = self.folder / "labels.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        return path

    def words(self, *more: str) -> list[str]:
        given = {
            "--labels": str(self.folder / "labels.jsonl"),
            "--output": str(self.folder / "report.json"),
            "--api-base": self.server.openai_base,
            "--retry-wait": "0.01",
        }
        judges = [] if "--judge-models" in more else ["--judge-models", *JUDGES]
        return [*(word for pair in given.items() for word in pair), *judges, *more]

    def calibrate(self, *more: str) -> CompletedProcess[str]:
        """The command in this process."""
        return called(*self.words(*more), main=main)

    @property
    def calls(self) -> int:
        return len(self.server.calls)

    def wait_for(self, calls: int, process: Forked) -> None:
        """Until a process has made so many calls."""
        while self.calls < calls:
            assert process.poll() is None
            time.sleep(0.01)

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found


@contextmanager
def desk(folder: Path, count: int = 32, judge: Callable[[Asked], Any] = judge, **server: Any) -> Iterator[Desk]:
    brain = Scientist({"judge": judge})
    with StandIn(brain, **server) as running:
        made = Desk(folder, running, brain)
        made.write(labels(count))
        yield made
        assert not running.surprises, f"the brain did not know what to say: {running.surprises[:3]}"


def test_the_figures_are_those_of_the_ratings(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        done = here.calibrate()
        assert (done.returncode, done.stderr) == (0, "")
        assert here.calls == 64
        report = here.report
    assert (report["answers"], report["questions"], report["rated"], report["bare"]) == (32, 16, 32, 32)
    assert report["correct_from"] == 6
    strict, mild = (report["judges"][name] for name in JUDGES)
    # Of 1, 3, 4, 5 | 6, 7, 9, 10 the strict judge calls 9 and 10 correct, the mild one 5 and all above.
    assert strict["balanced_accuracy"]["value"] == 0.75
    assert mild["balanced_accuracy"]["value"] == 0.875
    assert (strict["kappa"], mild["kappa"]) == (0.5, 0.75)
    assert (strict["says_correct"], mild["says_correct"], mild["people_say_correct"]) == (0.25, 0.625, 0.5)
    assert "leniency" not in strict
    # 1 cannot become less, and 10 no more.
    assert (strict["bias"], mild["bias"]) == (-14 / 8, 7 / 8)
    for figures in (strict, mild):
        assert (figures["scored"], figures["unscored"], figures["ratings"]) == (32, 0, 32)
        estimate, (low, high) = figures["balanced_accuracy"], figures["bias_interval"]
        assert estimate["low"] < estimate["value"] < estimate["high"]
        assert low < figures["bias"] < high
    between = report["between"]
    assert between["traces"] == 32
    assert between["judges"]["openai/strict"] == {"rated": 32, "mean": 3.875, "unscored": 0}
    assert 0 < between["pairs"][0]["weighted_kappa"] < 1
    told = done.stdout
    assert "a judge says correct from 6 of 10 on" in told
    assert "openai/strict: 32 verdicts, 0 answers without one" in told
    assert "balanced accuracy 0.750 (" in told
    assert "bias -1.750 (" in told
    assert "Krippendorff's alpha" in told
    assert "32 answers came without a thought" in told


def test_nothing_is_paid_for_twice(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.calibrate("--judge-models", JUDGES[0])
        assert here.calls == 32
        assert here.calibrate().returncode == 0
        assert here.calls == 64
        report = here.report
        assert here.calibrate().stdout.count("0 calls made, 64 replies from") == 1
        assert (here.calls, here.report) == (64, report)
        here.write(labels(40))
        assert here.calibrate().returncode == 0
        assert here.calls == 80


def test_right_and_wrong_are_reported_and_no_bias(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.write([label(number, 3 + number % 6, human={"correct": number % 6 > 2}) for number in range(40)])
        done = here.calibrate()
        assert done.returncode == 0
        mild = here.report["judges"]["openai/mild"]
    assert mild["balanced_accuracy"]["value"] is not None
    assert (mild["ratings"], mild["bias"], mild["rating_kappa"]) == (0, None, None)
    assert "--judge-calibration" not in done.stdout


def test_a_judge_that_fails_is_unscored_and_in_no_figure(tmp_path: Path) -> None:
    def mute_at_times(asked: Asked) -> Any:
        silent = asked.body["model"] == "strict" and "Answer 1 " in asked.given("answer")
        return "I would rather not say." if silent else judge(asked)

    with desk(tmp_path, count=30, judge=mute_at_times) as here:
        done = here.calibrate()
        strict = here.report["judges"]["openai/strict"]
        assert (strict["scored"], strict["unscored"], strict["ratings"]) == (29, 1, 29)
        others = [PEOPLE[number % 8] for number in range(30) if number != 1]
        bias = sum(said_by("strict", people) - people for people in others) / 29
        assert strict["bias"] == pytest.approx(bias, abs=5e-5)
        assert here.report["judges"]["openai/mild"]["ratings"] == 30
    assert "--judge-calibration" not in done.stdout, "29 are too few"
    with pytest.raises(UserError, match=r"judges\.openai/strict\.ratings"):
        biases_of(tmp_path / "report.json", JUDGES, "any")


def test_the_report_is_what_a_run_takes(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        done = here.calibrate()
        assert f"use the biases with --judge-calibration {tmp_path / 'report.json'}" in done.stdout
    (tmp_path / "run").mkdir()
    stages: dict[str, Answer] = {"judge": lambda asked: verdict(said_by(asked.body["model"], 6))}
    judged = {"quality_check": True, "judge_models": list(JUDGES), "min_quality_score": 5}
    with laboratory(tmp_path / "run", texts=1, stages=stages, base=judged) as lab:
        lab.run(judge_calibration=tmp_path / "report.json")
        (record,) = lab.records
        assert [(said["overall"], said["raw_overall"]) for said in record["verdicts"]] == [(5.75, 4), (6.12, 7)]


def test_a_judge_is_shown_what_it_is_tuned_on(tmp_path: Path) -> None:
    with desk(tmp_path, count=0) as here:
        reference = {**label(2, 5), "key_passage": None, "reference": "The lamp."}
        here.write([label(0, 5, thought="Perhaps the lamp is old."), reference])
        assert here.calibrate("--judge-models", JUDGES[0]).returncode == 0
        first, second = (
            "\n".join(str(message["content"]) for message in body["messages"]) for body in here.server.bodies
        )
        assert here.report["bare"] == 1
    first, second = sorted((first, second), key=lambda text: "Perhaps" not in text)
    assert "[[ ## thought ## ]]\nPerhaps the lamp is old." in first
    assert "[1] Lamp 0 was never calibrated." in first
    assert "[[ ## thought ## ]]" not in second
    assert "The reference answer (the passage itself is not at hand)\n\n[1] The lamp." in second


def test_a_limit_of_calls_stops_it_and_it_goes_on(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        done = here.calibrate("--max-calls", "20")
        assert (done.returncode, here.calls) == (1, 20)
        assert "stopped before every answer was judged" in done.stderr
        assert sorted(path.name for path in tmp_path.glob("report*.json")) == []
        assert here.calibrate().returncode == 0
        assert here.calls == 64


def test_interrupted_it_ends_in_order(tmp_path: Path) -> None:
    with desk(tmp_path, latency=0.05) as here:
        process = Forked("programs.calibrate", here.words("--concurrency", "2"), env=environment())
        here.wait_for(6, process)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "run the same command again to go on" in stderr
        made = here.calls
        done = here.calibrate()
        assert done.returncode == 0
        assert f"{64 - made} calls made, {made} replies from" in done.stdout
        assert here.calls == 64


def test_a_dry_run_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        done = here.calibrate("--dry-run")
        assert (done.returncode, here.calls) == (0, 0)
        assert "32 answers, 2 judges: at most about 64 calls" in done.stdout
        assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.jsonl"]


def test_the_journal_of_a_run_is_refused(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1) as lab:
        lab.run()
        lab.output.unlink()
        journal = lab.journal.read_bytes()
    with desk(tmp_path) as here:
        done = here.calibrate("--output", str(lab.output))
        assert (done.returncode, here.calls) == (2, 0)
        assert "is the journal of a run" in done.stderr
    assert lab.journal.read_bytes() == journal


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--judge-models", "openai/"], "is not whole"),
        (["--labels", "none.jsonl"], "none.jsonl"),
        (["--program", "nowhere"], "there is no file"),
        (["--output", "{mine}"], "mine.json is there already"),
    ],
)
def test_mistakes_get_one_line(words: list[str], said: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"questions": []}')
    with desk(tmp_path) as here:
        done = here.calibrate(*(word.format(mine=mine) for word in words))
        assert (done.returncode, here.calls) == (2, 0)
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert mine.read_text() == '{"questions": []}'
