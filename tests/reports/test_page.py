"""The report in Chromium: what it shows, and that search, filters, order, pages and keys do what they say.

1. The numbers shown are those of the document and of its journal.
2. Each facet leaves the traces that have the value, and says how many each choice would leave.
3. What is found can be opened by a click and by keys, and the way back leads to where one was.
4. An address leads to what it says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from programs.run.attempts import read_variations
from tests.reports.browsing import expect, go, keys_of, open_trace, opened, ready

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def records(document: Path) -> list[dict[str, Any]]:
    """All traces, those included that were turned down, as JSON, with what became of them."""
    found = []
    for unit in read_variations(document):
        for record in unit.records:
            status = "accepted" if record is unit.accepted else "turned down"
            found.append({"status": status, **record.model_dump(mode="json")})
    return found


def tile(page: Page, name: str) -> str:
    return page.locator(".tile", has=page.locator("dt").get_by_text(name)).first.locator("dd").inner_text()


def number(page: Page, name: str) -> str:
    return (
        page.locator("#numbers tr", has=page.get_by_role("rowheader", name=name, exact=True)).locator("td").inner_text()
    )


def test_the_numbers_are_those_of_the_document(
    browser: Browser, report: Path, document: Path, records: list[dict[str, Any]]
) -> None:
    metadata = json.loads(document.read_text())["metadata"]
    judged = [record for record in records if record["verdicts"]]
    with opened(browser, report) as page:
        assert tile(page, "accepted traces") == str(metadata["total_traces_generated"]) == "22"
        assert tile(page, "turned down") == str(sum(record["status"] == "turned down" for record in records)) == "3"
        assert tile(page, "agreement") == f"{metadata['judges']['alpha']:.3f}"
        assert number(page, "mean rating by openai/a") == f"{metadata['judges']['judges']['openai/a']['mean']:.2f}"
        assert number(page, "tokens read") == "1,600"
        assert number(page, "questions drafted") == str(9 * 3 + 1)
        assert number(page, "accepted traces without a mean grade") == "1"
        kinds = Counter(
            record["user_interaction"]["question_type"] for record in judged if record["status"] == "accepted"
        )
        chart = page.locator("#chart-question-types-by-difficulty")
        chart.locator("summary").click()
        columns = chart.locator("th.number").all_inner_texts()
        sums = Counter(dict.fromkeys(columns, 0))
        for row in chart.locator("tbody tr").all():
            sums.update(dict(zip(columns, map(int, row.locator("td").all_inner_texts()), strict=True)))
        assert sums == kinds
        reasons = page.locator("#chart-why-traces-were-not-taken")
        reasons.locator("summary").click()
        assert reasons.locator("tbody").inner_text().split("\t") == ["rejected by the judges", "1"]
        assert page.locator("figure.chart svg[role=img]").count() >= 12


FACETS: dict[tuple[str, str], Callable[[dict[str, Any]], bool]] = {
    ("type", "critical"): lambda record: record["user_interaction"]["question_type"] == "critical",
    ("difficulty", "beginner"): lambda record: record["user_interaction"]["difficulty_level"] == "beginner",
    ("status", "turned down"): lambda record: record["status"] == "turned down",
    ("model", "openai/any"): lambda record: record["generation"]["model"] == "openai/any",
    ("need", "needs_paper"): lambda record: record["blind_solve"]["need"] == "needs_paper",
    ("notable", "the text has flags"): lambda record: bool(record["source_paper"]["flags"]),
}


def test_each_facet_leaves_what_has_the_value(browser: Browser, report: Path, records: list[dict[str, Any]]) -> None:
    with opened(browser, report, "#view=traces") as page:
        for (field, value), has in FACETS.items():
            expected = {record["id"] for record in records if has(record)}
            box = page.locator(f'#facets input[name="{field}"][value="{value}"]')
            said = box.locator("xpath=..").locator(".count").inner_text()
            box.check()
            assert set(keys_of(page)) == expected
            assert int(said) == len(expected) > 0
            assert page.locator("#found").inner_text() == f"{len(expected)} of {len(records)} traces"
            page.get_by_role("button", name="Clear all").click()
            expect(page.locator("#rows .row")).to_have_count(len(records))


def test_choices_of_one_facet_add_up_and_those_of_several_narrow(
    browser: Browser, report: Path, records: list[dict[str, Any]]
) -> None:
    with opened(browser, report, "#view=traces&type=critical&type=mechanism&status=accepted") as page:
        kinds = {"critical", "mechanism"}
        accepted = [record for record in records if record["status"] == "accepted"]
        expected = {record["id"] for record in accepted if record["user_interaction"]["question_type"] in kinds}
        assert set(keys_of(page)) == expected
        other = page.locator('#facets input[name="type"][value="clarification"]').locator("xpath=..").locator(".count")
        assert int(other.inner_text()) == len(accepted) - len(expected)
        page.reload()
        ready(page)
        assert set(keys_of(page)) == expected, "the address keeps what is chosen"


def test_bounds_of_scores_and_their_order(browser: Browser, report: Path, records: list[dict[str, Any]]) -> None:
    with opened(browser, report, "#view=traces&type=clarification&type=critical") as page:
        page.get_by_label("Judges' score to").fill("4")
        assert (
            set(keys_of(page))
            == {record["id"] for record in records if record["metadata"]["quality_score"] <= 4}
            != set()
        )
        page.get_by_label("Judges' score to").fill("")
        page.get_by_label("Order").select_option("score-up")
        scores = {record["id"]: record["metadata"]["quality_score"] for record in records}
        shown = [scores[key] for key in keys_of(page)]
        assert shown == sorted(shown)
        assert len(set(shown)) == 2
        page.get_by_label("Mean grade from").fill("0.1")
        assert "id-1-0-0" not in keys_of(page), "a trace without a grade is not within any bounds"


def test_search_is_over_questions_and_titles_and_on_wish_over_all_texts(
    browser: Browser, report: Path, records: list[dict[str, Any]]
) -> None:
    with opened(browser, report, "#view=traces") as page:
        page.keyboard.press("/")
        page.keyboard.type("PAPER  catalogue 6 critical")
        expected = {
            record["id"]
            for record in records
            if (record["source_paper"]["id"], record["user_interaction"]["question_type"]) == ("text-6", "critical")
        }
        expect(page.locator("#found")).to_have_text(f"{len(expected)} of {len(records)} traces")
        assert set(keys_of(page)) == expected
        page.get_by_role("searchbox").fill("wordless corner-5.")
        expect(page.locator("#found")).to_have_text(f"0 of {len(records)} traces")
        page.get_by_label("also in thoughts").check()
        expected = {record["id"] for record in records if "wordless corner-5." in record["final_answer"]}
        expect(page.locator("#found")).to_have_text(f"{len(expected)} of {len(records)} traces")
        assert set(keys_of(page)) == expected


def test_a_trace_opens_by_a_click_and_the_way_back_leads_to_its_row(browser: Browser, report: Path) -> None:
    with opened(browser, report, "#view=traces&difficulty=beginner") as page:
        row = page.locator("#rows .row").nth(2)
        question, key = row.locator("a").inner_text(), row.get_attribute("data-key")
        row.click()
        page.wait_for_selector(f'#trace[data-shown="{key}"]')
        assert page.locator("#trace-title").inner_text() == question
        assert page.evaluate("document.activeElement.id") == "trace-title"
        assert page.locator(".where").inner_text().startswith("3 of")
        page.get_by_role("link", name="All traces").click()
        page.wait_for_selector("#traces:not([hidden])")
        assert page.evaluate("document.activeElement.closest('.row').dataset.key") == key
        page.go_back()
        page.wait_for_selector("#trace:not([hidden])")


def test_everything_can_be_done_with_keys(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        page.keyboard.press("2")
        page.wait_for_selector("#traces:not([hidden])")
        page.keyboard.press("j")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("j")
        page.keyboard.press("k")
        first, second = keys_of(page)[:2]
        page.keyboard.press("Enter")
        page.wait_for_selector(f'#trace[data-shown="{second}"]')
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.textContent").startswith("Evidence")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
        page.keyboard.press("p")
        page.wait_for_selector(f'#trace[data-shown="{first}"]')
        page.keyboard.press("Escape")
        page.wait_for_selector("#traces:not([hidden])")
        page.keyboard.press("?")
        assert page.locator("#keys").is_visible()
        page.get_by_label("keys of one character").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        assert page.locator("#overview").is_hidden(), "keys of one character are off"


def test_the_skip_link_leads_to_the_content(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        assert page.locator("#overview").is_visible()


def test_an_address_leads_to_what_it_says(browser: Browser, report: Path) -> None:
    with opened(browser, report, "#trace=id-4-0-0") as page:
        page.wait_for_selector('#trace[data-shown="id-4-0-0"]')
        go(page, "#trace=nobody")
        page.get_by_role("heading", name="No such trace").wait_for()
        open_trace(page, "id-5-1-0")
        go(page, "#view=nothing")
        page.wait_for_selector("#overview:not([hidden])")
