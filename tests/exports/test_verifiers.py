"""`--to verifiers`: the folder is an environment package.

1. It does not import our code: the rules of `programs.text.short_answers` are copied into it.
2. verifiers loads it, and scores canned rollouts by the short answer; its judge gets the same prompt as ours.
"""

import json
import subprocess
from pathlib import Path

from programs.exports.reinforcement import package_name
from tests.exports.building import Unit, export_to, record, rows, write_run
from tests.lab import ROOT, environment
from tests.requirements import verifiers_python


def export_environment(folder: Path) -> Path:
    units = [Unit(record(1, score=8.0)), Unit(record(2, score=8.0)), Unit(record(3, score=8.0, short_answer=None))]
    return export_to(write_run(folder, units), "verifiers", output="3 Cosmo-RL")


def test_the_folder_is_a_package_that_does_not_import_our_code(tmp_path: Path) -> None:
    folder = export_environment(tmp_path)
    package = folder / package_name(folder)
    assert package.name == "env_3_cosmo_rl"
    assert all(package_name(Path(name)) == f"env_{name}" for name in ("data", "verifiers", "json"))
    assert not [path for path in package.glob("*.py") if "\nfrom programs" in path.read_text()]
    assert (package / "short_answers.py").read_bytes() == (ROOT / "programs/text/short_answers.py").read_bytes()
    assert f'packages = ["{package.name}"]' in (folder / "pyproject.toml").read_text()
    assert all(field in (package / "judge.txt").read_text() for field in ("{prompt}", "{answer}", "{points}"))
    assert len(rows(folder)) == 2, "a trace without a short answer cannot be rewarded"
    assert "{self.config.split}.jsonl" in "".join(path.read_text() for path in package.glob("*.py"))
    assert (folder / "data" / "train.jsonl").is_file()


def test_verifiers_loads_the_package_and_scores_canned_rollouts(tmp_path: Path) -> None:
    python, folder = verifiers_python(), export_environment(tmp_path)
    command = [python, str(ROOT / "tests/exports/verifiers_rollout.py"), package_name(folder)]
    env = environment({"PYTHONPATH": str(folder)})
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["environment"] == "SingleAgentEnv"
    assert found["prompts"] == [row["prompt"][1]["content"] for row in rows(folder)]
    assert found["rewards"] == [{"short_answer": 1.0}, {"short_answer": 0.0}, {"short_answer": 0.0}]
    assert found["judge"].endswith("Why?\n\n[[ ## answer ## ]]\n{points}\n\n[[ ## points ## ]]\n1. x")
    assert found["met"] == [1, 3]
