"""`python -m programs.report`: what it writes where, and one line for each mistake.

1. The report is beside the document unless --output says otherwise; a file that is no report is never written over.
2. Of more traces than may be read in it the page holds the newest, and says so; the numbers stay those of all.
3. Mistakes get one line.
"""

import re
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

from programs.report import ReportOptions, main
from programs.reports.page import _figures
from programs.reports.source import read_run
from tests.lab import Lab, called, mistake
from tests.reports.building import rich_units, unit, write_run


def reported(*words: object) -> CompletedProcess[str]:
    return called(*map(str, words), main=main)


def test_it_reports_on_a_run(lab: Lab) -> None:
    lab.run(quality_check=True, judge_models=["openai/a", "openai/b"], grade_answers=True, traces_per_question=2)
    done = reported(lab.output)
    assert done.returncode == 0
    page = lab.output.with_suffix(".html")
    assert done.stdout.startswith(f"{page}: {len(lab.records)} traces, 0.")
    text = page.read_text()
    summary = lab.document["metadata"]["run"]
    read = sum(row["prompt"] for row in summary["spent_in_all"])
    assert figure(text, "accepted traces") == str(len(lab.records))
    assert figure(text, "tokens read") == f"{read:,}"
    for step in summary["funnel"]["steps"]:
        assert figure(text, step["what"]) == str(step["entered"])
    assert "Krippendorff" not in text, "so few traces tell no agreement"


def figure(page: str, name: str) -> str:
    """A number of the page's table."""
    found = re.search(rf'<th scope="row"[^>]*>{re.escape(name)}</th>\s*<td class="number"><span>([^<]*)</span>', page)
    assert found, name
    return found[1]


def test_where_nothing_was_judged_no_number_of_what_judges_turned_down_is_shown(tmp_path: Path) -> None:
    for name, one in {"judged": unit(1), "unjudged": unit(1, verdicts=[])}.items():
        document = write_run(tmp_path / f"{name}.json", [one])
        assert reported(document).returncode == 0
        assert ("turned down by the judges" in document.with_suffix(".html").read_text()) == (name == "judged")


def test_where_it_is_written() -> None:
    pages = {"run.json": "run.html", "run.journal.jsonl": "run.html", "a.b.json": "a.b.html", "run": "run.html"}
    assert {name: str(ReportOptions(document=Path(name)).page) for name in pages} == pages


def test_a_file_that_is_no_report_stays(tmp_path: Path) -> None:
    document = write_run(tmp_path / "run.json", [unit(1)])
    page = tmp_path / "run.html"
    page.write_text("<p>my notes</p>")
    done = reported(document)
    said = f"error: {page} exists and is not a report; name another file with --output\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert page.read_text() == "<p>my notes</p>"
    assert reported(document, "--output", tmp_path / "other.html").returncode == 0
    assert reported(document, "--output", tmp_path / "other.html").returncode == 0, "a report may be written again"


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    document = write_run(tmp_path / "run.json", [unit(1)])
    other = tmp_path / "notes.json"
    other.write_text("{}")
    for words, said in (
        ([tmp_path / "nothing.json"], "there is neither"),
        ([other], "is not a document of this program"),
        ([document, "--output", document], "is what the report is made from"),
        ([document, "--output", tmp_path], "is a folder; name a file"),
        ([document, "--output", tmp_path / "run.journal.jsonl"], "is what the report is made from"),
        ([document, "--max-traces", "0"], "--max-traces"),
        ([], "--document must be given"),
    ):
        assert said in mistake(reported(*words))
    assert not list(tmp_path.glob("*.html"))


def test_the_newest_traces_can_be_read(tmp_path: Path) -> None:
    document = write_run(tmp_path / "run.json", rich_units())
    done = reported(document, "--max-traces", 6)
    note = "The newest 6 of 25 traces can be read here; the numbers cover all."
    assert done.stdout.splitlines()[1] == note
    text = (tmp_path / "run.html").read_text()
    assert f'<p class="note">{note}</p>' in text
    assert figure(text, "accepted traces") == "22"
    costly = [replace(read_run(document, 1), cost=cost) for cost in (0.00123, 12345.67)]
    assert [_figures(run)["The run"]["cost"] for run in costly] == ["0.00123", "12,345.67"]
