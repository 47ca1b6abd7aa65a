"""Every format loads with `datasets`, as the folder stands: the card's header names files, splits and types.

1. `load_dataset(FOLDER)` gives the splits with the rows as they were written, in the types that the card says.
2. Texts come back to the letter: line ends of every kind, control characters, dates, numbers, every script.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.exports.options import FORMATS
from tests.exports.building import export_to, rows


@pytest.fixture(scope="module")
def datasets() -> Any:
    return pytest.importorskip("datasets")


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_loads_as_it_was_written(odd: Path, datasets: Any, to: str, tmp_path: Path) -> None:
    folder = export_to(odd, to, "--splits", "0.6,0.2,0.2", "--context", "both")
    written = {split: rows(folder, split) for split in ("train", "validation", "test")}
    written = {split: some for split, some in written.items() if some}
    assert len(written) > 1
    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    # As JSON, in which a label is no number.
    read = {split: list(found[split]) for split in found}
    assert json.dumps(read, sort_keys=True) == json.dumps(written, sort_keys=True)
