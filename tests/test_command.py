"""Invariants of `synthreasoner COMMAND` and its shell completion.

1. Every module with a command line is also a command; `--help` lists each on one line and imports none; an unknown
   command is an error that suggests the nearest.
2. Help and usage show the name that the user typed.
3. Bash completes commands, options, their known values and file names.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from programs.command import COMMANDS, main
from programs.completion import script
from tests import lab
from tests.lab import ROOT


def run_words(*words: str) -> tuple[int, str, str]:
    """Runs `synthreasoner WORDS` in this process. Returns exit code, stdout and stderr."""
    done = lab.run_command(*words, main=main)
    return done.returncode, done.stdout, done.stderr


def test_every_module_with_a_command_line_is_a_command() -> None:
    files = [*(ROOT / "programs").rglob("*.py"), *(ROOT / "optimize").rglob("*.py")]
    found = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if "run_cli(" in file.read_text()}
    assert found - {"programs.cli.options", "programs.command"} == {command.module for command in COMMANDS.values()}


def test_help_lists_every_command_and_imports_none() -> None:
    code = "import sys\nfrom programs.command import main\nmain(['--help'])\nprint(*sys.modules)"
    printed = lab.run_python("-c", code)
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", printed, re.MULTILINE)
    loaded = printed.splitlines()[-1].split()
    assert not {"dspy", "programs.generate", "programs.settings"} & set(loaded)


def test_commands_without_model_calls_do_not_import_dspy() -> None:
    code = "import sys, programs.merge, programs.export, programs.reports.page\nprint('dspy' in sys.modules)"
    assert lab.run_python("-c", code) == "False\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_shows_the_name_that_was_typed(name: str) -> None:
    code, out, err = run_words(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: synthreasoner {name} ")


@pytest.mark.parametrize(("word", "nearest"), [("genrate", "generate"), ("exports", "export"), ("--modle", None)])
def test_an_unknown_command_is_an_error_that_suggests_the_nearest(word: str, nearest: str | None) -> None:
    code, out, err = run_words(word)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {word!r} is not a command")
    assert err.count("\n") == 1
    assert ("did you mean" in err) is (nearest is not None)
    assert nearest is None or repr(nearest) in err


def test_no_command_prints_help_and_is_an_error() -> None:
    code, out, _ = run_words()
    assert code == 2
    assert out == run_words("--help")[1]
    assert run_words("--help")[0] == 0


COMPLETE_IN_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
complete=($(complete -p synthreasoner)); entry=${complete[${#complete[@]}-2]}
"$entry" synthreasoner "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    folder = tmp_path_factory.mktemp("completion")
    (folder / "synthreasoner").write_text(run_words("completion", "bash")[1])
    (folder / "papers.jsonl").touch()
    (folder / "run.yaml").touch()
    return folder


def completions(folder: Path, *words: str) -> set[str]:
    """The completions that bash offers for the last word."""
    command = ["bash", "-c", COMPLETE_IN_BASH, "bash", "./synthreasoner", "synthreasoner", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gen"], {"generate"}),
        (["generate", "--qual"], {"--quality-check"}),
        (["compile", "--optimizer", "ge"], {"gepa"}),
        (["generate", "--input-file", "pap"], {"papers.jsonl"}),
        (["generate", "--input-file", "papers.jsonl", "--max-s"], {"--max-samples"}),
        (["export", "papers.jsonl", "--to"], {"--to"}),
        (["completion", "z"], {"zsh"}),
    ],
)
def test_bash_offers_completions(bash: Path, words: list[str], expected: set[str]) -> None:
    assert completions(bash, *words) == expected


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef synthreasoner"), ("fish", "complete -c synthreasoner")])
def test_there_are_completions_for_other_shells(shell: str, mark: str) -> None:
    text = script(shell)
    assert mark in text
    assert "quality-check" in text
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=text, text=True, timeout=60, check=True)
