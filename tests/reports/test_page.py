"""The report in Chromium.

1. Search, filters, order and pages show the traces that they should, and each trace has a link that can be shared.
2. The part of the passage that a step refers to is highlighted exactly, even after characters outside the basic plane.
3. Everything that a record has is shown; missing values are marked as missing, never shown as 0.
4. Texts of models and papers are shown literally and never executed; nothing is loaded.
5. axe finds no violation, nothing scrolls sideways on a phone, and the dark scheme is dark.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from programs.report import main
from programs.reports.traces import SCORE, STATUSES
from programs.run.attempts import read_variations
from tests.exports.building import HOSTILE, write_run
from tests.reports.browsing import PHONE, choose, go_to, listed_keys, open_page
from tests.reports.building import passage, record, unit
from tests.requirements import require_module
from tests.test_document import MINIMAL

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECOND = "The slope 𝛼 amounts to 4 percent in catalogue 2."
SCHEMES: tuple[tuple[Any, dict[str, Any]], ...] = (("light", {}), ("dark", {"runOnly": ["color-contrast"]}))
"""Only the colours differ in the dark, so axe checks nothing else there."""
VIEWS = ("#overview", "#traces", "#trace=id-0-0-0")


@pytest.fixture(scope="module")
def records(document: Path) -> list[dict[str, Any]]:
    """All traces, including rejected ones, as JSON with their status."""
    return [
        {"status": STATUSES.get(trace.outcome, trace.outcome), **trace.record.model_dump(mode="json")}
        for trace in chain.from_iterable(read_variations(document))
    ]


FACETS: dict[str, Callable[[Any], str]] = {
    "Status": lambda record: record["status"],
    "Question type": lambda record: record["user_interaction"]["question_type"],
    "Model": lambda record: record["generation"]["model"],
}


def test_1_a_filter_shows_matching_traces(browser: Browser, report: Path, records: list[dict[str, Any]]) -> None:
    with open_page(browser, report, "#traces") as page:
        for facet, value_of in FACETS.items():
            counts = Counter(map(value_of, records))
            options = page.locator(f'select[name="{facet}"] option').all_inner_texts()
            assert sorted(options[1:]) == sorted(f"{value} ({count})" for value, count in counts.items())
            for value in counts:
                choose(page, facet, value)
                assert set(listed_keys(page)) == {record["id"] for record in records if value_of(record) == value}
            choose(page, facet, "any")


def test_1_search_requires_all_words(browser: Browser, report: Path, records: list[dict[str, Any]]) -> None:
    with open_page(browser, report, "#traces") as page:
        page.get_by_role("searchbox").fill("CATALOGUE 6 critical")
        expected = {r["id"] for r in records if r["question_id"] == "text-6/critical"}
        assert set(listed_keys(page)) == expected
        assert page.locator("#found").inner_text() == f"{len(expected)} of {len(records)} traces"
        page.get_by_role("searchbox").fill("wordless corner-5.")
        assert listed_keys(page) == []
        page.get_by_label("also in thoughts").check()
        page.locator("#found").filter(has_text=re.compile("traces$")).wait_for()
        assert set(listed_keys(page)) == {r["id"] for r in records if "wordless corner-5." in r["final_answer"]}


def test_1_traces_are_sorted_and_paged(browser: Browser, tmp_path: Path) -> None:
    units = [unit(number, score=float(number % 9 + 1), variation=number // 18) for number in range(60)]
    unscored = record(1).metadata.model_copy(update={"quality_score": None})
    write_run(tmp_path, [*units, unit(60, metadata=unscored)], "run.json")
    assert main([str(tmp_path / "run.json")]) == 0
    with open_page(browser, tmp_path / "run.html", "#traces") as page:
        scores = f"list.found.map(row => row.scores[{json.dumps(SCORE)}])"
        for order, sign in (("+", 1), ("-", -1)):
            choose(page, "Order", f"{order}{SCORE}")
            *known, last = page.evaluate(scores)
            assert known == sorted(known, reverse=sign < 0)
            assert last is None, "a trace without a score is last in both orders"
        assert len(listed_keys(page)) == 50
        page.get_by_role("button", name="Show more").click()
        assert len(listed_keys(page)) == 61
        assert page.locator("#more").is_hidden()


def test_1_a_trace_links_to_the_next_one_and_back_to_the_list(browser: Browser, report: Path) -> None:
    with open_page(browser, report, "#traces") as page:
        choose(page, "Difficulty", "beginner")
        first, second, third = listed_keys(page)[:3]
        page.locator("#rows a").nth(1).click()
        page.wait_for_selector(f'#trace[data-shown="{second}"]')
        page.get_by_role("link", name="Next").click()
        page.wait_for_selector(f'#trace[data-shown="{third}"]')
        page.go_back()
        page.wait_for_selector(f'#trace[data-shown="{second}"]')
        page.get_by_role("link", name="All traces").click()
        assert listed_keys(page)[0] == first, "the filter is unchanged"
    with open_page(browser, report, "#trace=id-4-0-0") as page:
        assert page.locator("#trace h2").inner_text() == "How does the slope of catalogue 2 come about, as a critical?"
        page.evaluate("location.hash = '#trace=nobody'")
        page.get_by_role("heading", name="No such trace").wait_for()


def test_2_the_source_of_a_step_is_highlighted(browser: Browser, report: Path) -> None:
    with open_page(browser, report, "#trace=id-4-0-0") as page:

        def highlighted() -> str:
            return "".join(page.locator("#passage mark.lit").all_text_contents())

        assert "".join(page.locator("#passage").all_text_contents()) == passage(2)
        assert (
            "".join(page.locator("#passage mark").all_text_contents()) == f"Let 𝛼 be the slope of the relation.{SECOND}"
        )
        assert highlighted() == ""
        wrong = page.locator(".quoting").nth(1)
        wrong.hover()
        assert highlighted() == SECOND
        assert wrong.locator("blockquote").inner_text() == SECOND
        for words in ("contradicted", "openai/checker", "9 is not said"):
            assert words in wrong.inner_text()
        page.locator(".quoting").nth(3).focus()
        assert highlighted() == "Let 𝛼 be the slope of the relation."
        missing = page.locator(".quoting").nth(4)
        missing.focus()
        assert highlighted() == ""
        assert "Not found in the passage" in missing.inner_text()


def test_3_verdicts_grades_and_other_attempts_are_shown(browser: Browser, report: Path) -> None:
    with open_page(browser, report, "#trace=id-0-0-0") as page:
        rows = page.get_by_role("region", name="verdicts").locator("tr").all()
        headers, first, second = (row.locator("th, td").all_inner_texts() for row in rows)
        verdict = dict(zip(headers, first, strict=True))
        assert (verdict["judge"], verdict["overall"], verdict["accuracy"]) == ("openai/a", "8", "8")
        assert verdict["fault"].startswith("Too sure.")
        assert dict(zip(headers, second, strict=True))["fault"] == "not known"
        go_to(page, "#trace=id-1-0-0")
        assert page.locator("dt", has_text="evidence usage").locator("+ dd").inner_text() == "not known"
        go_to(page, "#trace=id-2-0-2")
        others = page.locator("#trace .rows li")
        assert others.count() == 2
        assert "rejected attempt" in others.first.inner_text()
        others.first.get_by_role("link").click()
        page.wait_for_selector('#trace[data-shown="id-2-0-0"]')
        go_to(page, "#trace=id-5-0-0")
        assert [f"variation {number}" in text for number, text in enumerate(others.all_inner_texts(), 2)] == [True] * 2


def test_3_missing_fields_are_marked_as_missing(browser: Browser, tmp_path: Path) -> None:
    unscored = {"judge": "openai/a", "scored": False, "reason": "the reply could not be read"}
    less = {"answer_grades": None, "verdicts": [unscored], "reasoning_trace": "So.\n\nOr is it?"}
    bare = {**MINIMAL["questions"][0], **less}
    document = tmp_path / "other.json"
    document.write_text(json.dumps({**MINIMAL, "questions": [bare, {**bare, "final_answer": "No idea."}]}))
    assert main([str(document)]) == 0
    with open_page(browser, tmp_path / "other.html") as page:
        assert page.locator(".tiles > div").all_inner_texts() == ["accepted traces\n2"]
        assert "There is no journal beside this document" in page.locator(".note").inner_text()
        assert page.locator("tr", has_text="judges' mean rating").count() == 0
        missing = page.locator("#numbers tr", has_text="verdicts missing from openai/a")
        assert missing.locator("td").inner_text() == "2"
        go_to(page, "#traces")
        page.locator("#rows a").nth(1).click()
        page.wait_for_selector("#trace[data-shown]")
        text = page.locator("#trace").inner_text()
        for words in ("So.", "Or is it?", "No idea.", "does not hold the passage", "Other attempts"):
            assert words in text
        assert page.get_by_role("region", name="verdicts").locator("td").all_inner_texts()[:2] == ["openai/a", "no"]


def test_4_texts_are_shown_literally_and_nothing_is_loaded(browser: Browser, report: Path) -> None:
    assert report.read_text().count(HOSTILE) == 0
    with open_page(browser, report) as page:
        policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.locator("[src], link, img").count() == 0
        assert HOSTILE in page.locator("figure", has_text="Tokens by stage").locator("tbody").inner_text()
        go_to(page, "#traces")
        assert HOSTILE in page.locator("#rows li").first.inner_text()
        go_to(page, "#trace=id-0-0-0")
        page.locator("#trace summary").click()
        quoting = [f".quoting >> nth={number}" for number in (0, 3, 4)]
        for place in ("h2", *quoting, "#passage", "table", "details"):
            assert HOSTILE in page.locator("#trace").locator(place).first.inner_text(), place
        assert page.locator("#trace script, #trace img").count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_5_the_page_is_accessible_on_a_phone_and_in_the_dark(browser: Browser, report: Path, view: str) -> None:
    axe: Any = require_module("axe_playwright_python.sync_playwright", "it finds what a screen reader cannot use").Axe()
    with open_page(browser, report, view) as page:
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        for scheme, rules in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            violations = axe.run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
            assert [f"{item['id']}: {item['nodes'][0]['html']}" for item in violations] == []
            rgb = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
            assert (sum(rgb) < 200) == (scheme == "dark")
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
