"""The notebook docs/tour.ipynb runs from its first cell to its last, against a server that stands in; in `make test-full`
on the small built-in model."""

import json
import os
from pathlib import Path

import pytest

from tests.lab import ROOT, python
from tests.needing import FULL
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

FIRST = 'MODEL = "embedded:smollm2-135m"'


def code() -> str:
    """The notebook's cells of code, as one script."""
    cells = json.loads((ROOT / "docs" / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code"), "kept without what it printed"
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_every_cell_runs(tmp_path: Path) -> None:
    with StandIn(Scientist()) as server:
        script = code().replace(FIRST, 'MODEL = "openai/any"')
        script = script.replace("API_BASE = None", f"API_BASE = {server.openai_base!r}")
        assert script.count("openai/any") == script.count(server.openai_base) == 1
        said = python("-c", script, cwd=tmp_path)
    assert "<thought>" in said
    assert "tour-training: 1 rows" in said
    assert not server.surprises


@pytest.mark.embedded
@pytest.mark.skipif(not os.environ.get(FULL), reason="takes minutes; make test-full has it")
def test_every_cell_runs_on_the_small_model(tmp_path: Path) -> None:
    assert "tour-training: 1 rows" in python("-c", code(), cwd=tmp_path, within=3600)
