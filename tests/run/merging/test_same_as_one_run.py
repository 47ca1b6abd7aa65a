"""Parts merged are what one run makes.

1. The journals of runs over parts of the input, merged, hold what one run over the whole input makes: the same variations
   with the same records, apart from times, the same questions, and the same calls and tokens.
2. A run on the merged output goes on from it: it asks nothing that a source had settled, and only what is missing.
3. The order of the sources does not change the set (tests/run/merging/test_several_sources.py); a source named twice, as
   itself or as its document, counts once.
4. Documents without journals are taken over; the document and what is printed say what there is.
"""

from pathlib import Path

import pytest

from tests.lab import Lab
from tests.run.merging.merging import contents, merged, records_by_id, run_parts, timeless, view
from tests.run.test_resume import JUDGED, score_by_text


def test_parts_merged_are_what_one_run_makes(lab: Lab) -> None:
    """Those that were rejected too."""
    lab.brain.stages.update(score_by_text([3, 8, 8]))
    judged = {**JUDGED, "max_attempts": 1, "grade_answers": True}
    given = {**judged, "traces_per_sample": 2, "traces_per_question": 2}
    found = merged(lab, *run_parts(lab, 3, **given))
    finished = lab.run(**given)
    one, many = lab, view(lab, "merged")
    assert records_by_id(many) == records_by_id(one)
    for kind in ("unit", "pool", "stage", "sample"):
        assert contents(many, kind) == contents(one, kind), kind
    assert timeless(found.spent_in_all) == timeless(finished.summary.spent_in_all)
    assert found.traces == {"accepted": 16, "rejected": 8}
    assert many.lines("run")[-1]["settings"].keys() == {"quality_check", "grade_answers"}, "whose results may go"


def test_a_run_on_the_merged_output_makes_what_is_missing(lab: Lab) -> None:
    journals = run_parts(lab, 2, max_traces=1)
    found = merged(lab, *journals)
    assert found.traces == {"accepted": 2}
    mine = view(lab, "merged")
    _, calls = mine.counted()
    assert calls == 4 * 8
    assert len(set(mine.units)) == 6
    _, calls = mine.counted(traces_per_question=2)
    assert calls == 6 * 2


def test_a_source_named_twice_counts_once(lab: Lab, halves: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [journal.replace(".journal.jsonl", ".json") for journal in halves]
    monkeypatch.chdir(lab.folder)
    found = merged(lab, *halves, *documents, "part-*.journal.jsonl", "./part-0.json")
    assert found.sources == halves
    assert sum(row["calls"] for row in found.spent_in_all) == 6 * 8


def test_documents_without_journals_are_taken_over(lab: Lab, halves: list[str]) -> None:
    alone = Path(halves[0])
    for path in lab.folder.glob(f"{alone.name}*"):
        path.unlink()
    found = merged(lab, halves[0].replace(".journal.jsonl", ".json"), halves[1])
    assert found.traces == {"accepted": 6}
    lab.run()
    assert records_by_id(view(lab, "merged")) == records_by_id(lab)
