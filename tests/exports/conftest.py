"""What the tests of exports share."""

from pathlib import Path

import pytest

from tests.exports.building import Made, laid, record


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
