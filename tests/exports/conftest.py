"""Documents that several tests export."""

from pathlib import Path

import pytest

from tests.exports.building import Unit, record, write_run

ODD = '2026-01-01T00:00:00Z \r\n \r \u2028 \u2029 \x85 \x00 \x1f \t "quoted" \\ 1e5 null é 星 𝛼 \ufeff </think> <|end|>'


@pytest.fixture(scope="session")
def odd_document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document whose texts have unusual characters, with steps and rejected attempts."""
    steps = [{"kind": "tries", "text": f"Step {ODD}", "status": "supported"}]
    units = [
        Unit(
            record(number, text=f"Text {number} {ODD}", score=8.0, grade=0.5, answer=f"Answer {ODD}", steps=steps),
            rejected=[record(number, text=f"Text {number} {ODD}", score=3.0)],
        )
        for number in range(12)
    ]
    # Texts that are only a date, which readers of JSON may take for one.
    dated = record(20, score=8.0, text="2026-01-01", answer="2026-01-01T00:00:00", question="1", steps=steps)
    rejected = [record(20, score=2.0, text="2026-01-01", question="1")]
    return write_run(tmp_path_factory.mktemp("odd"), [*units, Unit(dated, rejected=rejected)])


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Two questions: one with three variations and rejected attempts, one with a single trace."""
    return write_run(
        tmp_path,
        [
            Unit(record(1, score=8.0), rejected=[record(1, score=4.0), record(1, score=5.5)]),
            Unit(record(1, score=6.9, variation=1)),
            Unit(record(2, score=9.0)),
            Unit(None, rejected=[record(1, score=3.0, variation=2)]),
        ],
    )
