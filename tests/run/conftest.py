"""What the tests of journals share."""

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to lie."""
    return tmp_path / "out.journal.jsonl"
