"""Shards merged are what one run makes.

1. The shards' journals merged hold what one run over the whole input makes: the same variations with the same records,
   apart from times, the same questions, and the same calls and tokens.
2. A run on the merged output goes on from it: it asks nothing that a source had settled, and only what is missing.
3. The order of the sources does not change the set; a source named twice, as itself or as its document, counts once.
4. Documents without journals are taken over; the document and what is printed say what there is.
"""

from pathlib import Path

import pytest

from tests.lab import Lab, laboratory
from tests.run.merging.merging import contents, merged, records_by_id, shard_runs, spent, timeless, view
from tests.run.test_resume import score_by_text
from tests.standin.panel import PANEL


def test_shards_merged_are_what_one_run_makes(lab: Lab) -> None:
    judged = {"quality_check": True, "judge_models": PANEL, "grade_answers": True}
    given = {**judged, "traces_per_sample": 2, "traces_per_question": 2}
    found = merged(lab, *shard_runs(lab, 3, **given))
    lab.run(**given)
    one, many = lab, view(lab, "merged")
    assert records_by_id(many) == records_by_id(one)
    assert len(one.records) == 24
    for kind in ("unit", "pool", "stage", "sample"):
        assert contents(many, kind) == contents(one, kind), kind
    assert timeless(found.spent_in_all) == timeless(spent(one))
    assert found.traces == {"accepted": 24}


def test_rejected_and_failed_ones_are_merged_too(tmp_path: Path) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=6, stages=score_by_text([3, 8, 8])) as lab:
        found = merged(lab, *shard_runs(lab, 2, **rules))
        lab.run(**rules)
        assert found.traces == {"accepted": 4, "rejected": 2}
        assert contents(view(lab, "merged"), "unit") == contents(lab, "unit")
        finished, calls = view(lab, "merged").counted(**{**rules, "min_quality_score": 3})
        assert (calls, finished.summary.traces) == (0, {"accepted": 6})


def test_a_run_on_the_merged_output_makes_what_is_missing(lab: Lab) -> None:
    journals = shard_runs(lab, 2, max_traces=1)
    found = merged(lab, *journals)
    assert found.traces == {"accepted": 2}
    mine = view(lab, "merged")
    _, calls = mine.counted()
    assert calls == 4 * 8
    assert len(set(mine.units)) == 6
    _, calls = mine.counted(traces_per_question=2)
    assert calls == 6 * 2


def test_the_order_of_sources_does_not_change_the_set(lab: Lab, halves: list[str]) -> None:
    one = merged(lab, *halves, name="one")
    other = merged(lab, *reversed(halves), name="other")
    assert records_by_id(view(lab, "one")) == records_by_id(view(lab, "other"))
    assert view(lab, "one").units != view(lab, "other").units
    assert timeless(one.spent_in_all) == timeless(other.spent_in_all)
    assert one.traces == other.traces


def test_a_source_named_twice_counts_once(lab: Lab, halves: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [journal.replace(".journal.jsonl", ".json") for journal in halves]
    monkeypatch.chdir(lab.folder)
    found = merged(lab, *halves, *documents, "out.shard-*.journal.jsonl", "./out.shard-1-of-2.json")
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
