"""Chromium, and the report that most tests use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from programs.report import main
from tests.exports.building import write_run
from tests.reports.building import rich_units
from tests.requirements import chromium_path, require_module


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium. While it is open, no other event loop can run in this thread, so each module has its own."""
    path = chromium_path()
    with require_module("playwright.sync_api", "it drives the browser").sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with traces of every kind."""
    return write_run(tmp_path_factory.mktemp("report"), rich_units(), "rich.json")


@pytest.fixture(scope="session")
def report(document: Path) -> Path:
    assert main([str(document)]) == 0
    return document.with_suffix(".html")
