"""`python -m programs.report`: what it writes, and where.

1. The report is beside the document unless --output says otherwise; a file that is not a report is never overwritten.
2. If there are more traces than the page may have, it has the newest, and says so; the numbers still cover all.
3. User errors are one line.
"""

import re
from pathlib import Path
from subprocess import CompletedProcess

from programs.report import ReportOptions, main
from programs.reports.page import _figures
from programs.reports.source import read_run
from tests.exports.building import write_run
from tests.lab import Lab, run_command, user_error
from tests.reports.building import rich_units, unit


def run_report(*words: object) -> CompletedProcess[str]:
    return run_command(*map(str, words), main=main)


def test_a_run_is_reported(lab: Lab) -> None:
    lab.run(quality_check=True, judge_models=["openai/a", "openai/b"], grade_answers=True, traces_per_question=2)
    done = run_report(lab.output)
    assert done.returncode == 0
    page = lab.output.with_suffix(".html")
    assert done.stdout.startswith(f"{page}: {len(lab.records)} traces to read, 0.")
    text = page.read_text()
    summary = lab.document["metadata"]["run"]
    read = sum(row["prompt"] for row in summary["spent_in_all"])
    assert figure(text, "accepted traces") == str(len(lab.records))
    assert figure(text, "tokens read") == f"{read:,}"
    for step in summary["funnel"]["steps"]:
        assert figure(text, step["what"]) == str(step["entered"])
    assert "Krippendorff" not in text, "too few traces to measure agreement"


def figure(page: str, name: str) -> str:
    """A number in the page's table, by its name."""
    found = re.search(rf'<th scope="row"[^>]*>{re.escape(name)}</th>\s*<td class="number"><span>([^<]*)</span>', page)
    assert found, name
    return found[1]


def test_rejections_by_judges_are_shown_only_if_there_are_verdicts(tmp_path: Path) -> None:
    for name, one in {"judged": unit(1), "unjudged": unit(1, verdicts=[])}.items():
        document = write_run(tmp_path, [one], f"{name}.json")
        assert run_report(document).returncode == 0
        assert ("rejected attempts" in document.with_suffix(".html").read_text()) == (name == "judged")


def test_the_page_is_named_after_the_document() -> None:
    pages = {"run.json": "run.html", "run.journal.jsonl": "run.html", "a.b.json": "a.b.html", "run": "run.html"}
    assert {name: str(ReportOptions(document=Path(name)).page) for name in pages} == pages


def test_a_file_that_is_no_report_is_not_overwritten(tmp_path: Path) -> None:
    document = write_run(tmp_path, [unit(1)], "run.json")
    page = tmp_path / "run.html"
    page.write_text("<p>my notes</p>")
    done = run_report(document)
    message = f"error: {page} exists and is not a report; name another file with --output\n"
    assert (done.returncode, done.stderr) == (2, message)
    assert page.read_text() == "<p>my notes</p>"
    assert run_report(document, "--output", tmp_path / "other.html").returncode == 0
    assert run_report(document, "--output", tmp_path / "other.html").returncode == 0, "a report may be overwritten"


def test_user_errors_are_one_line(tmp_path: Path) -> None:
    document = write_run(tmp_path, [unit(1)], "run.json")
    other = tmp_path / "notes.json"
    other.write_text("{}")
    for words, message in (
        ([tmp_path / "nothing.json"], "there is neither"),
        ([other], "is not a document of this program"),
        ([document, "--output", document], "exists and is not a report"),
        ([document, "--output", tmp_path], "is a folder; name a file"),
        ([document, "--output", tmp_path / "run.journal.jsonl"], "exists and is not a report"),
        ([document, "--max-traces", "0"], "--max-traces"),
        ([], "--document must be given"),
    ):
        assert message in user_error(run_report(*words))
    assert not list(tmp_path.glob("*.html"))


def test_the_page_has_the_newest_traces_and_numbers_of_all(tmp_path: Path) -> None:
    document = write_run(tmp_path, rich_units(), "run.json")
    done = run_report(document, "--max-traces", 6)
    note = "The newest 6 of 25 traces can be read here; the numbers cover all."
    assert done.stdout.splitlines()[1] == note
    text = (tmp_path / "run.html").read_text()
    assert f'<p class="note">{note}</p>' in text
    assert figure(text, "accepted traces") == "22"
    run = read_run(document, 1)
    for cost, shown in ((0.00123, "0.00123"), (12345.67, "12,345.67")):
        run.summary["cost_in_all"] = cost
        assert _figures(run)["The run"]["cost"] == shown
    run.summary["cost"] = run.summary.pop("cost_in_all")
    assert "cost" not in _figures(run)["The run"], "the cost of the latest run is not that of all"
