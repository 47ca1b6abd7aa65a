"""Invariants of `programs.cli.terminal`: output is safe to show anywhere, and never ends a run.

1. A character that the encoding lacks is shown as `?`. If standard output is full, closed or without a reader, the exit
   code stays the same, and the summary goes to standard error.
2. No control characters of texts reach the terminal, whatever prints them; rich's own do.
3. A command whose purpose is its output reports if that cannot be written.
4. Texts are not read as markup.
5. A run that ends without a trace has exit code 1, and says why.
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
from tests.lab import Lab, environment, laboratory, run_command
from tests.standin import scientist
from tests.standin.scientist import StageRequest

UNSAFE = "\x1b]0;owned\x07\x1b[2J\x9b31m\x08\rred [/INST] [bold]"
SAFE = "]0;owned[2J31mred [/INST] [bold]"


def run_in_shell(command: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs Python from a shell command, which may redirect its output."""
    bash = ["bash", "-c", command, "bash", sys.executable, *words]
    return subprocess.run(bash, env=environment(env), capture_output=True, timeout=120, check=False, encoding="latin-1")


@pytest.mark.parametrize(
    ("redirection", "env"), [("> /dev/full", {"PYTHONIOENCODING": "latin-1"}), ("2>&- >&-", {}), ("> >(exec true)", {})]
)
def test_unusable_output_does_not_end_a_run(tmp_path: Path, redirection: str, env: dict[str, str]) -> None:
    def answer(request: StageRequest) -> dict[str, Any]:
        return {"text": f"Σ – ☃ 星 {scientist.answer(request)['text']}"}

    with laboratory(tmp_path, texts=1, stages={"answer": answer}) as lab:
        done = run_in_shell(f'"$@" {redirection}', "-m", "programs.generate", *lab.arguments(), **env)
        assert done.returncode == 0, done.stderr
        assert lab.document["metadata"]["status"] == "completed"
        assert len(lab.records) == 1
    if "2>&-" not in redirection:
        assert "completed: 1 traces" in done.stderr
        assert "progress:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_command_whose_purpose_is_its_output_fails_if_it_cannot_be_written() -> None:
    done = run_in_shell('"$@" > /dev/full', "-m", "programs.schema")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: standard output cannot be written: No space left on device"


def test_no_control_characters_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with safe_streams():
        print(UNSAFE)
        terminal.console(width=200).print(UNSAFE)
    assert stream.getvalue() == f"{SAFE}\n{SAFE}\n"
    assert strip_unprintable("a\tb\nc\x7f\x85\u202ed é") == "a\tb\ncd é"


def test_a_console_prints_its_own_styles_but_no_other_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    table = Table(title=UNSAFE, box=None)
    table.add_column(UNSAFE)
    table.add_row(UNSAFE)
    with safe_streams():
        console = terminal.console(force_terminal=True, width=200, color_system="standard")
        console.print(Text("said", style="bold"), table, UNSAFE)
    shown = stream.getvalue()
    assert "\x1b[1msaid\x1b[0m" in shown
    assert shown.count("[/INST] [bold]") == 4
    assert not any(found in shown for found in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\x08", "\r"))


def test_no_file_gets_the_descriptor_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os\nfrom programs.cli.terminal import safe_streams\n"
        f"with safe_streams():\n    file = os.open({str(tmp_path / 'journal')!r}, os.O_CREAT | os.O_RDWR)\n"
        "    os.write(1, b'somebody prints')\n    os._exit(file > 2)\n"
    )
    assert run_in_shell('"$@" >&-', "-c", code).returncode == 1
    assert (tmp_path / "journal").read_bytes() == b""


def test_5_a_run_without_a_trace_fails_and_says_why(tmp_path: Path) -> None:
    def questions(request: StageRequest) -> dict[str, Any]:
        rejected = {"question": "What does the passage say of the redshift of the 212 galaxies?"}
        return {**scientist.questions(request), **rejected}

    with laboratory(tmp_path, texts=2, stages={"questions": questions}) as lab:
        for _ in range(2):
            done = run_command(*lab.arguments())
            assert (done.returncode, done.stderr.count("\n")) == (1, 1), "also on the second run"
            assert done.stderr.startswith("error: no trace was made: ")
            assert " x " in done.stderr


REASONS = {"": "no text was read", "\n\n": "2 x blank", "{\n": "1 x not JSON", '[\n{\n"text": 1\n}\n]': "5 x not JSON"}


@pytest.mark.parametrize(("text", "reason"), REASONS.items())
def test_5_an_input_without_a_text_fails_and_says_why(lab: Lab, text: str, reason: str) -> None:
    lab.input.write_text(text)
    done = run_command(*lab.arguments())
    assert (done.returncode, done.stderr) == (1, f"error: no trace was made: {reason}\n")
