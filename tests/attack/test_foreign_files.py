"""A run destroys no file that somebody else put where it writes.

1. A file that does not start like one of ours is rejected with exit code 2 and one line, and does not change by a byte.
2. Temporary files and the index are created exclusively: existing links and files stay.
3. A journal that is deleted, replaced or truncated during a run is noticed and reported, and its known lines are kept.
"""

import contextlib
import json
import os
import sqlite3
from itertools import product
from pathlib import Path

import pytest

from programs import document, merge
from programs.errors import StorageError
from programs.files import atomic_write, draft_path
from programs.run.journal import Journal
from tests.lab import Lab, laboratory, run_command, user_error, wait_for, wait_for_exit

NOTES = b'{"my": "notes"}\nwithout a last line end'


def test_a_foreign_file_is_rejected_and_unchanged(lab: Lab) -> None:
    names = ["out.journal.jsonl", "out.json", "out.run.log", "out.run.log.2", "out.journal.jsonl.lock"]
    for name, content in product(names, [NOTES, b"{\n", b"\x1f\x8b", b'{"kind":"Note","key":1}\n']):
        foreign = lab.folder / name
        foreign.write_bytes(content)
        assert name in user_error(run_command(*lab.arguments()))
        assert foreign.read_bytes() == content
        foreign.unlink()
    assert lab.calls == 0


@pytest.mark.parametrize("name", ["out.journal.jsonl", "out.json", "out.journal.jsonl.index"])
def test_a_fresh_start_moves_foreign_files_aside(lab: Lab, name: str) -> None:
    (lab.folder / name).write_bytes(NOTES)
    assert run_command(*lab.arguments(resume=False)).returncode == 0
    (moved,) = lab.folder.glob(f"{name}.*.old")
    assert moved.read_bytes() == NOTES
    assert len(lab.records) == 4


def test_the_log_cannot_be_one_of_the_runs_other_files(lab: Lab) -> None:
    (lab.folder / "link").symlink_to(lab.folder)
    names = ["out.journal.jsonl", "out.json", "out.journal.jsonl.index"]
    for folder, name in product((lab.folder, lab.folder / "link"), names):
        assert name in user_error(run_command(*lab.arguments(log_file=str(folder / name))))
    assert {path.name for path in lab.folder.iterdir()} == {"link", lab.input.name}


def test_a_foreign_file_that_replaced_the_document_is_moved_aside(lab: Lab) -> None:
    assert run_command(*lab.arguments(max_traces=2)).returncode == 0
    lab.output.write_bytes(NOTES)
    assert run_command(*lab.arguments()).returncode == 0
    lab.output.write_bytes(NOTES)
    assert run_command(str(lab.output), main=document.main).returncode == 0
    assert [moved.read_bytes() for moved in lab.folder.glob("out.json.*.old")] == [NOTES, NOTES]
    assert len(lab.records) == 4


@pytest.mark.parametrize("name", [".out.json.tmp", "out.journal.jsonl.lock", ".merged.json.merging"])
def test_a_planted_link_is_not_followed(lab: Lab, name: str) -> None:
    target = lab.folder / "target"
    target.write_bytes(NOTES)
    (lab.folder / name).symlink_to(target)
    run_command(*lab.arguments())
    run_command(str(lab.output), "--output", str(lab.folder / "merged.json"), main=merge.main)
    assert target.read_bytes() == NOTES


def test_an_output_that_is_a_link_stays_a_link(lab: Lab) -> None:
    target = lab.folder / "elsewhere" / "data.json"
    target.parent.mkdir()
    lab.output.symlink_to(target)
    assert run_command(*lab.arguments()).returncode == 0
    assert lab.output.is_symlink()
    assert len(json.loads(target.read_text())["questions"]) == 4
    assert [path.name for path in target.parent.iterdir()] == ["data.json"]


def test_a_draft_is_new_and_leftovers_of_killed_processes_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    left = draft_path(path, "tmp")
    left.write_bytes(b"half a docu")
    with atomic_write(path) as file:
        file.write(b"whole")
        assert len(list(tmp_path.iterdir())) == 1, "only the new draft"
    assert [found.name for found in tmp_path.iterdir()] == ["out.json"]
    assert path.read_bytes() == b"whole"
    path.chmod(0o600)
    with atomic_write(path) as file:
        file.write(b"anew")
    assert path.stat().st_mode & 0o777 == 0o600, "the user's permissions are kept"


@pytest.mark.parametrize("content", [NOTES, b"", b"SQLite format 3\x00 and no more of it", None])
def test_a_foreign_index_is_moved_aside(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        with sqlite3.connect(tmp_path / "theirs") as theirs:
            theirs.execute("create table papers (title)")
        content = (tmp_path / "theirs").read_bytes()
    (tmp_path / "out.journal.jsonl.index").write_bytes(content)
    Journal(tmp_path / "out.journal.jsonl").close()
    moved = [found.read_bytes() for found in tmp_path.glob("*.old")]
    assert moved == ([content] if content else [])


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lost_journal_is_written_again(tmp_path: Path, replaced: bool, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "out.journal.jsonl"
    with Journal(path) as journal:
        journal.append("note", "a", text="before")
        journal.flush()
        path.unlink()
        if replaced:
            path.write_bytes(NOTES)
        journal.append("note", "b", text="between")
        journal.flush()
        journal.append("note", "c", text="after")
        assert journal.latest("note", "a") == {"kind": "note", "key": "a", "text": "before"}
    assert "written again" in caplog.text
    assert [json.loads(line)["key"] for line in path.read_bytes().splitlines()] == ["a", "b", "c"]
    assert [found.read_bytes() for found in tmp_path.glob("*.old")] == ([NOTES] if replaced else [])
    with Journal(path) as again:
        assert again.torn_bytes == 0
        assert again.latest("note", "c") is not None


@pytest.mark.parametrize("size", [0, 20, 10_000])
@pytest.mark.parametrize("append", [True, False], ids=["by a line", "at the end"])
def test_a_journal_that_another_process_changed_accepts_no_more_lines(tmp_path: Path, size: int, append: bool) -> None:
    path = tmp_path / "out.journal.jsonl"
    journal = Journal(path)
    journal.append("note", "a", text="before")
    os.truncate(path, size)
    for _ in range(2 * append):
        with pytest.raises(StorageError, match="another process changed it"):
            journal.append("note", "b", text="after")
    with contextlib.nullcontext() if append else pytest.raises(StorageError, match="another process changed it"):
        journal.close()
    assert path.stat().st_size == size, "nothing is written to the remainder"


@pytest.mark.attack
def test_a_run_whose_files_are_deleted_continues_and_loses_nothing(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, latency=0.1, base={"concurrency": 4}) as lab:
        running = lab.start()
        wait_for(lambda: lab.calls >= 30)
        for path in lab.folder.glob("out.*"):
            path.unlink()
        lab.server.latency = 0.05
        done = wait_for_exit(running)
        assert done.returncode == 0, done.stderr
        assert len(set(lab.units)) == 12
        assert lab.calls == 12 * 8
        assert "written again" in done.stdout + done.stderr
