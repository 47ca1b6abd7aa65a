"""Fixtures: two runs, each over half of the same six texts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, laboratory, write_passages
from tests.run.merging.merging import part_journals, run_parts


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Six texts, processed by two runs."""
    with laboratory(tmp_path_factory.mktemp("home"), texts=6) as lab:
        # Without a title, a text would be named by its line, which differs between runs.
        write_passages(lab.input, range(6), title="A catalogue")
        run_parts(lab, 2)
        yield lab


@pytest.fixture
def lab(home: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A lab with its own folder, and the input and server of `home`."""
    yield Lab(tmp_path, home.server, home.brain, {**home.base, "output": str(tmp_path / "out.json")})
    home.brain.stages.clear()


@pytest.fixture
def halves(home: Lab, lab: Lab) -> list[str]:
    """The journals of two runs, with their documents beside them."""
    for path in home.folder.glob("part-*.j*"):
        shutil.copy(path, lab.folder)
    return part_journals(lab, 2)
