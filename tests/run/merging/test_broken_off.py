"""A merge that is killed or fails at any write leaves nothing that looks finished, and can be made again."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from programs import document
from programs.errors import JournalError
from programs.run.journal import Journal
from tests.forked.process import Forked
from tests.lab import Lab, ended, environment
from tests.run.merging.merging import leftovers, merged, outputs, snapshot, view


@pytest.mark.parametrize("after", [0, 1, 20, 60])
def test_a_merge_that_breaks_off_leaves_nothing(
    lab: Lab, halves: list[str], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(lab.folder)
    append, written = Journal.append, 0

    def breaking(self: Journal, kind: str, key: str | None, **fields: Any) -> None:
        nonlocal written
        if written == after:
            raise KeyboardInterrupt
        written += 1
        append(self, kind, key, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", breaking)
        with pytest.raises(KeyboardInterrupt):
            merged(lab, *halves)
    assert snapshot(lab.folder) == before
    assert leftovers(lab.folder) == []
    assert merged(lab, *halves).traces == {"accepted": 6}


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
        with pytest.raises(JournalError, match="the disk is gone"):
            merged(lab, *halves)
    assert outputs(lab.folder) == (["merged.journal.jsonl"] if step == 2 else [])
    if step == 2:
        document.main([str(lab.folder / "merged.json")])
    else:
        merged(lab, *halves)
    mine = view(lab, "merged")
    assert len(mine.records) == 6
    assert mine.counted()[1] == 0


def multiplied(journal: str, times: int) -> None:
    """Fills a journal with the lines of its texts, under other names."""
    path = Path(journal)
    lines = path.read_bytes().splitlines(keepends=True)
    texts = [json.loads(line)["key"] for line in lines if line.startswith(b'{"kind":"sample"')]
    form = b"".join(line for line in lines if not line.startswith(b'{"kind":"run"'))
    with path.open("ab") as file:
        for number in range(times):
            copy = form
            for text in texts:
                copy = copy.replace(text.encode(), f"{number:04x}{text[4:]}".encode())
            file.write(copy)


def size_of(path: Path) -> int:
    return path.stat().st_size


def test_a_killed_merge_leaves_no_output(lab: Lab, halves: list[str]) -> None:
    multiplied(halves[0], 40)
    dice = random.Random(0)
    words = [*halves, "--output", str(lab.folder / "merged.json")]
    drafts = ".merged.json.*.merging/merged.journal.jsonl"
    for _ in range(2):
        process = Forked("programs.merge", words, env=environment())
        wanted = dice.randint(1, 500_000)
        while process.poll() is None and max(map(size_of, lab.folder.glob(drafts)), default=0) <= wanted:
            time.sleep(0.001)
        process.kill()
        assert ended(process).returncode == -9, "it was over before it could be killed"
        assert outputs(lab.folder) == []
    done = ended(Forked("programs.merge", words, env=environment()))
    assert done.returncode == 0, done.stderr
    assert leftovers(lab.folder) == []
    mine = view(lab, "merged")
    assert len(mine.records) == len(set(mine.units)) > 6
    assert done.stdout.splitlines() == [f"{mine.output}: {len(mine.records)} traces of 2 sources"]
