"""Invariants of `programs.cli.terminal`: what is shown can be shown anywhere, and ends no run.

1. A letter that the output has not is shown as `?`; an output that is full, closed or read by nobody costs neither the
   exit code nor the summary, which is on standard error then.
2. No control character of a text reaches the screen, whoever prints it; rich's own do.
3. A command whose output is what it is for says that it could not be written.
4. Text is no markup.
5. A run that is done without a trace ends with exit code 1 and why.
"""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from programs.cli import terminal
from programs.cli.terminal import safe_streams
from programs.redaction import strip_unprintable
from tests.lab import Lab, called, environment, laboratory
from tests.standin import scientist
from tests.standin.scientist import Asked

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x08\rred [/INST] [bold]"
HARMLESS = "]0;owned[2J31mred [/INST] [bold]"


def shell(command: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A Python command as people start one, with its standard output somewhere else."""
    call = ["bash", "-c", command, "bash", sys.executable, *words]
    return subprocess.run(call, env=environment(env), capture_output=True, timeout=120, check=False, encoding="latin-1")


@pytest.mark.parametrize(
    ("redirection", "env"), [("> /dev/full", {"PYTHONIOENCODING": "latin-1"}), ("2>&- >&-", {}), ("> >(exec true)", {})]
)
def test_no_output_ends_a_run(tmp_path: Path, redirection: str, env: dict[str, str]) -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        return {"text": f"Σ – ☃ 星 {scientist.answer(asked)['text']}"}

    with laboratory(tmp_path, texts=1, stages={"answer": answer}) as lab:
        done = shell(f'"$@" {redirection}', "-m", "programs.generate", *lab.arguments(), **env)
        assert done.returncode == 0, done.stderr
        assert lab.document["metadata"]["status"] == "completed"
        assert len(lab.records) == 1
    if "2>&-" not in redirection:
        assert "completed: 1 traces" in done.stderr
        assert "progress:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_output_that_a_command_is_for_must_be_written() -> None:
    done = shell('"$@" > /dev/full', "-m", "programs.schema")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: standard output cannot be written: No space left on device"


def test_whoever_prints_prints_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with safe_streams():
        print(EVIL)
        terminal.console(width=200).print(EVIL)
    assert stream.getvalue() == f"{HARMLESS}\n{HARMLESS}\n"
    assert strip_unprintable("a\tb\nc\x7f\x85\u202ed é") == "a\tb\ncd é"


def test_a_console_lets_its_own_styles_pass_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    table = Table(title=EVIL, box=None)
    table.add_column(EVIL)
    table.add_row(EVIL)
    with safe_streams():
        console = terminal.console(force_terminal=True, width=200, color_system="standard")
        console.print(Text("said", style="bold"), table, EVIL)
    shown = stream.getvalue()
    assert "\x1b[1msaid\x1b[0m" in shown
    assert shown.count("[/INST] [bold]") == 4
    assert not any(found in shown for found in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\x08", "\r"))


def test_a_closed_streams_number_is_given_to_no_file(tmp_path: Path) -> None:
    code = (
        "import os\nfrom programs.cli.terminal import safe_streams\n"
        f"with safe_streams():\n    file = os.open({str(tmp_path / 'journal')!r}, os.O_CREAT | os.O_RDWR)\n"
        "    os.write(1, b'somebody prints')\n    os._exit(file > 2)\n"
    )
    assert shell('"$@" >&-', "-c", code).returncode == 1
    assert (tmp_path / "journal").read_bytes() == b""


def test_5_a_run_without_a_trace_fails_and_says_why(tmp_path: Path) -> None:
    def questions(asked: Asked) -> dict[str, Any]:
        leaning = {"question": "What does the passage say of the redshift of the 212 galaxies?"}
        return {**scientist.questions(asked), **leaning}

    with laboratory(tmp_path, texts=2, stages={"questions": questions}) as lab:
        for _ in range(2):
            done = called(*lab.arguments())
            assert (done.returncode, done.stderr.count("\n")) == (1, 1), "also where an earlier run asked for it"
            assert done.stderr.startswith("error: no trace was made: ")
            assert " x " in done.stderr


SAID = {"": "no text was read", "\n\n": "2 x blank", "{\n": "1 x not JSON", '[\n{\n"text": 1\n}\n]': "5 x not JSON"}


@pytest.mark.parametrize(("text", "said"), SAID.items())
def test_5_an_input_without_a_text_fails_and_says_so(lab: Lab, text: str, said: str) -> None:
    lab.input.write_text(text)
    done = called(*lab.arguments())
    assert (done.returncode, done.stderr) == (1, f"error: no trace was made: {said}\n")
