"""The wheel works anywhere: with its own sample, from a folder whose packages have the names of our folders.

No network: the wheel is installed without dependencies, and those of the running environment are lent to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "heuristic_filtered_cosmo_limited.jsonl"
FIRST_SAMPLE = """
import json
import data, tests, programs
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sources import DEFAULT_INPUT, shipped_sample
sample = next(read_samples([DEFAULT_INPUT], max_chars=None, report=ReadReport()))
print(json.dumps([sample.given_id, str(shipped_sample()), programs.__path__[0], data.__file__, tests.__file__]))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command, with no trace of this checkout in its environment."""
    ours = ("PYTHON", "PIP_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds nothing but the wheel."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    packages = Path(paths["purelib"])
    interpreter = Path(paths["scripts"]) / "python"
    run(sys.executable, "-m", "pip", "--python", interpreter, "install", "--no-deps", "--no-index", wheel, cwd=home)
    lend_dependencies(packages)
    return interpreter


def lend_dependencies(packages: Path) -> None:
    """Makes this environment's packages importable, after the wheel's own, and without what its .pth files point to.

    (An editable install of this checkout is such a .pth file.)
    """
    lenders = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}
    (packages / "lent.pth").write_text("\n".join(sorted(lenders)) + "\n")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with packages of its own that are called `data` and `tests`."""
    for name in ("data", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    return tmp_path


def test_the_wheel_holds_the_packages_and_the_sample_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sample = archive.read(f"programs/resources/{SAMPLE}")
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"programs", "signatures", "optimize"}
    assert sample == (ROOT / "data" / SAMPLE).read_bytes()
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_default_input_resolves_beside_a_users_own_data_package(python: Path, elsewhere: Path) -> None:
    given_id, file, programs, data, tests = json.loads(run(python, "-c", FIRST_SAMPLE, cwd=elsewhere))
    with (ROOT / "data" / SAMPLE).open(encoding="utf-8") as lines:
        assert given_id == json.loads(next(lines))["id"]
    assert python.parents[1] in Path(programs).parents
    assert Path(file) == Path(programs) / "resources" / SAMPLE
    assert {Path(data).parent, Path(tests).parent} == {elsewhere / "data", elsewhere / "tests"}


def test_the_command_runs_from_the_wheel(python: Path, elsewhere: Path) -> None:
    command = ("-m", "programs.generate", "--dry-run", "--model", "embedded", "--max-traces", "1")
    before = sorted(elsewhere.rglob("*"))
    assert run(python, *command, cwd=elsewhere).strip()
    after = [path for path in sorted(elsewhere.rglob("*")) if "__pycache__" not in path.parts]
    assert after == before


def test_the_console_command_runs_from_the_wheel(python: Path, elsewhere: Path) -> None:
    command = python.with_name("synthreasoner")
    assert run(command, "--version", cwd=elsewhere).startswith("synthreasoner 0.")
    assert "usage: synthreasoner merge" in run(command, "merge", "--help", cwd=elsewhere)
