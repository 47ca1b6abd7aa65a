"""A page in Chromium, and everything that it must not do: ask the network, open a dialog, write an error to the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Locator, Page

DESKTOP, PHONE = (1400, 900), (390, 844)


@contextmanager
def opened(
    browser: Browser,
    path: Path,
    address: str = "",
    size: tuple[int, int] = DESKTOP,
    scheme: Any = "light",
) -> Iterator[Page]:
    """The page at an address (#view=traces), ready. At the end it must have done nothing that it must not do."""
    wrong: list[str] = []

    def refused(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", refused)
    url = path.resolve().as_uri()
    page.on("request", lambda asked: wrong.extend([f"request: {asked.url}"] if asked.url.split("#")[0] != url else []))
    page.goto(url + address)
    ready(page)
    try:
        yield page
        assert not wrong, wrong
    finally:
        context.close()


def expect(locator: Locator) -> Any:
    """What is waited for to be so of a part of the page."""
    from playwright.sync_api import expect

    return expect(locator)


def ready(page: Page) -> None:
    """Waits until the page has begun."""
    page.wait_for_selector("html[data-ready]", state="attached")


def go(page: Page, address: str) -> None:
    """Follows an address within the page."""
    page.evaluate("address => { location.hash = address; }", address)


def open_trace(page: Page, key: str) -> None:
    """Opens a trace, and waits until all of it is there."""
    go(page, f"#trace={key}")
    page.wait_for_selector(f'#trace[data-shown="{key}"]')


def lit(page: Page) -> str:
    """What is lit up in the passage."""
    return "".join(page.locator("#passage mark.lit").all_text_contents())


def keys_of(page: Page) -> list[str]:
    """The traces that the list shows."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('#rows .row')].map(row => row.dataset.key)")
    return found
