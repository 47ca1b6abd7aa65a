"""Invariants of `synthreasoner COMMAND`, and of what completes it in a shell.

1. Every module that is a command is one of its commands, and does the same there; `--help` lists each in a line and
   imports none; a word that is no command is answered with the nearest.
2. Help and usage name what the user typed.
3. In bash, commands, options, their known values and files are completed.
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


def called(*words: str) -> tuple[int, str, str]:
    """The code, output and errors of `synthreasoner WORDS` in this process."""
    done = lab.called(*words, main=main)
    return done.returncode, done.stdout, done.stderr


def test_every_module_that_is_a_command_is_one() -> None:
    files = [*(ROOT / "programs").rglob("*.py"), *(ROOT / "optimize").rglob("*.py")]
    found = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if "run_cli(" in file.read_text()}
    assert found - {"programs.cli.options", "programs.command"} == {command.module for command in COMMANDS.values()}


def test_help_lists_every_command_and_imports_none() -> None:
    code = "import sys\nfrom programs.command import main\nmain(['--help'])\nprint(*sys.modules)"
    printed = lab.python("-c", code)
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", printed, re.MULTILINE)
    loaded = printed.splitlines()[-1].split()
    assert not {"dspy", "programs.generate", "programs.settings"} & set(loaded)


def test_what_asks_no_model_loads_no_dspy() -> None:
    code = "import sys, programs.merge, programs.export, programs.reports.page\nprint('dspy' in sys.modules)"
    assert lab.python("-c", code) == "False\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_names_what_was_typed(name: str) -> None:
    code, out, err = called(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: synthreasoner {name} ")


@pytest.mark.parametrize(("word", "nearest"), [("genrate", "generate"), ("exports", "export"), ("--modle", None)])
def test_no_command_is_answered_with_the_nearest(word: str, nearest: str | None) -> None:
    code, out, err = called(word)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {word!r} is not a command")
    assert err.count("\n") == 1
    assert ("did you mean" in err) is (nearest is not None)
    assert nearest is None or repr(nearest) in err


def test_nothing_said_is_helped_and_a_mistake() -> None:
    code, out, _ = called()
    assert code == 2
    assert out == called("--help")[1]
    assert called("--help")[0] == 0


ASK = """
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
    (folder / "synthreasoner").write_text(called("completion", "bash")[1])
    (folder / "papers.jsonl").touch()
    (folder / "run.yaml").touch()
    return folder


def completed(folder: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    command = ["bash", "-c", ASK, "bash", "./synthreasoner", "synthreasoner", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
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
def test_bash_completes(bash: Path, words: list[str], offered: set[str]) -> None:
    assert completed(bash, *words) == offered


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef synthreasoner"), ("fish", "complete -c synthreasoner")])
def test_other_shells_are_served(shell: str, mark: str) -> None:
    text = script(shell)
    assert mark in text
    assert "quality-check" in text
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=text, text=True, timeout=60, check=True)
