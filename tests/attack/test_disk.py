"""Disks that are full, files that are torn, damaged, deleted or used by two.

1. A full disk ends the run with exit code 1 and one clear line; the journal stays readable and the old document whole;
   with space again, the run goes on to exactly what an undisturbed one makes, and repeats no call that was written.
2. A second run on a journal in use is refused with exit code 2 and harms nothing.
3. A torn last line is cut off, wherever it is torn; only what it held is asked again.
4. Damage before the last line is told, and nothing is written over (tests/run/test_journal.py, tests/run/test_index.py).
5. The document and the index can be deleted or destroyed: both are made again from the journal, without a call.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from programs import document
from tests.lab import Lab, called, ended, laboratory, mistake, wait_for

TEXTS = 30
FEW = 3
OPTIONS: dict[str, Any] = {"grade_answers": True, "document_interval": 0.2}
CALLS = 9
"""Calls a text with these options."""


@pytest.mark.attack
@pytest.mark.parametrize("room", [0, 40_000])
def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path, room: int) -> None:
    """Limits of the process stand in for a full disk: mounting one is seldom allowed."""
    with laboratory(tmp_path, texts=TEXTS, base=OPTIONS) as lab:
        lab.run(max_traces=FEW)
        before = lab.records
        done = lab.command(largest_file=lab.journal.stat().st_size + room)
        assert done.returncode == 1, done.stdout + done.stderr
        [line] = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        assert line.startswith("error: cannot write")
        assert lab.records[:FEW] == before, "the old document is whole"
        kept = len(lab.lines("stage"))
        assert lab.goes_on(TEXTS) == TEXTS * CALLS - kept
        assert lab.document["metadata"]["status"] == "completed"
        assert lab.records[:FEW] == before


@pytest.mark.attack
def test_a_second_run_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, latency=0.05) as lab:
        first = lab.start()
        wait_for(lambda: lab.calls >= 8)
        for _ in range(3):
            assert "in use" in mistake(called(*lab.arguments()))
            assert "in use" in mistake(called(*lab.arguments(resume=False)))
        lab.server.latency = 0.0
        done = ended(first)
        assert done.returncode == 0, done.stderr
        assert lab.calls == 12 * 8
        assert len(set(lab.units)) == 12
        assert not list(lab.folder.glob("*.old"))


@pytest.mark.attack
def test_a_torn_line_is_cut_off_wherever_it_is_torn(tmp_path: Path) -> None:
    dice = random.Random("torn")
    with laboratory(tmp_path, texts=2) as lab:
        lab.run()
        whole, units, keys = lab.journal.read_bytes(), sorted(lab.units), {line["key"] for line in lab.lines("stage")}
        ends = [place for place, byte in enumerate(whole) if byte == 10]
        places = {1, len(whole) - 1, ends[3], ends[3] + 1, *(dice.randrange(len(whole)) for _ in range(12))}
        for place in sorted(places):
            lab.journal.write_bytes(whole[:place])
            lab.output.unlink(missing_ok=True)
            kept = len({line["key"] for line in lab.lines("stage")})
            _, calls = lab.counted()
            assert calls == len(keys) - kept
            assert sorted(lab.units) == units
            assert {line["key"] for line in lab.lines("stage")} == keys


@pytest.mark.attack
def test_a_document_that_is_lost_or_destroyed_is_made_again(lab: Lab) -> None:
    def destroy(content: bytes | None) -> None:
        lab.output.unlink()
        if content is not None:
            lab.output.write_bytes(content)

    lab.run()
    before = lab.records
    for content in (None, b"", b'{"metadata": {', b"\x00" * 5000):
        destroy(content)
        _, calls = lab.counted()
        assert calls == 0
        assert lab.records == before
        run = lab.document["metadata"]["run"]
        destroy(content)
        done = called(str(lab.output), main=document.main)
        assert (done.returncode, done.stdout) == (0, f"{lab.output}: 4 traces\n")
        assert (lab.records, lab.document["metadata"]["run"]) == (before, run)


@pytest.mark.attack
def test_a_document_that_cannot_be_written_is_told_and_can_be_made_later(lab: Lab) -> None:
    lab.run(max_traces=1)
    lab.output.unlink()
    lab.output.symlink_to(lab.folder / "gone" / "out.json")
    done = called(*lab.arguments())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "the journal holds everything" in line
    (lab.folder / "gone").mkdir()
    assert lab.goes_on(4) == 0
