"""A forked command does the same as `python -m` with the same arguments, in the same folder and environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked.process import ROOT, ForkedProcess
from tests.lab import PROCESS_TIMEOUT, environment, passage, wait_for_exit


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["--model", "openai/any", "--input-file", "here.jsonl", "--dry-run"]]
)
def test_a_forked_command_behaves_like_python_m(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "here.jsonl").write_text(json.dumps({"text": passage(1)}), encoding="utf-8")
    command, env = [sys.executable, "-m", "programs.generate", *words], environment({"PYTHONPATH": str(ROOT)})
    cold = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=PROCESS_TIMEOUT, check=False
    )
    forked = wait_for_exit(ForkedProcess("programs.generate", words, env=env, cwd=tmp_path))
    assert (forked.returncode, forked.stdout, forked.stderr) == (cold.returncode, cold.stdout, cold.stderr)
    assert forked.stdout + forked.stderr
