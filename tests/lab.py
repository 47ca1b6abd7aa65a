"""Runs the program for tests: in this process, or in a separate process that a test can kill or interrupt.

with laboratory(tmp_path, texts=6) as lab:        # a folder with passages, and a stand-in server with a brain
    finished = lab.run(max_traces=3)              # in this process
    done = lab.run_process(max_traces=5)          # in a separate process, waited for
    assert lab.calls == 40
"""

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from programs.cli.options import run_cli
from programs.generate import main
from programs.run.run import Finished, run
from programs.settings import Settings
from tests.forked.process import ForkedProcess
from tests.standin.faults import FaultPlan
from tests.standin.scientist import AnswerFunction, Scientist
from tests.standin.server import StandIn

ROOT = Path(__file__).resolve().parents[1]
KEY = "sk-very-secret-key-123"
USER = "jdoe.secret"
PROCESS_TIMEOUT = 60.0
"""Seconds after which a process counts as hanging, and the test fails."""

UnitName = tuple[str, str, int]
"""A sample's hash, a question's type, a variation's index."""

_SUBJECTS = ("lensing", "redshift", "velocity", "polarisation", "metallicity", "luminosity", "clustering")


def passage(number: int) -> str:
    """A text of four sentences, different for every number."""
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return (
        f"Catalogue {number} holds {subject} measurements of {100 + number} galaxies from a spectroscopic telescope. "
        f"The scatter between repeated exposures amounts to {2 + number % 7} percent and grows towards fainter targets. "
        "Removing the brightest neighbours changes the amplitude by less than one standard deviation. "
        "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off."
    )


def write_passages(path: Path, numbers: Iterable[int], **fields: Any) -> Path:
    """Writes these passages as JSONL; every record has `fields` beside its text. Returns the path."""
    lines = [json.dumps({"text": passage(number), **fields}) for number in numbers]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@dataclass
