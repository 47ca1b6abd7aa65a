"""Texts that are in several sources.

1. All traces and replies of a text come from one source, the one that made most of it; if these are equal, the one named
   first. This holds for arbitrary journals (Hypothesis). A later run never mixes two sources.
2. The cost of a text counts once.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.asking.reply import Reply
from programs.lms.meter import ResourceUsage
from programs.merge import copy_sources
from programs.run.attempts import TraceSource
from programs.run.journal import Journal
from tests.lab import Lab, laboratory
from tests.run.merging.merging import copy_journal, merge_sources, run_to_output, with_output
from tests.run.test_resume import JUDGED, stages_with_scores


@pytest.mark.parametrize("reverse", [False, True])
def test_a_copy_that_was_continued_counts_once(lab: Lab, reverse: bool) -> None:
    before = lab.calls
    first = run_to_output(lab, "first", max_traces=2)
    second = copy_journal(lab, first, "second")
    run_to_output(lab, "second")
    sources = [second, first] if reverse else [first, second]
    merged = merge_sources(lab, *sources)
    assert merged.traces == {"accepted": 6}
    assert sum(row["calls"] for row in merged.spent_in_all) == lab.calls - before == 6 * 8
    assert merged.shared_texts >= 2
    assert with_output(lab, "merged").run_and_count()[1] == 0


@pytest.mark.parametrize("reverse", [False, True])
def test_an_accepted_trace_takes_precedence_over_a_rejected_one(tmp_path: Path, reverse: bool) -> None:
    rules = {**JUDGED, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=stages_with_scores([7])) as lab:
        strict = run_to_output(lab, "strict", **rules, min_quality_score=8)
        copy_journal(lab, strict, "mild")
        mild = run_to_output(lab, "mild", **rules, min_quality_score=6)
        merged = merge_sources(lab, *([strict, mild] if reverse else [mild, strict]))
        assert merged.traces == {"accepted": 4}
        # A run decides by its own rules, from the stored verdicts.
        merged_lab = with_output(lab, "merged")
        finished, calls = merged_lab.run_and_count(**rules, min_quality_score=8)
        assert (calls, finished.summary.traces) == (0, {"rejected": 4})
        finished, calls = merged_lab.run_and_count(**rules, min_quality_score=6)
        assert (calls, finished.summary.traces) == (0, {"accepted": 4})


KEYS = ("questions/0a", "context/0a/limitation", "questions/0b")
LINES = st.lists(st.tuples(st.sampled_from(KEYS), st.booleans(), st.sampled_from(["x", "y", "z"])), max_size=8)


def write_journal(path: Path, lines: list[tuple[str, bool, str]]) -> None:
    with Journal(path) as journal:
        for key, settled, words in lines:
            cost = ResourceUsage(calls=1, prompt_tokens=len(words))
            reply = Reply(status="ok" if settled else "unread", output=words, model="m", spent=cost)
            kind = "stage" if settled else "failed"
            journal.append(kind, key, stage=key.split("/")[0], reply=reply.model_dump(mode="json"))


def newest_outputs(journal: Journal) -> dict[str, Any]:
    """The newest output of every key."""
    kinds = ("stage", "failed")
    newest = {(kind, key): journal.latest(kind, key) for kind in kinds for key in KEYS}
    return {f"{kind} {key}": line["reply"]["output"] for (kind, key), line in newest.items() if line is not None}


@given(sources=st.lists(LINES, min_size=1, max_size=3), repeat_sources=st.booleans())
@settings(max_examples=15)
def test_a_text_comes_whole_from_the_first_of_equal_sources(
    tmp_path_factory: pytest.TempPathFactory, sources: list[list[tuple[str, bool, str]]], repeat_sources: bool
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    numbered = [*enumerate(sources), *(enumerate(sources) if repeat_sources else ())]
    for number, lines in enumerate(sources):
        write_journal(folder / f"{number}.jsonl", lines)
    expected_lines = []
    for text in ("0a", "0b"):
        of_text = [[line for line in lines if text in line[0]] for _, lines in numbered]
        expected_lines += next((lines for lines in of_text if lines), [])
    write_journal(folder / "alone.jsonl", expected_lines)
    with Journal(folder / "merged.jsonl") as new, Journal(folder / "alone.jsonl") as expected:
        copy_sources([TraceSource(folder / f"{number}.jsonl", True) for number, _ in numbered], new, folder)
        assert newest_outputs(new) == newest_outputs(expected)
        assert new.index.spent() == expected.index.spent()
