"""Libraries that a plain `make test` does without: their tests are skipped there, and `make test-full` requires them."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

FULL = "SYNTHREASONER_FULL_TESTS"
"""Set by `make test-full`: what is missing is then a failure."""


def needed(module: str, why: str) -> Any:
    """The module, for a test file that is about it; without it the file is skipped, or fails where all is required."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if os.environ.get(FULL):
            raise
        pytest.skip(f"{why} ({error}); make test-full has it", allow_module_level=True)