class Lab:
    """An output with its input and its server. Every run has the options `base`, replaced by its `overrides`."""

    folder: Path
    server: StandIn
    brain: Scientist
    base: dict[str, Any]

    @property
    def input(self) -> Path:
        return self.folder / "passages.jsonl"

    @property
    def output(self) -> Path:
        return Path(self.base["output"])

    @property
    def journal(self) -> Path:
        return self.output.with_suffix(".journal.jsonl")

    @property
    def calls(self) -> int:
        """The number of calls (requests for answers) that the server got so far, over all runs."""
        return len(self.server.calls)

    def settings(self, **overrides: Any) -> Settings:
        return Settings.model_validate({**self.base, **overrides})

    def run(self, **overrides: Any) -> Finished:
        """Runs in this process. Raises what `programs.run.run.run` raises."""
        return asyncio.run(run(self.settings(**overrides)))

    def run_and_count(self, **overrides: Any) -> tuple[Finished, int]:
        """Runs in this process. Also returns how many calls the run made."""
        before = self.calls
        finished = self.run(**overrides)
        return finished, self.calls - before

    def run_to_completion(self, units: int, **overrides: Any) -> int:
        """Runs with a fast server without faults, and expects this many units, each once. Returns the number of calls."""
        self.server.faults, self.server.latency = FaultPlan(), 0.0
        _, calls = self.run_and_count(**overrides)
        assert len(self.units) == len(set(self.units)) == units
        return calls

    def arguments(self, **overrides: Any) -> list[str]:
        """The command line of the same run."""
        return command_line_words({**self.base, **overrides})

    def start(self, *, max_file_size: int | None = None, **overrides: Any) -> ForkedProcess:
        """Starts a run in a separate process, whose files cannot grow beyond `max_file_size` bytes."""
        words = self.arguments(**overrides)
        return ForkedProcess("programs.generate", words, env=environment(), max_file_size=max_file_size)

    def start_cold(self, **overrides: Any) -> subprocess.Popen[str]:
        """Starts a run in a new interpreter, which has to import everything first."""
        command = [sys.executable, "-m", "programs.generate", *self.arguments(**overrides)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True)

    def run_process(self, **overrides: Any) -> subprocess.CompletedProcess[str]:
        """Runs in a separate process, and waits for it."""
        return wait_for_exit(self.start(**overrides))

    def as_argo(self, monkeypatch: pytest.MonkeyPatch, route: str = "native") -> dict[str, Any]:
        """Sets the environment so that this lab's server is Argo. Returns the options of a run on it."""
        for name, value in {"ARGO_USER": USER, "ARGO_BASE_URL": self.server.url, "ARGO_API": route}.items():
            monkeypatch.setenv(name, value)
        return {"model": "gpt41", "api_base": None}

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.output.read_text(encoding="utf-8")))

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(self.document["questions"])

    @property
    def units(self) -> list[UnitName]:
        """The names of the document's units, in its order."""
        return [unit_name(record) for record in self.records]

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The complete lines of the journal, of one kind or of all."""
        parsed = [json.loads(line) for line in self.journal.read_bytes().split(b"\n")[:-1]]
        return [line for line in parsed if kind in (None, line["kind"])]

    def latest_units(self) -> dict[str, dict[str, Any]]:
        """The newest journal line of every unit."""
        return {line["key"]: line for line in self.lines("unit")}

    def all_written_bytes(self) -> bytes:
        """The bytes of all files of the folder except the input."""
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path != self.input)


@contextmanager
def laboratory(
    folder: Path,
    *,
    texts: int = 4,
    stages: dict[str, AnswerFunction] | None = None,
    base: dict[str, Any] | None = None,
    **server: Any,
) -> Iterator[Lab]:
    """Yields a lab with `texts` passages. `stages` replaces answers of the brain; `base` adds options to every run."""
    folder.mkdir(exist_ok=True)
    brain = Scientist(stages or {})
    with StandIn(brain, **server) as running:
        lab = Lab(folder, running, brain, {})
        lab.base = {"model": "openai/any", "api_base": running.openai_base, "output": str(folder / "out.json")}
        lab.base |= {"input_file": [str(write_passages(lab.input, range(texts)))]}
        lab.base |= {"concurrency": 8, "timeout": 10.0, "patience": 20.0, "retry_wait": 0.01, **(base or {})}
        yield lab
        assert not running.brain_errors, f"the brain could not answer: {running.brain_errors[:3]}"


def unit_name(record: Mapping[str, Any]) -> UnitName:
    """The unit that a record of the document belongs to."""
    sample, _, kind = record["question_id"].rpartition("/")
    return sample, kind, record["generation"]["variation"]


def command_line_words(settings: Mapping[str, Any]) -> list[str]:
    """Settings as command-line words; None leaves an option out."""
    words: list[str] = []
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is False:
            words += ["--no-resume"] if name == "resume" else []
        elif value is not None:
            words += [option, *map(str, value if isinstance(value, list | tuple) else [value])]
    return words


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process: this process's, with output 200 columns wide, and `env`."""
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT), **(env or {})}


def wait_for_exit(
    process: subprocess.Popen[str] | ForkedProcess, timeout: float = PROCESS_TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Waits for a process. After `timeout` seconds, kills it and raises `subprocess.TimeoutExpired`."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.wait(), stdout, stderr)


def expect_interrupted(process: subprocess.Popen[str] | ForkedProcess, timeout: float = PROCESS_TIMEOUT) -> None:
    """Waits for a process, and asserts that a signal stopped it without a traceback."""
    done = wait_for_exit(process, timeout)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr


def run_python(*words: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
    """Runs a separate Python and returns its output. Fails on a nonzero exit code, or after `timeout` seconds."""
    command, env = [sys.executable, *words], environment(env)
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def wait_for(condition: Callable[[], object], process: ForkedProcess | None = None) -> None:
    """Polls until the condition holds. Fails after `PROCESS_TIMEOUT` seconds, or if the process ends before."""
    deadline = time.monotonic() + PROCESS_TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        assert process is None or process.poll() is None or condition(), f"it ended early: {process.communicate()}"
        time.sleep(0.002)


def run_command(*arguments: str, main: Callable[[list[str]], int] = main) -> subprocess.CompletedProcess[str]:
    """Runs a command (`programs.generate`, or another `main`) in this process. Returns its exit code and output."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code: int | str | None = None
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            run_cli(lambda: main(list(arguments)))
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(list(arguments), code, stdout.getvalue(), stderr.getvalue())


def user_error(done: subprocess.CompletedProcess[str]) -> str:
    """Asserts that a command ended with exit code 2 and one error line, without a traceback. Returns that line."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line
