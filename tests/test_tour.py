"""Every cell of docs/tour.ipynb runs against a stand-in server, and in `make test-full` with the small built-in model."""

import json
import os
from pathlib import Path

import pytest

from tests.lab import ROOT, run_python
from tests.requirements import FULL_TESTS
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

MODEL_LINE = 'MODEL = "embedded:smollm2-135m"'


def notebook_code() -> str:
    """The notebook's code cells as one script."""
    cells = json.loads((ROOT / "docs" / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code"), "kept without outputs"
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_every_cell_runs(tmp_path: Path) -> None:
    with StandIn(Scientist()) as server:
        script = notebook_code().replace(MODEL_LINE, 'MODEL = "openai/any"')
        script = script.replace("API_BASE = None", f"API_BASE = {server.openai_base!r}")
        assert script.count("openai/any") == script.count(server.openai_base) == 1
        printed = run_python("-c", script, cwd=tmp_path)
    assert "<thought>" in printed
    assert "tour-training: 1 rows" in printed
    assert not server.brain_errors


@pytest.mark.embedded
@pytest.mark.skipif(not os.environ.get(FULL_TESTS), reason="takes minutes; make test-full has it")
def test_every_cell_runs_with_the_small_model(tmp_path: Path) -> None:
    assert "tour-training: 1 rows" in run_python("-c", notebook_code(), cwd=tmp_path, timeout=3600)
