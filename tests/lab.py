"""How these tests run the program: in this process where that will do, as a process of its own where one is killed.

with laboratory(tmp_path, texts=6) as lab:        # a folder with passages, a stand-in server, a brain behind it
    finished = lab.run(max_traces=3)              # in this process
    done = lab.command(max_traces=5)              # a process of its own, waited for
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
from tests.forked.process import Forked
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Answer, Scientist
from tests.standin.server import StandIn

ROOT = Path(__file__).resolve().parents[1]
KEY = "sk-very-secret-key-123"
USER = "jdoe.secret"
LONGEST = 60.0
"""Seconds after which a process of ours is taken to hang, and the test fails."""

UnitName = tuple[str, str, int]
"""A sample's hash, a question's type, a variation's index."""

_SUBJECTS = ("lensing", "redshift", "velocity", "polarisation", "metallicity", "luminosity", "clustering")


def passage(number: int) -> str:
    """A text of four sentences, another for every number."""
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return (
        f"Catalogue {number} holds {subject} measurements of {100 + number} galaxies from a spectroscopic telescope. "
        f"The scatter between repeated exposures amounts to {2 + number % 7} percent and grows towards fainter targets. "
        "Removing the brightest neighbours changes the amplitude by less than one standard deviation. "
        "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off."
    )


def write_passages(path: Path, numbers: Iterable[int], **fields: Any) -> Path:
    """A JSONL file with these passages; every record has `fields` beside its text."""
    lines = [json.dumps({"text": passage(number), **fields}) for number in numbers]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@dataclass
class Lab:
    """One output with its input and its server. `base` are the options of every run."""

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
        """Requests for answers so far, over all runs."""
        return len(self.server.calls)

    def settings(self, **given: Any) -> Settings:
        return Settings.model_validate({**self.base, **given})

    def run(self, **given: Any) -> Finished:
        """A run in this process. Raises what `programs.run.run.run` raises."""
        return asyncio.run(run(self.settings(**given)))

    def counted(self, **given: Any) -> tuple[Finished, int]:
        """A run in this process, and how many requests it made."""
        before = self.calls
        finished = self.run(**given)
        return finished, self.calls - before

    def goes_on(self, units: int, **given: Any) -> int:
        """A run whose server is slow and fails no more: then there are so many units, each once. Returns its requests."""
        self.server.faults, self.server.latency = FaultPlan(), 0.0
        _, calls = self.counted(**given)
        assert len(self.units) == len(set(self.units)) == units
        return calls

    def arguments(self, **given: Any) -> list[str]:
        """The command line of the same run."""
        return options({**self.base, **given})

    def start(self, *, env: Mapping[str, str] | None = None, largest_file: int | None = None, **given: Any) -> Forked:
        """A run as a process of its own, not waited for, whose files grow to so many bytes at most."""
        words = self.arguments(**given)
        return Forked("programs.generate", words, env=environment(env), largest_file=largest_file)

    def start_cold(self, **given: Any) -> subprocess.Popen[str]:
        """A run as such a process that has to import everything first."""
        command = [sys.executable, "-m", "programs.generate", *self.arguments(**given)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True)

    def command(self, **given: Any) -> subprocess.CompletedProcess[str]:
        """The same, waited for."""
        return ended(self.start(**given))

    def as_argo(self, monkeypatch: pytest.MonkeyPatch, route: str = "native") -> dict[str, Any]:
        """Makes its server the Argo of the environment. Returns the options of a run on it."""
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
        """The units of the document, in its order."""
        return [unit_name(record) for record in self.records]

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The journal's lines (of a kind)."""
        found = [json.loads(line) for line in self.journal.read_bytes().split(b"\n")[:-1]]
        return [line for line in found if kind in (None, line["kind"])]

    def latest_units(self) -> dict[str, dict[str, Any]]:
        """The newest line of every unit."""
        return {line["key"]: line for line in self.lines("unit")}

    def everything_written(self) -> bytes:
        """All bytes of all files of the folder, those of the input apart."""
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path != self.input)


@contextmanager
def laboratory(
    folder: Path,
    *,
    texts: int = 4,
    stages: dict[str, Answer] | None = None,
    base: dict[str, Any] | None = None,
    **server: Any,
) -> Iterator[Lab]:
    """A lab with `texts` passages. `stages` replaces answers of the brain, `base` adds options to every run."""
    folder.mkdir(exist_ok=True)
    brain = Scientist(stages or {})
    with StandIn(brain, **server) as running:
        lab = Lab(folder, running, brain, {})
        lab.base = {"model": "openai/any", "api_base": running.openai_base, "output": str(folder / "out.json")}
        lab.base |= {"input_file": [str(write_passages(lab.input, range(texts)))]}
        lab.base |= {"concurrency": 8, "timeout": 10.0, "patience": 20.0, "retry_wait": 0.01, **(base or {})}
        yield lab
        assert not running.surprises, f"the brain did not know what to say: {running.surprises[:3]}"


def unit_name(record: Mapping[str, Any]) -> UnitName:
    """Which unit a record of the document is."""
    sample, _, kind = record["question_id"].rpartition("/")
    return sample, kind, record["generation"]["variation"]


def options(given: Mapping[str, Any]) -> list[str]:
    """Settings as words of a command line; None leaves an option out."""
    words: list[str] = []
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is False:
            words += ["--no-resume"] if name == "resume" else []
        elif value is not None:
            words += [option, *map(str, value if isinstance(value, list | tuple) else [value])]
    return words


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of ours: this one's, no wider than 200 columns of output."""
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT), **(env or {})}


def ended(process: subprocess.Popen[str] | Forked, within: float = LONGEST) -> subprocess.CompletedProcess[str]:
    """Waits for a process; one that hangs is killed, and raises."""
    try:
        stdout, stderr = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.wait(), stdout, stderr)


def interrupted(process: subprocess.Popen[str] | Forked, within: float = LONGEST) -> None:
    """Waits for a process that a signal stops: its exit code says so, and it shows no traceback."""
    done = ended(process, within)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr


def python(*words: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, within: float = 300) -> str:
    """What a Python of its own prints. Fails where it ends with another code than 0, or not within so many seconds."""
    command, env = [sys.executable, *words], environment(env)
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=within, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def wait_for(condition: Callable[[], object], process: Forked | None = None) -> None:
    """Until it holds. Fails where it does not within `LONGEST`, or where the process ends before."""
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        assert process is None or process.poll() is None or condition(), f"it ended by itself: {process.communicate()}"
        time.sleep(0.002)


def called(*arguments: str, main: Callable[[list[str]], int] = main) -> subprocess.CompletedProcess[str]:
    """The command in this process (`programs.generate`, or another's main): its exit code and what it printed."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code: int | str | None = None
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            run_cli(lambda: main(list(arguments)))
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(list(arguments), code, stdout.getvalue(), stderr.getvalue())


def mistake(done: subprocess.CompletedProcess[str]) -> str:
    """The one line in which a user's mistake is told."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line
