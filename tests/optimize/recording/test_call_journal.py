"""Invariants of `optimize.recording.call_journal`.

1. What was appended comes back equal, also from a later opening, and the file is plain jsonlines.
2. A last line torn at any byte is cut off, counted in `mended`, and takes no other call with it.
3. A damaged line is a `JournalError` that names its first byte; nothing is changed, and nothing stays locked.
4. A write that fails is a `JournalError`, and no other line follows it; earlier calls stay, also after a new opening.
5. Costs are summed up by purpose, over all openings.
"""

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.recording.call_journal import Account, Call, CallJournal, Spend
from programs.errors import JournalError, UserError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
COUNT = st.none() | st.integers(0, 2**53)
CALLS = st.builds(
    Call,
    key=st.text("0123456789abcdef", min_size=32, max_size=32),
    purpose=st.sampled_from(["student", "judge", "report-judge", "proposer"]),
    endpoint=TEXT,
    model=TEXT,
    rollout=st.none() | st.integers(0, 2**31) | TEXT,
    text=st.none() | TEXT,
    reasoning=TEXT,
    error=st.none() | TEXT,
    prompt_tokens=COUNT,
    completion_tokens=COUNT,
    cached_tokens=COUNT,
    attempts=st.integers(0, 100),
    seconds=st.floats(0, 1e6),
    schema_refused=st.booleans(),
)


def call(number: int, **given: Any) -> Call:
    fields = {"purpose": "student", "endpoint": "http://x", "model": "m", "text": f"né {number}\u2028", **given}
    return Call(key=f"{number:032x}", **fields)


@settings(deadline=None, max_examples=25)
@given(st.lists(CALLS, max_size=6, unique_by=lambda call: call.key))
def test_1_what_is_appended_comes_back(calls: list[Call]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            with CallJournal(Path(folder)) as journal:
                if not len(journal):
                    for one in calls:
                        journal.append(one)
                assert [journal.get(one.key) for one in calls] == calls
                assert journal.get("f" * 31 + "e") in (None, *calls)
                assert (len(journal), journal.mended) == (len(calls), 0)
        written = [json.loads(line) for line in journal.path.read_bytes().split(b"\n")[:-1]]
        assert [Call.model_validate(line) for line in written] == calls


def test_2_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    with CallJournal(tmp_path) as journal:
        journal.append(call(1))
    whole = journal.path.read_bytes()
    with CallJournal(tmp_path) as journal:
        journal.append(call(2))
    last = journal.path.read_bytes()[len(whole) :]
    for end in {*range(0, len(last), 9), len(last) - 1}:
        journal.path.write_bytes(whole + last[:end])
        with CallJournal(tmp_path) as journal:
            assert journal.mended == end
            assert journal.get(call(1).key) == call(1)
            assert journal.get(call(2).key) is None
        assert journal.path.read_bytes() == whole


def test_2_a_journal_of_one_torn_line_is_empty(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_bytes(b"x" * 200_000)
    with CallJournal(tmp_path) as journal:
        assert (journal.mended, len(journal)) == (200_000, 0)
        journal.append(call(1))
    with CallJournal(tmp_path) as journal:
        assert journal.get(call(1).key) == call(1)


@pytest.mark.parametrize("bad", [b"not json", b"{}", b"", b"\0\0", b'{"key": "short", "purpose": "student"}', b"\xff"])
def test_3_a_damaged_line_is_named_by_its_byte(tmp_path: Path, bad: bytes) -> None:
    with CallJournal(tmp_path) as journal:
        journal.append(call(1))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + bad + b"\n" + whole)
    for _ in range(2):
        with pytest.raises(JournalError, match=rf"damaged at byte {len(whole)}:"):
            CallJournal(tmp_path)
    assert journal.path.read_bytes() == whole + bad + b"\n" + whole


def test_4_a_write_that_fails_halfway_takes_nothing_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite

    def full_disk(file: int, data: bytes, offset: int) -> int:
        if len(data) > 10:
            return pwrite(file, data[: len(data) - 10], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with CallJournal(tmp_path) as journal:
        journal.append(call(1))
        monkeypatch.setattr(os, "pwrite", full_disk)
        with pytest.raises(JournalError, match="No space left"):
            journal.append(call(2))
        monkeypatch.undo()
        with pytest.raises(JournalError, match="No space left"):
            journal.append(call(3))
        assert journal.get(call(1).key) == call(1)
        assert journal.get(call(2).key) is None
    with CallJournal(tmp_path) as journal:
        assert journal.mended > 0
        journal.append(call(2))
        assert [journal.get(call(number).key) for number in (1, 2, 3)] == [call(1), call(2), None]


def test_4_a_place_that_cannot_be_written_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write"):
        CallJournal(tmp_path / "file")


def test_5_costs_are_summed_up_by_purpose(tmp_path: Path) -> None:
    for number in range(2):
        with CallJournal(tmp_path) as journal:
            journal.append(call(2 * number, prompt_tokens=10, completion_tokens=5, cached_tokens=3, seconds=0.5))
            journal.append(call(2 * number + 1, purpose="judge", prompt_tokens=7))
    assert journal.paid == {
        "student": Spend(2, 20, 10, 6, 0, 1.0),
        "judge": Spend(2, 14, 0, 0, 2, 0.0),
    }
    account = Account(paid=journal.paid, replayed={})
    assert account.all_paid == Spend(4, 34, 10, 6, 2, 1.0)
    assert account.all_replayed == Spend()
