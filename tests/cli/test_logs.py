"""Invariants of what is logged, and where.

1. A run's log lies beside its output: how it began, each fault, retry and loss, each document, how it ended. With `json`
   each line is an object. The terminal is shown what it was shown before.
2. No secret is in any line, whoever logs it: in a message, a field, a traceback, by DSPy.
3. A command that only looks, or is refused, leaves no log. A named file that cannot be written, or is no log, is refused.
4. A log that fails later is told once and costs nothing else. It cannot fill the disk.
5. An error that ends a command is in its log, with its traceback where nobody foresaw it.
6. What a block changed about logging is as before when it has ended.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from programs.cli import logs
from programs.cli.logs import LogOptions, logging_to_file
from programs.errors import UserError
from programs.files import beside
from tests.lab import USER, Lab, called, laboratory, mistake
from tests.standin.faults import FaultPlan

log = logging.getLogger("synthreasoner")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) \S+: .+")


def told(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_another_run_adds_to_it_and_json_is_an_object_a_line(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=3, faults=FaultPlan(script=["503"])) as lab:
        lab.server.brain = lambda body: "Certainly!" if "Catalogue 1 " in json.dumps(body) else lab.brain(body)
        done = called(*lab.arguments(log_file=str(tmp_path / "logs" / "run.jsonl"), log_format="json"))
        assert (done.returncode, done.stderr) == (0, "")
        lines = told(tmp_path / "logs" / "run.jsonl")
        assert not beside(lab.output, ".run.log").exists()
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    messages = [line["message"] for line in lines]
    assert messages[0] == "run started"
    assert lines[0]["settings"]["model"] == "openai/any"
    assert any(re.match(r"retrying in \d+\.\d s: HTTP 503", message) for message in messages)
    lost = [line for line in lines if line["message"].startswith("no usable answer: ")]
    assert {line["key"] for line in lost} == {line["key"] for line in lab.lines("failed")}
    assert any(message.startswith("a text failed: questions") for message in messages)
    assert lines[-1]["message"] == "run ended: completed"
    assert lines[-1]["traces"] == {"accepted": 2}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found = {"ARGO_USER": USER, "MY_API_KEY": 'quoted"key', "HF_TOKEN": "hf_abcdef", "DB_PASSWORD": "p\\n$1 Ä"}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return [*found.values(), "sk-abcdefgh12", "hunter2"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_in_any_line(
    tmp_path: Path, secrets: list[str], form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " | ".join([*secrets[:4], "sk-abcdefgh12", "http://me:hunter2@host/v1"])
    path = tmp_path / "log"
    with logging_to_file(LogOptions(log_file=path, log_format=form), tmp_path / "out"):
        log.warning("message %s", words, extra={"field": {"deep": [words]}})
        logging.getLogger("dspy.anything").warning("by DSPy: %s", words)
        try:
            raise ValueError(words)
        except ValueError:
            log.exception("traceback")
    written, shown = path.read_text(), capsys.readouterr().err
    for place in (written, shown):
        assert "***" in place
        assert "by DSPy" in place
        assert "ValueError: " in place
        for secret in secrets:
            assert secret not in place
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in place


def test_a_look_and_a_mistake_leave_no_log(lab: Lab) -> None:
    called(*lab.arguments(dry_run=True))
    called(*lab.arguments(list_models=True))
    mistake(called(*lab.arguments(input_file="nowhere.jsonl")))
    assert "is a folder" in mistake(called(*lab.arguments(output=".")))
    assert beside(Path(), ".run.log") == Path(f"{Path.cwd()}.run.log")
    assert sorted(path.name for path in lab.folder.iterdir()) == ["passages.jsonl"]


@pytest.mark.parametrize("place", [".", "passages.jsonl/log", "passages.jsonl", "/proc/nowhere/log"])
def test_a_named_file_that_cannot_be_the_log(lab: Lab, place: str) -> None:
    before = lab.input.read_bytes()
    line = mistake(called(*lab.arguments(log_file=str(lab.folder / place))))
    assert "--log-file" in line
    assert lab.calls == 0
    assert lab.input.read_bytes() == before


def test_a_log_that_fails_later_is_told_once_and_costs_nothing_else(lab: Lab) -> None:
    done = called(*lab.arguments(log_file="/dev/full"))
    assert done.returncode == 0
    assert done.stderr == "WARNING: the log /dev/full cannot be written: No space left on device\n"
    assert len(lab.units) == 4
    beside(lab.output, ".run.log").mkdir()
    [line] = called(*lab.arguments(max_traces=5)).stderr.splitlines()
    assert "out.run.log cannot be written: Is a directory" in line


def test_it_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    with logging_to_file(LogOptions(log_file=tmp_path / "log"), tmp_path / "out"):
        for number in range(200):
            log.info("line %d of many", number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2", "log.3"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert "line 199 of many" in (tmp_path / "log").read_text()


def test_the_error_that_ends_a_command_is_in_its_log(tmp_path: Path) -> None:
    def work(path: Path, error: Exception) -> None:
        with logging_to_file(LogOptions(log_file=path, log_format="json"), tmp_path / "out"):
            log.info("at work")
            raise error

    def ended_by(error: Exception) -> list[dict[str, Any]]:
        path = tmp_path / type(error).__name__
        with pytest.raises(type(error)):
            work(path, error)
        return told(path)

    _, foreseen = ended_by(UserError("--seed: no number"))
    assert (foreseen["level"], foreseen["message"]) == ("error", "ended by an error: --seed: no number")
    assert "exception" not in foreseen
    _, strange = ended_by(ZeroDivisionError("oh"))
    assert strange["message"] == "ended by an unexpected error: ZeroDivisionError('oh')"
    assert strange["exception"].startswith("Traceback")


def state() -> list[Any]:
    """What a block may change about logging."""
    loggers = [logging.getLogger(name) for name in (None, "synthreasoner", "programs", "dspy")]
    formatters = [handler.formatter for handler in loggers[-1].handlers]
    return [[logger.level for logger in loggers], [[*logger.handlers] for logger in loggers], formatters]


def test_everything_is_as_before_afterwards(tmp_path: Path) -> None:
    before = state()
    with logging_to_file(LogOptions(log_level="debug"), tmp_path / "out.json"):
        log.debug("a detail\nand %s", "three\nfour", extra={"field": "five\nsix \udc80"})
        assert state() != before
    [line] = [line for line in (tmp_path / "out.run.log").read_text().splitlines() if " a detail" in line]
    assert LINE.fullmatch(line)
    assert state() == before
