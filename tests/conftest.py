"""What all tests share: no credentials of the machine they run on, and the options of the attack tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.lab import Lab, laboratory

# On a busy machine a test takes any time. Each run draws other examples, so that many runs together see more than one does.
EXAMPLES = 200 if os.environ.get("SYNTHREASONER_FULL_TESTS") else 30
hypothesis.settings.register_profile("ours", deadline=None, max_examples=EXAMPLES)
hypothesis.settings.load_profile("ours")

LONG = {"test_kill.py", "test_docs.py", "test_wheel.py", "test_site.py", "test_one_place.py", "test_tour.py"}
LONG |= {"test_compile.py", "test_judge_tuning.py", "test_embedded.py"}
"""Files with tests of many seconds: they come first, so that in the end no worker waits for one of another's."""


def pytest_configure() -> None:
    # Ignored where the tests were started in the background, it would be ignored by every command that they interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=8, help="how many runs tests/attack/test_kill.py kills in all")


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARGO_USER", "ARGO_BASE_URL", "ARGO_API", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Four passages and a server without faults."""
    with laboratory(tmp_path) as found:
        yield found
