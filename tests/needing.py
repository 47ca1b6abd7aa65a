"""What a plain `make test` does without: tests that need it are skipped there with the reason, and fail where it is
required (`make test-full` requires all of it, `.ci/run` Chromium)."""

import importlib
import os
import shutil
import sys
from typing import Any

import pytest

FULL = "SYNTHREASONER_FULL_TESTS"
"""Set by `make test-full`: what is missing is then a failure."""
CHROMIUM = "SYNTHREASONER_CHROMIUM_TESTS"
"""Set by `.ci/run`: a missing Chromium is then a failure."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def needed(module: str, why: str) -> Any:
    """The module, for a test file that is about it; without it the file is skipped, or fails where all is required."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if os.environ.get(FULL):
            raise
        pytest.skip(f"{why} ({error}); make test-full has it", allow_module_level=True)


def verifiers() -> str:
    """A Python that has `verifiers`, named by the environment (`make test-full` does); without it the test is skipped, or
    fails where all is required."""
    python = os.environ.get("SYNTHREASONER_VERIFIERS", "")
    if python and shutil.which(python):
        return python
    reason = "an environment package is loaded by verifiers, and no Python that has it is named; make test-full has one"
    if os.environ.get(FULL) and sys.version_info >= (3, 11):
        pytest.fail(reason)
    pytest.skip(reason)


def chromium() -> str:
    """The path of Chromium, for a test that opens a page in it; without it the test is skipped, or fails where Chromium is
    required."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    reason = "the report is tried in a real browser, and there is no Chromium here (Debian: apt-get install chromium)"
    if os.environ.get(FULL) or os.environ.get(CHROMIUM):
        pytest.fail(reason)
    pytest.skip(reason)
