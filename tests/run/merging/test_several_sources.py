"""What several sources hold.

1. It is taken once, and its cost counts once.
2. Of unlike traces of one variation that of the source named first stands, an accepted one before any other.
3. A text's replies are those of one source, of the one that made most of it: a later run never weaves two together.
4. Journals of any kind are merged so (Hypothesis).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.asking.reply import Reply, Spent
from programs.run.journal import Journal
from programs.run.merge_sources import MergeSource
from programs.run.merger import pour
from tests.lab import Lab, laboratory
from tests.run.merging.merging import contents, copied, merged, records_by_id, run_as, view
from tests.run.test_resume import score_by_text
from tests.standin import scientist
from tests.standin.panel import PANEL


def seeing(model: str) -> dict[str, scientist.Answer]:
    """Stages whose words say which model was asked."""

    def answer(asked: scientist.Asked) -> dict[str, Any]:
        return {"text": f"{scientist.answer(asked)['text']} So says {model}."}

    return {"answer": answer}


def unlike_runs(lab: Lab) -> list[str]:
    """Two runs over the same texts, whose answers differ."""
    journals = []
    for name in ("anna", "bert"):
        lab.brain.stages.update(seeing(name))
        journals.append(run_as(lab, name))
    return journals


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
    assert (found.overlap.same_variations, found.overlap.unlike_traces) == (2, 0)
    assert view(lab, "merged").counted()[1] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_of_unlike_traces_that_of_the_source_named_first_stands(lab: Lab, turned: bool) -> None:
    journals = unlike_runs(lab)
    sources = journals[::-1] if turned else journals
    found = merged(lab, *sources)
    mine = view(lab, "merged")
    assert records_by_id(mine) == records_by_id(view(lab, "bert" if turned else "anna"))
    assert (found.overlap.unlike_traces, found.overlap.same_variations) == (6, 0)
    assert found.overlap.first_unlike in mine.latest_units()
    # Two runs may be answered the same in the same milliseconds; nothing tells that from a copy.
    assert 6 * 8 < sum(row["calls"] for row in found.spent_in_all) <= 2 * 6 * 8
    assert mine.counted()[1] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_an_accepted_trace_stands_before_a_rejected_one(tmp_path: Path, turned: bool) -> None:
    rules = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}
    with laboratory(tmp_path, texts=4, stages=score_by_text([7])) as lab:
        strict = run_as(lab, "strict", **rules, min_quality_score=8)
        copied(lab, strict, "mild")
        mild = run_as(lab, "mild", **rules, min_quality_score=6)
        found = merged(lab, *([strict, mild] if turned else [mild, strict]))
        assert found.traces == {"accepted": 4}
        assert found.overlap.unlike_traces == 0
        # The texts were left open: whichever rules a run has, it decides by them, from what is there.
        mine = view(lab, "merged")
        finished, calls = mine.counted(**rules, min_quality_score=8)
        assert (calls, finished.summary.traces) == (0, {"rejected": 4})
        finished, calls = mine.counted(**rules, min_quality_score=6)
        assert (calls, finished.summary.traces) == (0, {"accepted": 4})


def other_questions(asked: scientist.Asked) -> Any:
    made = scientist.ANSWERS["questions"](asked)
    for draft in made.values():
        draft["question"] = draft["question"].replace("?", ", seen from the other side?")
    return made


def test_replies_of_two_sources_are_never_woven_together(lab: Lab) -> None:
    """The first source knows the questions of some texts alone; the second has other questions, and traces."""
    first = run_as(lab, "first", max_calls=3, concurrency=1)
    lab.brain.stages["questions"] = other_questions
    second = run_as(lab, "second")
    found = merged(lab, first, second)
    mine = view(lab, "merged")
    assert found.traces == {"accepted": 6}
    apart = contents(mine, "failed")
    assert len(apart) == len(contents(view(lab, "first"), "stage")), "paid, kept, and no answer any more"
    assert contents(mine, "stage") == contents(view(lab, "second"), "stage")
    assert mine.counted()[1] == 0
    _, calls = mine.counted(grade_answers=True)
    assert calls == 6


LINES = st.lists(
    st.tuples(
        st.sampled_from(["questions/0a", "context/0a/limitation", "questions/0b"]),
        st.booleans(),
        st.sampled_from(["x", "y", "z"]),
    ),
    max_size=8,
)


def write_journal(path: Path, lines: list[tuple[str, bool, str]]) -> None:
    with Journal(path) as journal:
        for key, settled, words in lines:
            cost = Spent(calls=1, prompt_tokens=len(words))
            reply = Reply(status="ok" if settled else "unread", output=words, model="m", spent=cost)
            kind = "stage" if settled else "failed"
            journal.append(kind, key, stage=key.split("/")[0], reply=reply.model_dump(mode="json"))


def calls_of(journal: Journal) -> dict[str, int]:
    return {row["stage"]: row["calls"] for row in journal.index.spent()}


def answers_of(journal: Journal) -> dict[str, Any]:
    found = {key: journal.latest("stage", key) for key in ("questions/0a", "context/0a/limitation", "questions/0b")}
    return {key: line["reply"]["output"] for key, line in found.items() if line is not None}


@given(sources=st.lists(LINES, min_size=1, max_size=3), repeated=st.booleans())
@settings(max_examples=15, deadline=None)
def test_every_paid_reply_counts_once(
    tmp_path_factory: pytest.TempPathFactory, sources: list[list[tuple[str, bool, str]]], repeated: bool
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    given = [*enumerate(sources), *(enumerate(sources) if repeated else ())]
    for number, lines in enumerate(sources):
        write_journal(folder / f"{number}.jsonl", lines)
    with Journal(folder / "merged.jsonl") as new:
        pour([MergeSource(folder / f"{number}.jsonl", True) for number, _ in given], new, folder)
        paid: Counter[str] = Counter()
        for text in ("0a", "0b"):
            known = [[one for one in lines if text in one[0]] for _, lines in given]
            first = next((lines for lines in known if lines), [])
            apart = {one for lines in known for one in lines} - set(first)
            paid.update(key.split("/")[0] for key, _, _ in [*first, *apart])
            answers = {key: words for key, settled, words in first if settled}
            assert {key: words for key, words in answers_of(new).items() if text in key} == answers
        assert calls_of(new) == paid
