"""Every format loads with `datasets`, as the folder stands: the card's header names files, splits and types.

1. `load_dataset(FOLDER)` gives the splits with the rows as they were written, in the types that the card says.
2. Texts come back to the letter: line ends of every kind, control characters, dates, numbers, every script.
"""

from pathlib import Path
from typing import Any

import pytest

from programs.exports.options import FORMATS
from tests.exports.building import Made, export_to, laid, record, rows

ODD = '2026-01-01T00:00:00Z \r\n \r \u2028 \u2029 \x85 \x00 \x1f \t "quoted" \\ 1e5 null é 星 𝛼 \ufeff'


@pytest.fixture(scope="module")
def datasets() -> Any:
    return pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    steps = [{"kind": "tries", "text": f"Step {ODD}", "status": "supported"}]
    made = [
        Made(
            record(number, text=f"Text {number} {ODD}", score=8.0, grade=0.5, answer=f"Answer {ODD}", steps=steps),
            below=[record(number, text=f"Text {number} {ODD}", score=3.0)],
        )
        for number in range(12)
    ]
    # The texts of a date's form alone, which readers of JSON like to take for dates.
    dated = record(20, score=8.0, text="2026-01-01", answer="2026-01-01T00:00:00", question="1", steps=steps)
    below = [record(20, score=2.0, text="2026-01-01", question="1")]
    return laid(tmp_path_factory.mktemp("loading"), [*made, Made(dated, below=below)])


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_loads_as_it_was_written(document: Path, datasets: Any, to: str, tmp_path: Path) -> None:
    folder = export_to(document, to, "--splits", "0.6,0.2,0.2", "--context", "both")
    written = {split: rows(folder, split) for split in ("train", "validation", "test")}
    written = {split: some for split, some in written.items() if some}
    assert len(written) > 1
    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: list(found[split]) for split in found} == written
