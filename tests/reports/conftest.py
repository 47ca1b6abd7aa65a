"""Chromium, and the reports that most tests look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from programs.report import main
from tests.needing import chromium, needed
from tests.reports.building import rich_units, write_run


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. Of a module, since while it is there no other event loop can run in this thread."""
    path = chromium()
    with needed("playwright.sync_api", "it drives the browser").sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with everything in it."""
    return write_run(tmp_path_factory.mktemp("report") / "rich.json", rich_units())


@pytest.fixture(scope="session")
def report(document: Path) -> Path:
    """Its report."""
    assert main([str(document)]) == 0
    return document.with_suffix(".html")
