"""A page in Chromium, and everything that it must not do: ask the network, open a dialog, write an error to the console."""

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
def opened(browser: Browser, path: Path, address: str = "") -> Iterator[Page]:
    """The page at an address (#traces), ready. At the end it must have done nothing that it must not do."""
    wrong: list[str] = []

    def refused(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", refused)
    url = path.resolve().as_uri()
    page.on("request", lambda asked: wrong.extend([f"request: {asked.url}"] if asked.url.split("#")[0] != url else []))
    page.goto(url + address)
    page.wait_for_selector("html[data-ready]", state="attached")
    try:
        yield page
        assert not wrong, wrong
    finally:
        context.close()


def go(page: Page, view: str) -> None:
    """Follows an address within the page, and waits until all of it is there."""
    page.evaluate("view => { location.hash = view; }", view)
    name, _, key = view.removeprefix("#").partition("=")
    page.wait_for_selector(f'#trace[data-shown="{key}"]:not([hidden])' if key else f"#{name}:not([hidden])")


def choose(page: Page, name: str, value: str) -> None:
    """Chooses in a field of the list."""
    page.locator(f'#filters select[name="{name}"]').select_option(value)


def keys_of(page: Page) -> list[str]:
    """The traces that the list shows."""
    links: list[str] = page.evaluate("[...document.querySelectorAll('#rows a')].map(link => link.hash)")
    return [link.removeprefix("#trace=") for link in links]
