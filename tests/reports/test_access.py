"""The report for everyone: axe finds nothing, nothing scrolls sideways on a phone, dark is dark, nothing is loaded."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from programs.report import main
from tests.needing import needed
from tests.reports.browsing import PHONE, go, open_trace, opened
from tests.reports.building import unit, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWS = ("#view=overview", "#view=traces", "#trace=id-0-0-0", "#view=pairs")


@pytest.fixture(scope="module")
def both(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs side by side: a page that has every view."""
    folder = tmp_path_factory.mktemp("both")
    other = write_run(folder / "after.json", [unit(number) for number in range(6)])
    assert main([str(document), "--compare", str(other), "--output", str(folder / "both.html")]) == 0
    return folder / "both.html"


def violations(page: Page, *rules: str, within: str = "body") -> list[str]:
    """What axe finds (by these rules alone)."""
    axe: Any = needed("axe_playwright_python.sync_playwright", "it finds what a screen reader cannot use").Axe()
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    # Halfway through a change of theme the new ink stands on the old ground.
    page.evaluate("Promise.allSettled(document.getAnimations().map(running => running.finished))")
    # A chart is one image to a screen reader; what is in it need not be looked at.
    found = axe.run(page, context={"include": [[within]], "exclude": [["svg > g"]]}, options=options).response[
        "violations"
    ]
    return [f"{item['id']}: {item['nodes'][0]['html']}" for item in found]


def view(page: Page, address: str) -> None:
    """Goes there, and unfolds all that can be unfolded."""
    if address.startswith("#trace="):
        open_trace(page, address.removeprefix("#trace="))
    else:
        go(page, address)
        page.wait_for_selector(f"#{address.partition('=')[2]}:not([hidden])")
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate("for (const button of document.querySelectorAll('.step button')) button.click()")


@pytest.mark.parametrize("address", VIEWS)
def test_axe_finds_nothing(browser: Browser, both: Path, address: str) -> None:
    with opened(browser, both) as page:
        view(page, address)
        assert violations(page) == []
        if address in ("#view=traces", "#trace=id-0-0-0"):
            page.get_by_role("button", name="Theme").click(click_count=2)
            assert luminance(page) < 0.2
            assert violations(page, "color-contrast") == []
        if address == VIEWS[0]:
            page.keyboard.press("?")
            assert violations(page, within="#keys") == []


def test_nothing_scrolls_sideways_on_a_phone(browser: Browser, both: Path) -> None:
    with opened(browser, both, size=PHONE) as page:
        for address in VIEWS:
            view(page, address)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_colours_tell_from_what_they_stand_on() -> None:
    """WCAG 2.2: 4.5 for text, 3 for parts of a chart and for what frames a control."""
    style = (resources.files("programs.reports") / "page" / "page.css").read_text()
    colours = {name: both for name, *both in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", style)}
    least = {"ink": 7.0, "edge": 3.0, **dict.fromkeys(("muted", "accent", "good", "fair", "warn", "bad"), 4.5)}
    least |= {name: 3.0 for name in colours if name.startswith("chart-")}
    assert len(least) == 16
    for theme in (0, 1):
        for name, ratio in least.items():
            for ground in ("page", "surface", "sunken", "accent-soft") if ratio > 3 else ("surface",):
                assert contrast(colours[name][theme], colours[ground][theme]) >= ratio, (theme, name, ground)
        for ground in ("quoted", "lit"):
            assert contrast(colours["ink"][theme], colours[ground][theme]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' relative luminances, as WCAG 2.2 defines both."""
    shares = [[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in (one, other)]
    linear = [[part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb] for rgb in shares]
    dark, light = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (light + 0.05) / (dark + 0.05)


def luminance(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 765


def test_dark_is_dark_by_the_system_and_by_the_button(browser: Browser, report: Path) -> None:
    with opened(browser, report, scheme="dark") as page:
        assert luminance(page) < 0.2
        bar = page.locator("#chart-judges-scores svg path[fill^='var']").first
        dark = bar.evaluate("bar => getComputedStyle(bar).fill")
        button = page.get_by_role("button", name="Theme")
        button.click()
        assert luminance(page) > 0.8
        assert bar.evaluate("bar => getComputedStyle(bar).fill") != dark, "charts follow"
        page.reload()
        page.wait_for_selector("html[data-ready]", state="attached")
        assert luminance(page) > 0.8, "the choice stays"
        button.click()
        assert luminance(page) < 0.2


def test_the_page_may_load_nothing(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
        assert policy is not None
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.locator("[src], link").count() == 0


def test_on_paper_everything_is_there(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        open_trace(page, "id-4-0-0")
        page.emulate_media(media="print")
        assert page.locator("#passage").is_visible()
        assert page.locator("#views").is_hidden()
