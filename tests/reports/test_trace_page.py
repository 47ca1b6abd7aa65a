"""A trace in Chromium, with its passage, what was said of it, and what stands beside it.

1. What a step rests on lights up in the passage, exactly, behind letters outside the basic plane as well.
2. Verdicts, grades and checks are shown, and what is missing is said to be.
3. Variations, attempts that were turned down and their verdicts stand beside it.
4. Whatever a model or a paper wrote is shown as it stands, and never run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from programs.report import main
from tests.reports.browsing import go, lit, open_trace, opened
from tests.reports.building import HOSTILE, passage, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECOND = "The slope 𝛼 amounts to 4 percent in catalogue 2."


def test_what_a_step_rests_on_lights_up(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        open_trace(page, "id-4-0-0")
        assert "".join(page.locator("#passage").all_text_contents()) == passage(2)
        assert lit(page) == ""
        page.locator(".step").nth(1).hover()
        assert lit(page) == SECOND
        page.locator(".item").first.focus()
        assert lit(page) == "Let 𝛼 be the slope of the relation."
        page.locator(".step button").nth(1).focus()
        assert lit(page) == SECOND
        step = page.locator(".step").nth(1)
        step.get_by_role("button").click()
        assert step.locator("blockquote").inner_text() == SECOND
        for said in ("✕ contradicted", "by openai/checker", "9 is not said"):
            assert said in step.inner_text()
        assert "· not judged" in page.locator(".step").first.inner_text()


def test_what_was_said_of_it_is_shown(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        open_trace(page, "id-0-0-0")
        verdicts = page.get_by_role("region", name="Verdicts").locator("tbody tr")
        # calibrated, as given, reasoning, accuracy, coherence
        assert verdicts.nth(0).locator("td.number").all_inner_texts() == ["8", "9", "7", "8", "9"]
        words = verdicts.nth(0).locator("td").last.inner_text()
        assert words.startswith("Fault: Too sure.")
        assert "Best: Sound." in words
        assert verdicts.nth(1).locator("td.number").all_inner_texts() == ["6", "not known", "6", "6", "6"]
        grades = page.get_by_role("region", name="Grades").locator("td.number").all_inner_texts()
        assert grades == ["0.80", "0.70", "0.60", "0.50", "0.90", "0.40", "0.65"]
        for heading in ("Blind solve", "How it was made"):
            assert page.get_by_role("heading", name=heading).is_visible()
        open_trace(page, "id-1-0-0")
        grades = page.get_by_role("region", name="Grades").locator("td.number").all_inner_texts()
        assert grades[-2:] == ["not known", "not known"]


def test_variations_and_attempts_stand_beside_it(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        open_trace(page, "id-5-0-0")
        columns = page.get_by_role("region", name="Variations of this question").locator("section")
        assert columns.locator("h4").all_inner_texts() == [
            "This trace",
            "variation 2, attempt 1",
            "variation 3, attempt 1",
        ]
        assert [f"case 5.{number}.0" in text for number, text in enumerate(columns.all_inner_texts())] == [True] * 3
        open_trace(page, "id-2-0-2")
        columns = page.get_by_role("region", name="Other attempts at this trace").locator("section")
        assert columns.count() == 3
        assert "✕ turned down" in columns.nth(1).inner_text()
        assert "openai/a: 4." in columns.nth(1).inner_text(), "why it was turned down"
        columns.nth(1).get_by_role("link").click()
        page.wait_for_selector('#trace[data-shown="id-2-0-0"]')
        assert "✕ turned down" in page.locator(".asked").inner_text()


def test_texts_are_shown_as_they_stand(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        assert HOSTILE[:12] in page.locator("#chart-tokens-by-stage").inner_html().replace("&lt;", "<").replace(
            "&gt;", ">"
        )
        page.locator("#chart-tokens-by-stage summary").click()
        assert HOSTILE in page.locator("#chart-tokens-by-stage tbody").inner_text()
        go(page, "#view=traces")
        assert HOSTILE in page.locator("#rows .row").first.inner_text()
        open_trace(page, "id-0-0-0")
        for summary in page.locator("article summary").all():
            summary.click()
        for button in page.locator(".step button").all():
            button.click()
        article = page.locator("article")
        for place in (".asked h2", ".step >> nth=0", "#passage", ".answer", ".item >> nth=0", ".item >> nth=1"):
            assert HOSTILE in article.locator(place).inner_text()
        for name in ("Verdicts", "Variations of this question"):
            assert HOSTILE in article.get_by_role("region", name=name).inner_text()
        assert json.dumps(HOSTILE) in article.locator(".plain").inner_text(), "the text's input record"
        # In the question, title, domain, model, verdicts, grades, checks, and what stands beside it.
        assert article.inner_text().count(HOSTILE) >= 20
        assert article.locator("script, img").count() == 0


def test_a_document_of_few_fields_shows_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    bare = {
        "source_paper": {"title": "A paper", "domain": "physics"},
        "user_interaction": {"question": "Why so?", "question_type": "other", "difficulty_level": "expert"},
        "reasoning_trace": "It is so.\n\nOr is it?",
        "final_answer": "Because.",
        "metadata": {"authenticity_score": 0.5, "complexity_level": "low", "reasoning_patterns": []},
    }
    metadata = {"generation_timestamp": "2026-01-01T00:00:00Z", "total_traces_generated": 2, "status": "completed"}
    document = tmp_path / "other.json"
    document.write_text(json.dumps({"metadata": metadata, "questions": [bare, {**bare, "final_answer": "No idea."}]}))
    assert main([str(document)]) == 0
    with opened(browser, tmp_path / "other.html") as page:
        assert page.locator(".tile").all_inner_texts() == ["accepted traces\n2"]
        assert "No journal lies beside this document" in page.locator("#notes").inner_text()
        assert page.locator("#chart-judges-scores, #chart-grades, #chart-tokens-by-stage").count() == 0
        go(page, "#view=traces")
        assert "no score" in page.locator("#rows .row").first.inner_text()
        page.locator("#rows .row").nth(1).click()
        page.wait_for_selector("#trace[data-shown]")
        text = page.locator("article").inner_text()
        for said in ("It is so.", "Or is it?", "No idea.", "does not hold the passage", "neither judged nor graded"):
            assert said in text
        assert "Variations of this question (1)" in text, "traces of one question belong together without ids as well"


def test_a_score_of_nobody_is_no_zero(browser: Browser, tmp_path: Path) -> None:
    from programs.records import Verdict
    from tests.reports.building import record, unit

    unscored = Verdict(judge="openai/a", scored=False, reason="the reply could not be read")
    metadata = record(3).metadata.model_copy(update={"quality_score": None, "quality_spread": None})
    write_run(tmp_path / "run.json", [unit(3, verdicts=[unscored], metadata=metadata, answer_grades=None)])
    assert main([str(tmp_path / "run.json")]) == 0
    with opened(browser, tmp_path / "run.html", "#view=traces") as page:
        assert "no score" in page.locator("#rows .row").inner_text()
        open_trace(page, "id-3-0-0")
        row = page.get_by_role("region", name="Verdicts").locator("tbody tr")
        assert row.locator("td.number").all_inner_texts() == ["no score"], "no judge rated any dimension"
        go(page, "#view=overview")
        assert "mean score" not in page.locator(".tiles").inner_text()
        missing = page.locator("#numbers tr", has_text="verdicts missing from openai/a")
        assert missing.locator("td").inner_text() == "1"
