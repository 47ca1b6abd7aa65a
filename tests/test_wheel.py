"""The wheel works outside the checkout, with its own sample, even in a folder whose packages are named like ours. It is
installed without a network and without dependencies, and finds those of the running environment."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUR_NAMES = ("data", "tests", "programs", "signatures", "optimize")
SAMPLE = "heuristic_filtered_cosmo_limited.jsonl"


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a command with no trace of this checkout in its environment, and returns its standard output."""
    prefixes = ("PYTHON", "PIP_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
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
    """The interpreter of a virtual environment with only the wheel installed."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    packages = Path(paths["purelib"])
    interpreter = Path(paths["scripts"]) / "python"
    run(sys.executable, "-m", "pip", "--python", interpreter, "install", "--no-deps", "--no-index", wheel, cwd=home)
    # The running environment's packages can be imported too, after the wheel's own, but not what its .pth files point to:
    # an editable install of this checkout is such a .pth file.
    package_folders = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}
    (packages / "lent.pth").write_text("\n".join(sorted(package_folders)) + "\n")
    return interpreter


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with packages that are named like ours."""
    for name in OUR_NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    return tmp_path


def test_the_wheel_holds_the_packages_and_the_sample_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sample = archive.read(f"synthreasoner/programs/resources/{SAMPLE}")
    top_level = {name.split("/")[0] for name in names}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"synthreasoner"}
    assert sample == (ROOT / "data" / SAMPLE).read_bytes()
    assert any(name.endswith("/LICENSE") for name in names)


def test_every_module_of_the_wheel_can_be_imported(wheel: Path, python: Path, elsewhere: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        paths = [Path(name) for name in archive.namelist() if name.endswith(".py") and Path(name).stem != "__init__"]
    # Exports for verifiers contain a copy of this module, and import it there.
    modules = [".".join(path.with_suffix("").parts) for path in paths if path.stem != "verifiers_package"]
    assert len(modules) > 100
    code = f"import importlib, sys\nfor name in {modules}:\n    importlib.import_module(name)\n"
    code += "assert not {name.split('.')[0] for name in sys.modules} & {'programs', 'signatures', 'optimize'}"
    run(python, "-c", code, cwd=elsewhere)


def test_the_console_command_runs_from_the_wheel(python: Path, elsewhere: Path) -> None:
    command = python.with_name("synthreasoner")
    assert run(command, "--version", cwd=elsewhere).startswith("synthreasoner 0.")
    assert "usage: synthreasoner merge" in run(command, "merge", "--help", cwd=elsewhere)
    before = sorted(elsewhere.rglob("*"))
    assert run(command, "generate", "--dry-run", "--model", "embedded", "--max-traces", "1", cwd=elsewhere).strip()
    assert sorted(elsewhere.rglob("*")) == before


def test_the_container_image_copies_all_that_the_wheel_is_built_from() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    assert {f"!{name}" for name in copied} < set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    assert copied >= {"programs", "signatures", "optimize", "data", "hatch_build.py", "pyproject.toml"}
