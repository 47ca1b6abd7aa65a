"""A merge that is not possible is rejected with one line, and writes no output.

1. Sources made with other settings, in use, missing or foreign are rejected, as is an output that exists or is in use.
2. No file of the user is changed, except that torn journals lose their torn line.
"""

from pathlib import Path
from typing import Any

import pytest

from programs import merge
from programs.errors import StorageError, UserError
from programs.run.journal import Journal
from tests.lab import Lab, run_command
from tests.run.merging.merging import leftovers, merge_sources, run_part, user_files, with_output


def rejection_of(lab: Lab, *words: str) -> str:
    """Asserts that a merge is rejected and changes nothing. Returns its error."""
    before = user_files(lab.folder)
    with pytest.raises(UserError) as caught:
        merge.main([*words, "--output", str(lab.folder / "merged.json")])
    assert user_files(lab.folder) == before
    assert leftovers(lab.folder) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"seed": 5}, "--seed was 0 and is now 5"),
        ({"model": "openai/other"}, "--model was openai/any and is now openai/other"),
        ({"setting": "open"}, "--setting was closed and is now open"),
    ],
)
def test_sources_made_with_other_settings_are_rejected(lab: Lab, options: dict[str, Any], expected: str) -> None:
    paths = [run_part(lab, 0, 2), run_part(lab, 1, 2, **options)]
    line = rejection_of(lab, *paths)
    assert expected in line
    assert all(path in line for path in paths)
    assert "--allow-mixed" in line
    merged = merge_sources(lab, *paths, allow_mixed=True)
    assert merged.traces == {"accepted": 6}


@pytest.mark.parametrize("name", ["part-1.journal.jsonl", "merged.journal.jsonl"])
def test_a_journal_in_use_is_rejected(lab: Lab, halves: list[str], name: str) -> None:
    with Journal(lab.folder / name):
        assert f"{lab.folder / name} is in use" in rejection_of(lab, *halves)


@pytest.mark.parametrize("name", ["merged.json", "merged.journal.jsonl"])
def test_an_existing_output_is_rejected(lab: Lab, halves: list[str], name: str) -> None:
    (lab.folder / name).write_text("mine", encoding="utf-8")
    assert f"{name} already exists" in rejection_of(lab, *halves)


@pytest.mark.parametrize("content", [b"no JSON", b'{"text": "No line end."}', b'{"kind":"of mine"}', b"{", b"\0"])
@pytest.mark.parametrize("name", ["mine.jsonl", "mine.json", "mine.journal.jsonl"])
def test_a_file_that_is_no_source_is_rejected_and_unchanged(lab: Lab, name: str, content: bytes) -> None:
    file = lab.folder / name
    file.write_bytes(content)
    assert f"{file} is neither a journal nor a document" in rejection_of(lab, str(file))


def test_a_missing_source_or_a_folder_is_rejected(lab: Lab) -> None:
    assert "there is neither" in rejection_of(lab, str(lab.folder / "none.json"))
    assert "nothing matches" in rejection_of(lab, str(lab.folder / "none*.json"))
    assert "is a folder" in rejection_of(lab, str(lab.folder))
    assert "--sources" in rejection_of(lab)


def test_a_damaged_source_is_an_error_that_leaves_no_output(lab: Lab, halves: list[str]) -> None:
    damaged = Path(halves[1])
    content = bytearray(damaged.read_bytes())
    content[content.index(b"\n") + 5] = 0
    damaged.write_bytes(content)
    with pytest.raises(StorageError, match="is damaged at byte"):
        merge_sources(lab, *halves)
    assert not list(lab.folder.glob("merged*json*[!k]"))
    assert leftovers(lab.folder) == []


def test_a_torn_source_loses_only_its_torn_line(lab: Lab, halves: list[str], caplog: pytest.LogCaptureFixture) -> None:
    torn = Path(halves[0])
    whole = torn.read_bytes()
    lines = whole.splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line.startswith(b'{"kind":"unit"'))
    torn.write_bytes(b"".join(lines[:last]) + lines[last][:40])
    done = run_command(*halves, "--output", str(lab.folder / "merged.json"), main=merge.main)
    assert (done.returncode, "not every run was completed" in done.stdout) == (0, True)
    assert f"{torn}: a torn last line of 40 bytes was cut off" in caplog.text
    merged_lab = with_output(lab, "merged")
    assert len(merged_lab.records) == 5
    assert merged_lab.document["metadata"]["status"] == "interrupted"
    _, calls = merged_lab.run_and_count()
    assert calls == 0
    assert len(merged_lab.records) == 6
