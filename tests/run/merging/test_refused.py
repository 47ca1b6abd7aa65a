"""What cannot be merged is refused with one line, and then there is no output.

1. Sources made otherwise, in use, missing or none of ours; an output that is there or in use.
2. No file of the user is changed, torn journals apart, which lose their torn line.
"""

from pathlib import Path
from typing import Any

import pytest

from programs import merge
from programs.errors import StorageError, UserError
from programs.run.journal import Journal
from tests.lab import Lab, called
from tests.run.merging.merging import leftovers, merged, run_part, snapshot, view


def refused(lab: Lab, *words: str) -> str:
    """What a merge that is refused says; it must have changed nothing."""
    before = snapshot(lab.folder)
    with pytest.raises(UserError) as caught:
        merge.main([*words, "--output", str(lab.folder / "merged.json")])
    assert snapshot(lab.folder) == before
    assert leftovers(lab.folder) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"seed": 5}, "--seed was 0 and is now 5"),
        ({"model": "openai/other"}, "--model was openai/any and is now openai/other"),
    ],
)
def test_sources_made_otherwise_are_refused(lab: Lab, other: dict[str, Any], told: str) -> None:
    paths = [run_part(lab, 0, 2), run_part(lab, 1, 2, **other)]
    line = refused(lab, *paths)
    assert told in line
    assert all(path in line for path in paths)
    assert "--allow-mixed" in line
    found = merged(lab, *paths, allow_mixed=True)
    assert found.traces == {"accepted": 6}


@pytest.mark.parametrize("name", ["part-1.journal.jsonl", "merged.journal.jsonl"])
def test_a_journal_in_use_is_refused(lab: Lab, halves: list[str], name: str) -> None:
    with Journal(lab.folder / name):
        assert f"{lab.folder / name} is in use" in refused(lab, *halves)


@pytest.mark.parametrize("there", ["merged.json", "merged.journal.jsonl"])
def test_an_output_that_is_there_is_refused(lab: Lab, halves: list[str], there: str) -> None:
    (lab.folder / there).write_text("mine", encoding="utf-8")
    assert f"{there} already exists" in refused(lab, *halves)


@pytest.mark.parametrize("content", [b"no JSON", b'{"text": "No line end."}', b'{"kind":"of mine"}', b"{", b"\0"])
@pytest.mark.parametrize("name", ["mine.jsonl", "mine.json", "mine.journal.jsonl"])
def test_a_file_that_is_no_source_is_refused_and_not_touched(lab: Lab, name: str, content: bytes) -> None:
    mine = lab.folder / name
    mine.write_bytes(content)
    assert f"{mine} is neither a journal nor a document" in refused(lab, str(mine))


def test_what_is_not_there_is_refused(lab: Lab) -> None:
    assert "there is neither" in refused(lab, str(lab.folder / "none.json"))
    assert "nothing matches" in refused(lab, str(lab.folder / "none*.json"))
    assert "is a folder" in refused(lab, str(lab.folder))
    assert "--sources" in refused(lab)


def test_a_damaged_source_is_named(lab: Lab, halves: list[str]) -> None:
    damaged = Path(halves[1])
    content = bytearray(damaged.read_bytes())
    content[content.index(b"\n") + 5] = 0
    damaged.write_bytes(content)
    with pytest.raises(StorageError, match="is damaged at byte"):
        merged(lab, *halves)
    assert not list(lab.folder.glob("merged*json*[!k]"))
    assert leftovers(lab.folder) == []


def test_a_torn_source_loses_that_line_alone(lab: Lab, halves: list[str], caplog: pytest.LogCaptureFixture) -> None:
    torn = Path(halves[0])
    whole = torn.read_bytes()
    lines = whole.splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line.startswith(b'{"kind":"unit"'))
    torn.write_bytes(b"".join(lines[:last]) + lines[last][:40])
    done = called(*halves, "--output", str(lab.folder / "merged.json"), main=merge.main)
    assert (done.returncode, "not every run was completed" in done.stdout) == (0, True)
    assert f"{torn}: a torn last line of 40 bytes was cut off" in caplog.text
    mine = view(lab, "merged")
    assert len(mine.records) == 5
    assert mine.document["metadata"]["status"] == "interrupted"
    _, calls = mine.counted()
    assert calls == 0
    assert len(mine.records) == 6
