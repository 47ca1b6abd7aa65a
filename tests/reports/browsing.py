"""A report in Chromium, which must not use the network, open a dialog or write to the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

DESKTOP: Any = {"width": 1400, "height": 900}
PHONE: Any = {"width": 390, "height": 844}


@contextmanager
def open_page(browser: Browser, path: Path, address: str = "") -> Iterator[Page]:
    """Opens the page at an address such as #traces. Checks at the end that it did nothing forbidden."""
    errors: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: errors.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: errors.append(f"error: {error}"))
    page.on("dialog", dismiss)
    url = path.resolve().as_uri()
    page.on("request", lambda sent: errors.extend([f"request: {sent.url}"] if sent.url.split("#")[0] != url else []))
    page.goto(url + address)
    page.wait_for_selector("html[data-ready]", state="attached")
    try:
        yield page
        assert not errors, errors
    finally:
        context.close()


def go_to(page: Page, view: str) -> None:
    """Goes to an address within the page, and waits until all of it is shown."""
    page.evaluate("view => { location.hash = view; }", view)
    name, _, key = view.removeprefix("#").partition("=")
    page.wait_for_selector(f'#trace[data-shown="{key}"]:not([hidden])' if key else f"#{name}:not([hidden])")


def choose(page: Page, name: str, value: str) -> None:
    """Selects a value in a filter of the list."""
    page.locator(f'#filters select[name="{name}"]').select_option(value)


def listed_keys(page: Page) -> list[str]:
    """The keys of the traces that the list shows."""
    links: list[str] = page.evaluate("[...document.querySelectorAll('#rows a')].map(link => link.hash)")
    return [link.removeprefix("#trace=") for link in links]
