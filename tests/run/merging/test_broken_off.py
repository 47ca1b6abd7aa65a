"""A merge that is killed or fails leaves nothing that looks finished, and can be repeated (failures before the files are
moved into place: tests/run/merging/test_refused.py)."""

from pathlib import Path

import pytest

from programs import document
from programs.errors import StorageError
from programs.files import draft_path
from tests.lab import Lab
from tests.run.merging.merging import leftovers, merge_outputs, merge_sources, with_output


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_merge_interrupted_while_moving_its_files_is_absent_or_complete(
    lab: Lab, halves: list[str], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, done = Path.replace, 0

    def failing_replace(self: Path, target: Path) -> Path:
        nonlocal done
        if "merged" in str(target) and ".merging" not in str(target.parent):
            if done == step:
                raise OSError(5, "the disk is gone")
            done += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing_replace)
        with pytest.raises(StorageError, match="the disk is gone"):
            merge_sources(lab, *halves)
    assert merge_outputs(lab.folder) == (["merged.journal.jsonl"] if step == 2 else [])
    if step == 2:
        document.main([str(lab.folder / "merged.json")])
    else:
        merge_sources(lab, *halves)
    merged_lab = with_output(lab, "merged")
    assert len(merged_lab.records) == 6
    assert merged_lab.run_and_count()[1] == 0


def test_leftovers_of_a_killed_merge_are_no_output_and_are_deleted(lab: Lab, halves: list[str]) -> None:
    left = draft_path(lab.folder / "merged.json", "merging")
    left.mkdir()
    (left / "merged.json").write_bytes(b"half a docu")
    assert merge_outputs(lab.folder) == []
    merge_sources(lab, *halves)
    assert leftovers(lab.folder) == []
    assert len(with_output(lab, "merged").records) == 6
