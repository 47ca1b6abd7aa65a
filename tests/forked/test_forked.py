"""Commands that are forked are what `python -m` makes of the same words, in the same folder and environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked.process import ROOT, Forked
from tests.lab import LONGEST, ended, environment, passage


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["--model", "openai/any", "--input-file", "here.jsonl", "--dry-run"]]
)
def test_it_is_what_python_makes_of_the_same_words(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "here.jsonl").write_text(json.dumps({"text": passage(1)}), encoding="utf-8")
    command, env = [sys.executable, "-m", "programs.generate", *words], environment({"PYTHONPATH": str(ROOT)})
    cold = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST, check=False)
    forked = ended(Forked("programs.generate", words, env=env, cwd=tmp_path))
    assert (forked.returncode, forked.stdout, forked.stderr) == (cold.returncode, cold.stdout, cold.stderr)
    assert forked.stdout + forked.stderr
