"""What the tests of exports share."""

from pathlib import Path

import pytest

from tests.exports.building import Made, laid, record

ODD = '2026-01-01T00:00:00Z \r\n \r \u2028 \u2029 \x85 \x00 \x1f \t "quoted" \\ 1e5 null é 星 𝛼 \ufeff </think> <|end|>'


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of odd texts, with steps and with attempts that were turned down."""
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
    return laid(tmp_path_factory.mktemp("odd"), [*made, Made(dated, below=below)])


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Two questions: one with three variations and turned down attempts, one with a single trace."""
    return laid(
        tmp_path,
        [
            Made(record(1, score=8.0), below=[record(1, score=4.0), record(1, score=5.5)]),
            Made(record(1, score=6.9, variation=1)),
            Made(record(2, score=9.0)),
            Made(None, below=[record(1, score=3.0, variation=2)]),
        ],
    )
