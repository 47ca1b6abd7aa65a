"""A merge that is killed or fails leaves nothing that looks finished, and can be made again (one that fails before it is
put in place: tests/run/merging/test_refused.py)."""

from pathlib import Path

import pytest

from programs import document
from programs.errors import StorageError
from programs.files import draft_path
from tests.lab import Lab
from tests.run.merging.merging import leftovers, merged, outputs, view


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_merge_that_ends_while_it_is_put_in_place_is_none_or_whole(
    lab: Lab, halves: list[str], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, done = Path.replace, 0

    def stopping(self: Path, target: Path) -> Path:
        nonlocal done
        if "merged" in str(target) and ".merging" not in str(target.parent):
            if done == step:
                raise OSError(5, "the disk is gone")
            done += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopping)
        with pytest.raises(StorageError, match="the disk is gone"):
            merged(lab, *halves)
    assert outputs(lab.folder) == (["merged.journal.jsonl"] if step == 2 else [])
    if step == 2:
        document.main([str(lab.folder / "merged.json")])
    else:
        merged(lab, *halves)
    mine = view(lab, "merged")
    assert len(mine.records) == 6
    assert mine.counted()[1] == 0


def test_what_a_killed_merge_left_is_no_output_and_goes(lab: Lab, halves: list[str]) -> None:
    left = draft_path(lab.folder / "merged.json", "merging")
    left.mkdir()
    (left / "merged.json").write_bytes(b"half a docu")
    assert outputs(lab.folder) == []
    merged(lab, *halves)
    assert leftovers(lab.folder) == []
    assert len(view(lab, "merged").records) == 6
