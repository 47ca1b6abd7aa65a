"""What several sources hold.

1. A text is taken whole from one source, of the one that made most of it, of equals the one named first: its traces, and
   every reply (also of journals of any kind, by Hypothesis). A later run never weaves two together.
2. Its cost counts once.
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
from tests.run.merging.merging import copied, merged, run_as, view
from tests.run.test_resume import JUDGED, score_by_text


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_that_was_carried_on_counts_once(lab: Lab, turned: bool) -> None:
    before = lab.calls
    first = run_as(lab, "first", max_traces=2)
    second = copied(lab, first, "second")
    run_as(lab, "second")
    sources = [second, first] if turned else [first, second]
    found = merged(lab, *sources)
    assert found.traces == {"accepted": 6}
    assert sum(row["calls"] for row in found.spent_in_all) == lab.calls - before == 6 * 8
    assert found.shared_texts >= 2
    assert view(lab, "merged").counted()[1] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_an_accepted_trace_stands_before_a_rejected_one(tmp_path: Path, turned: bool) -> None:
    rules = {**JUDGED, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=score_by_text([7])) as lab:
        strict = run_as(lab, "strict", **rules, min_quality_score=8)
        copied(lab, strict, "mild")
        mild = run_as(lab, "mild", **rules, min_quality_score=6)
        found = merged(lab, *([strict, mild] if turned else [mild, strict]))
        assert found.traces == {"accepted": 4}
        # Whichever rules a run has, it decides by them, from what is there.
        mine = view(lab, "merged")
        finished, calls = mine.counted(**rules, min_quality_score=8)
        assert (calls, finished.summary.traces) == (0, {"rejected": 4})
        finished, calls = mine.counted(**rules, min_quality_score=6)
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


def told(journal: Journal) -> dict[str, Any]:
    """What the journal answers each key with, of a text or of both."""
    kinds = ("stage", "failed")
    found = {(kind, key): journal.latest(kind, key) for kind in kinds for key in KEYS}
    return {f"{kind} {key}": line["reply"]["output"] for (kind, key), line in found.items() if line is not None}


@given(sources=st.lists(LINES, min_size=1, max_size=3), repeated=st.booleans())
@settings(max_examples=15)
def test_a_text_is_taken_whole_from_the_first_of_equals(
    tmp_path_factory: pytest.TempPathFactory, sources: list[list[tuple[str, bool, str]]], repeated: bool
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    given = [*enumerate(sources), *(enumerate(sources) if repeated else ())]
    for number, lines in enumerate(sources):
        write_journal(folder / f"{number}.jsonl", lines)
    taken = []
    for text in ("0a", "0b"):
        known = [[one for one in lines if text in one[0]] for _, lines in given]
        taken += next((lines for lines in known if lines), [])
    write_journal(folder / "alone.jsonl", taken)
    with Journal(folder / "merged.jsonl") as new, Journal(folder / "alone.jsonl") as alone:
        copy_sources([TraceSource(folder / f"{number}.jsonl", True) for number, _ in given], new, folder)
        assert told(new) == told(alone)
        assert new.index.spent() == alone.index.spent()
