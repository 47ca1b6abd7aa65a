"""Full disks, and files that are truncated, damaged, deleted or used by two runs.

1. A full disk ends the run with exit code 1 and one clear line, with a readable journal and the old document intact. Once
   there is space again, the run completes as an undisturbed one would, and repeats no call whose reply is in the journal.
2. A second run on a journal in use is rejected with exit code 2 and changes nothing.
3. An incomplete last line is removed, wherever it breaks off; only the calls whose replies are lost are made again.
4. Damage before the last line is reported, and nothing is overwritten (tests/run/test_journal.py, tests/run/test_index.py).
5. A deleted or destroyed document or index is rebuilt from the journal, without a call.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from programs import document
from tests.lab import Lab, laboratory, run_command, user_error, wait_for, wait_for_exit

TEXTS = 30
FIRST_TRACES = 3
OPTIONS: dict[str, Any] = {"grade_answers": True, "document_interval": 0.2}
CALLS_PER_TEXT = 9  # with OPTIONS


@pytest.mark.attack
@pytest.mark.parametrize("room", [0, 40_000])
def test_a_full_disk_loses_nothing(tmp_path: Path, room: int) -> None:
    """A file size limit of the process simulates a full disk, because tests are seldom allowed to mount one."""
    with laboratory(tmp_path, texts=TEXTS, base=OPTIONS) as lab:
        lab.run(max_traces=FIRST_TRACES)
        before = lab.records
        done = lab.run_process(max_file_size=lab.journal.stat().st_size + room)
        assert done.returncode == 1, done.stdout + done.stderr
        [line] = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        assert line.startswith("error: cannot write")
        assert lab.records[:FIRST_TRACES] == before, "the old document is intact"
        kept = len(lab.lines("stage"))
        assert lab.run_to_completion(TEXTS) == TEXTS * CALLS_PER_TEXT - kept
        assert lab.document["metadata"]["status"] == "completed"
        assert lab.records[:FIRST_TRACES] == before


@pytest.mark.attack
def test_a_second_run_is_rejected_and_changes_nothing(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, latency=0.05) as lab:
        first = lab.start()
        wait_for(lambda: lab.calls >= 8)
        for _ in range(3):
            assert "in use" in user_error(run_command(*lab.arguments()))
            assert "in use" in user_error(run_command(*lab.arguments(resume=False)))
        lab.server.latency = 0.0
        done = wait_for_exit(first)
        assert done.returncode == 0, done.stderr
        assert lab.calls == 12 * 8
        assert len(set(lab.units)) == 12
        assert not list(lab.folder.glob("*.old"))


@pytest.mark.attack
def test_an_incomplete_last_line_is_removed_wherever_it_breaks_off(tmp_path: Path) -> None:
    rng = random.Random("torn")
    with laboratory(tmp_path, texts=2) as lab:
        lab.run()
        whole, units, keys = lab.journal.read_bytes(), sorted(lab.units), {line["key"] for line in lab.lines("stage")}
        ends = [offset for offset, byte in enumerate(whole) if byte == 10]
        offsets = {1, len(whole) - 1, ends[3], ends[3] + 1, *(rng.randrange(len(whole)) for _ in range(12))}
        for offset in sorted(offsets):
            lab.journal.write_bytes(whole[:offset])
            lab.output.unlink(missing_ok=True)
            kept = len({line["key"] for line in lab.lines("stage")})
            _, calls = lab.run_and_count()
            assert calls == len(keys) - kept
            assert sorted(lab.units) == units
            assert {line["key"] for line in lab.lines("stage")} == keys


@pytest.mark.attack
def test_a_deleted_or_destroyed_document_is_rebuilt(lab: Lab) -> None:
    def destroy(content: bytes | None) -> None:
        lab.output.unlink()
        if content is not None:
            lab.output.write_bytes(content)

    lab.run()
    before = lab.records
    for content in (None, b"", b'{"metadata": {', b"\x00" * 5000):
        destroy(content)
        _, calls = lab.run_and_count()
        assert calls == 0
        assert lab.records == before
        run = lab.document["metadata"]["run"]
        destroy(content)
        done = run_command(str(lab.output), main=document.main)
        assert (done.returncode, done.stdout) == (0, f"{lab.output}: 4 traces\n")
        assert (lab.records, lab.document["metadata"]["run"]) == (before, run)


@pytest.mark.attack
def test_a_document_that_cannot_be_written_is_an_error_and_can_be_made_later(lab: Lab) -> None:
    lab.run(max_traces=1)
    lab.output.unlink()
    lab.output.symlink_to(lab.folder / "gone" / "out.json")
    done = run_command(*lab.arguments())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "the journal holds everything" in line
    (lab.folder / "gone").mkdir()
    assert lab.run_to_completion(4) == 0
