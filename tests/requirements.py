"""Optional requirements of tests. A test that lacks one is skipped with the reason, or fails if it is required:
`make test-full` requires all of them, `.ci/run` Chromium."""

import importlib
import os
import shutil
import sys
from typing import Any

import pytest

FULL_TESTS = "SYNTHREASONER_FULL_TESTS"
"""Set by `make test-full`: any missing requirement is then a failure."""
CHROMIUM_TESTS = "SYNTHREASONER_CHROMIUM_TESTS"
"""Set by `.ci/run`: a missing Chromium is then a failure."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def require_module(module: str, reason: str) -> Any:
    """Imports and returns a module for a test file. Without it the file is skipped, or fails in `make test-full`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if os.environ.get(FULL_TESTS):
            raise
        pytest.skip(f"{reason} ({error}); make test-full has it", allow_module_level=True)


def verifiers_python() -> str:
    """The path of a Python that has `verifiers`, from the environment (`make test-full` sets it). Without one the test is
    skipped, or fails in `make test-full` with Python 3.11 or later."""
    python = os.environ.get("SYNTHREASONER_VERIFIERS", "")
    if python and shutil.which(python):
        return python
    reason = "an environment package is loaded by verifiers, and no Python that has it is named; make test-full has one"
    if os.environ.get(FULL_TESTS) and sys.version_info >= (3, 11):
        pytest.fail(reason)
    pytest.skip(reason)


def chromium_path() -> str:
    """The path of Chromium. Without it the test is skipped, or fails if Chromium is required."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    reason = "the report is tried in a real browser, and there is no Chromium here (Debian: apt-get install chromium)"
    if os.environ.get(FULL_TESTS) or os.environ.get(CHROMIUM_TESTS):
        pytest.fail(reason)
    pytest.skip(reason)
