"""Commands that are forked.

1. They are what `python -m` makes of the same words: exit code, both streams, and what they leave.
2. Each has its own environment and folder (and limits: tests/attack/test_disk.py); none of it is left to the next.
3. They are seen to run and to end, by themselves or by a signal.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.forked.process import ROOT, Forked
from tests.lab import LONGEST, ended, environment, laboratory


@pytest.mark.parametrize("words", [["--help"], ["--nonsense"], ["--model", "openai/any", "--print-config"]])
def test_1_it_is_what_python_makes_of_the_same_words(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "programs.generate", *words]
    env = environment({"PYTHONPATH": str(ROOT)})
    cold = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST, check=False)
    forked = ended(Forked("programs.generate", words, env=env, cwd=tmp_path))
    assert (forked.returncode, forked.stdout, forked.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_2_environment_and_folder_are_its_own(tmp_path: Path) -> None:
    helps = [
        ended(Forked("programs.generate", ["--help"], env=environment({"COLUMNS": n}))) for n in ("60", "90", "60")
    ]
    assert helps[0].stdout == helps[2].stdout != helps[1].stdout
    words = ["--model", "openai/any", "--input-file", "texts.jsonl", "--dry-run"]
    (tmp_path / "texts.jsonl").write_text('{"text": "One sentence about the light of distant lamps, and its decay."}\n')
    there = ended(Forked("programs.generate", words, env=environment(), cwd=tmp_path))
    assert there.returncode == 0, there.stderr
    elsewhere = ended(Forked("programs.generate", words, env=environment()))
    assert (elsewhere.returncode, "texts.jsonl" in elsewhere.stderr) == (2, True), elsewhere


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGKILL])
def test_3_a_signal_ends_it(tmp_path: Path, name: signal.Signals) -> None:
    with laboratory(tmp_path, latency=1.0) as lab:
        process = lab.start()
        deadline = time.monotonic() + LONGEST
        while not lab.calls:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.01)
        process.send_signal(name)
        process.send_signal(name)
        assert process.wait(LONGEST) == process.poll() == (-name if name == signal.SIGKILL else 130)
        assert not Path(f"/proc/{process.pid}").exists(), "it is not left as a zombie"
        process.kill()
        assert process.communicate(timeout=LONGEST)[0].startswith("progress: begins")
