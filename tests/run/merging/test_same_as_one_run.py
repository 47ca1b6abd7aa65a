"""Merging runs over parts of the input gives what one run over the whole input gives.

1. The merged journal has the same variations with the same records (except times), questions, calls and tokens as the
   journal of one run over the whole input.
2. A run on the merged output continues from it: it makes only the missing calls, and none that a source has settled.
3. The order of the sources does not matter (tests/run/merging/test_several_sources.py); a source named twice, as itself or
   as its document, counts once.
4. Documents without journals are imported; the document and the printed summary report the result.
"""

from pathlib import Path

import pytest

from tests.lab import Lab
from tests.run.merging.merging import comparable, merge_sources, newest_by_key, records_by_id, run_parts, with_output
from tests.run.test_resume import JUDGED, stages_with_scores


def test_merged_parts_equal_one_run(lab: Lab) -> None:
    """Also the rejected variations."""
    lab.brain.stages.update(stages_with_scores([3, 8, 8]))
    judged = {**JUDGED, "max_attempts": 1, "grade_answers": True}
    options = {**judged, "traces_per_sample": 2, "traces_per_question": 2}
    merged = merge_sources(lab, *run_parts(lab, 3, **options))
    finished = lab.run(**options)
    one_run, merged_lab = lab, with_output(lab, "merged")
    assert records_by_id(merged_lab) == records_by_id(one_run)
    for kind in ("unit", "pool", "stage", "sample"):
        assert newest_by_key(merged_lab, kind) == newest_by_key(one_run, kind), kind
    assert comparable(merged.spent_in_all) == comparable(finished.summary.spent_in_all)
    assert merged.traces == {"accepted": 16, "rejected": 8}
    assert merged_lab.lines("run")[-1]["settings"].keys() == {"quality_check", "grade_answers"}, "removable results"


def test_a_run_on_the_merged_output_makes_only_missing_traces(lab: Lab) -> None:
    journals = run_parts(lab, 2, max_traces=1)
    merged = merge_sources(lab, *journals)
    assert merged.traces == {"accepted": 2}
    merged_lab = with_output(lab, "merged")
    _, calls = merged_lab.run_and_count()
    assert calls == 4 * 8
    assert len(set(merged_lab.units)) == 6
    _, calls = merged_lab.run_and_count(traces_per_question=2)
    assert calls == 6 * 2


def test_a_source_named_twice_counts_once(lab: Lab, halves: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [journal.replace(".journal.jsonl", ".json") for journal in halves]
    monkeypatch.chdir(lab.folder)
    merged = merge_sources(lab, *halves, *documents, "part-*.journal.jsonl", "./part-0.json")
    assert merged.sources == halves
    assert sum(row["calls"] for row in merged.spent_in_all) == 6 * 8


def test_documents_without_journals_are_imported(lab: Lab, halves: list[str]) -> None:
    first = Path(halves[0])
    for path in lab.folder.glob(f"{first.name}*"):
        path.unlink()
    merged = merge_sources(lab, halves[0].replace(".journal.jsonl", ".json"), halves[1])
    assert merged.traces == {"accepted": 6}
    lab.run()
    assert records_by_id(with_output(lab, "merged")) == records_by_id(lab)
