"""Two runs, each over half of the same six texts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, laboratory, write_passages
from tests.run.merging.merging import journals, run_parts


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Six texts, made by two runs."""
    with laboratory(tmp_path_factory.mktemp("home"), texts=6) as found:
        # Without one, a text is called by its line.
        write_passages(found.input, range(6), title="A catalogue")
        run_parts(found, 2)
        yield found


@pytest.fixture
def lab(home: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A folder of its own, with the input and the server of `home`."""
    yield Lab(tmp_path, home.server, home.brain, {**home.base, "output": str(tmp_path / "out.json")})
    home.brain.stages.clear()


@pytest.fixture
def halves(home: Lab, lab: Lab) -> list[str]:
    """The journals of two runs, their documents beside them."""
    for path in home.folder.glob("part-*.j*"):
        shutil.copy(path, lab.folder)
    return journals(lab, 2)
