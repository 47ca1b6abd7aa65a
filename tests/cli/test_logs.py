"""Invariants of what is logged, and where.

1. A run's log is beside its output. It has the start, each fault, retry and lost unit, each document, and the end. With
   `json`, each line is an object. The terminal shows the same as without a log.
2. No line contains a secret, whether in a message, a field or a traceback, or logged by DSPy.
3. A command that only looks, or is rejected, leaves no log. A `--log-file` that cannot be written or is no log is an error.
4. If writing the log fails later, there is one warning and no other effect. The log cannot fill the disk.
5. An error that ends a command is in its log, with a traceback if it was unexpected.
6. After the block, logging is set up as before.
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
from programs.files import path_beside
from tests.lab import USER, Lab, laboratory, run_command, user_error
from tests.standin.faults import FaultPlan

log = logging.getLogger("synthreasoner")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) \S+: .+")


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_json_log_has_an_object_per_line_from_start_to_end(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=3, faults=FaultPlan(script=["503"])) as lab:
        lab.server.brain = lambda body: "Certainly!" if "Catalogue 1 " in json.dumps(body) else lab.brain(body)
        done = run_command(*lab.arguments(log_file=str(tmp_path / "logs" / "run.jsonl"), log_format="json"))
        assert (done.returncode, done.stderr) == (0, "")
        lines = read_json_lines(tmp_path / "logs" / "run.jsonl")
        assert not path_beside(lab.output, ".run.log").exists()
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
    variables = {"ARGO_USER": USER, "MY_API_KEY": 'quoted"key', "HF_TOKEN": "hf_abcdef", "DB_PASSWORD": "p\\n$1 Ä"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return [*variables.values(), "sk-abcdefgh12", "hunter2"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_in_any_line(
    tmp_path: Path, secrets: list[str], log_format: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    all_secrets = " | ".join([*secrets[:4], "sk-abcdefgh12", "http://me:hunter2@host/v1"])
    path = tmp_path / "log"
    with logging_to_file(LogOptions(log_file=path, log_format=log_format), tmp_path / "out"):
        log.warning("message %s", all_secrets, extra={"field": {"deep": [all_secrets]}})
        logging.getLogger("dspy.anything").warning("by DSPy: %s", all_secrets)
        try:
            raise ValueError(all_secrets)
        except ValueError:
            log.exception("traceback")
    written, shown = path.read_text(), capsys.readouterr().err
    for text in (written, shown):
        assert "***" in text
        assert "by DSPy" in text
        assert "ValueError: " in text
        for secret in secrets:
            assert secret not in text
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in text


def test_a_command_that_only_looks_or_is_rejected_leaves_no_log(lab: Lab) -> None:
    run_command(*lab.arguments(dry_run=True))
    run_command(*lab.arguments(list_models=True))
    user_error(run_command(*lab.arguments(input_file="nowhere.jsonl")))
    assert "is a folder" in user_error(run_command(*lab.arguments(output=".")))
    assert path_beside(Path(), ".run.log") == Path(f"{Path.cwd()}.run.log")
    assert sorted(path.name for path in lab.folder.iterdir()) == ["passages.jsonl"]


@pytest.mark.parametrize("place", [".", "passages.jsonl/log", "passages.jsonl", "/proc/nowhere/log"])
def test_a_log_file_that_cannot_be_used_is_an_error(lab: Lab, place: str) -> None:
    before = lab.input.read_bytes()
    line = user_error(run_command(*lab.arguments(log_file=str(lab.folder / place))))
    assert "--log-file" in line
    assert lab.calls == 0
    assert lab.input.read_bytes() == before


def test_a_log_that_cannot_be_written_later_is_one_warning(lab: Lab) -> None:
    done = run_command(*lab.arguments(log_file="/dev/full"))
    assert done.returncode == 0
    assert done.stderr == "WARNING: the log /dev/full cannot be written: No space left on device\n"
    assert len(lab.units) == 4
    path_beside(lab.output, ".run.log").mkdir()
    [line] = run_command(*lab.arguments(max_traces=5)).stderr.splitlines()
    assert "out.run.log cannot be written: Is a directory" in line


def test_the_log_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    with logging_to_file(LogOptions(log_file=tmp_path / "log"), tmp_path / "out"):
        for number in range(200):
            log.info("line %d of many", number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2", "log.3"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert "line 199 of many" in (tmp_path / "log").read_text()


def test_the_error_that_ends_a_command_is_in_its_log(tmp_path: Path) -> None:
    def fail_with(path: Path, error: Exception) -> None:
        with logging_to_file(LogOptions(log_file=path, log_format="json"), tmp_path / "out"):
            log.info("at work")
            raise error

    def log_of(error: Exception) -> list[dict[str, Any]]:
        path = tmp_path / type(error).__name__
        with pytest.raises(type(error)):
            fail_with(path, error)
        return read_json_lines(path)

    _, expected = log_of(UserError("--seed: no number"))
    assert (expected["level"], expected["message"]) == ("error", "ended by an error: --seed: no number")
    assert "exception" not in expected
    _, unexpected = log_of(ZeroDivisionError("oh"))
    assert unexpected["message"] == "ended by an unexpected error: ZeroDivisionError('oh')"
    assert unexpected["exception"].startswith("Traceback")


def logging_setup() -> list[Any]:
    """The parts of logging that a block may change."""
    loggers = [logging.getLogger(name) for name in (None, "synthreasoner", "programs", "dspy")]
    formatters = [handler.formatter for handler in loggers[-1].handlers]
    return [[logger.level for logger in loggers], [[*logger.handlers] for logger in loggers], formatters]


def test_logging_is_restored_after_the_block(tmp_path: Path) -> None:
    before = logging_setup()
    with logging_to_file(LogOptions(log_level="debug"), tmp_path / "out.json"):
        log.debug("a detail\nand %s", "three\nfour", extra={"field": "five\nsix \udc80"})
        assert logging_setup() != before
    [line] = [line for line in (tmp_path / "out.run.log").read_text().splitlines() if " a detail" in line]
    assert LINE.fullmatch(line)
    assert logging_setup() == before
