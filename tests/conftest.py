"""Shared by all tests: no credentials of the machine, slow files first, the option `--kills` and the fixture `lab`."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.lab import Lab, laboratory

# No deadline, since a test may take any time on a busy machine. Each run draws new examples, so that many runs cover more.
EXAMPLES = 200 if os.environ.get("SYNTHREASONER_FULL_TESTS") else 30
hypothesis.settings.register_profile("ours", deadline=None, max_examples=EXAMPLES)
hypothesis.settings.load_profile("ours")

SLOW_FILES = {"test_kill.py", "test_docs.py", "test_wheel.py", "test_site.py", "test_one_place.py", "test_tour.py"}
SLOW_FILES |= {"test_compile.py", "test_judge_tuning.py", "test_embedded.py"}
"""Files with tests that take many seconds. They run first, so that no worker has to wait for another's at the end."""


def pytest_configure() -> None:
    # In the background, a shell starts the tests with SIGINT ignored; the commands that they interrupt would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in SLOW_FILES)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=8, help="how many runs tests/attack/test_kill.py kills in all")


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARGO_USER", "ARGO_BASE_URL", "ARGO_API", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab with four passages and a server without faults."""
    with laboratory(tmp_path) as new_lab:
        yield new_lab
