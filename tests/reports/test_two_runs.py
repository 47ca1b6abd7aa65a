"""Two runs on one page, in Chromium.

1. With --compare every number has both values and the difference, and traces of the same question stand beside each other.
2. A page that holds a sample says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from programs.report import main
from tests.reports.browsing import expect, go, opened
from tests.reports.building import record, rich_units, unit, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_two_runs_stand_side_by_side(browser: Browser, document: Path, tmp_path: Path) -> None:
    same_text: dict[str, Any] = {"question_id": "text-9/other", "source_paper": record(8).source_paper}
    units = [*(unit(number, score=9.0) for number in range(4, 7)), unit(18, **same_text)]
    other = write_run(tmp_path / "after.json", units)
    page_path = tmp_path / "both.html"
    assert main([str(document), "--compare", str(other), "--output", str(page_path)]) == 0
    with opened(browser, page_path) as page:
        accepted = page.locator("#numbers tr", has=page.get_by_role("rowheader", name="accepted traces", exact=True))
        assert accepted.locator("td").all_inner_texts() == ["22", "4", "−18"]
        steps = page.locator("#numbers tr", has_text="steps of thoughts")
        assert steps.locator("td").all_inner_texts() == ["66", "12", "−54"]
        chart = page.locator("#chart-judges-scores")
        chart.locator("summary").click()
        assert chart.locator("th.number").all_inner_texts() == ["rich", "after"]
        assert chart.locator("tr", has_text="7–7.5").locator("td").all_inner_texts() == ["100.0 %", "25.0 %"]
        go(page, "#view=pairs")
        rows = page.locator("#pair-rows tr")
        expect(rows).to_have_count(4)
        assert page.locator("#pairs-found").inner_text().endswith("3 questions, 1 passage")
        first = rows.nth(0)
        assert first.locator("td").nth(2).inner_text() == "+2.00"
        page.get_by_label("Order").locator("visible=true").select_option("loss")
        assert rows.nth(0).locator("td").nth(2).inner_text() == "0.00"
        rows.nth(1).locator("td").nth(1).get_by_role("link").first.click()
        page.wait_for_selector("#trace[data-shown]")
        beside = page.get_by_role("region", name="The same question in the other run").locator("section")
        assert beside.count() >= 2
        assert "rich, variation 1" in beside.nth(1).locator("h4").inner_text()
        go(page, "#view=traces&run=after")
        expect(page.locator("#rows .row")).to_have_count(4)


def test_a_sampled_page_says_so(browser: Browser, tmp_path: Path) -> None:
    document = write_run(tmp_path / "run.json", rich_units())
    assert main([str(document), "--max-traces", "7"]) == 0
    with opened(browser, tmp_path / "run.html") as page:
        assert "7 of 25 traces can be read here" in page.locator("#notes").inner_text()
        go(page, "#view=traces")
        expect(page.locator("#found")).to_have_text("7 of 7 traces")
        assert "7 of 25" in page.locator("#notes").inner_text()
