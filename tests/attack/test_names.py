"""Names and places of files, as people have them:

1. A read that blocks keeps neither SIGINT nor SIGTERM waiting, and a pipe that was read to its end is not read again.
2. A file whose name is no UTF-8 gives traces like any other; its name is shown with a replacement.
"""

import os
import signal
from pathlib import Path

from tests.lab import ended, interrupted, laboratory, write_passages


def test_1_a_pipe_to_which_nobody_writes(tmp_path: Path) -> None:
    """SIGINT at the start: tests/attack/test_stops.py."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with laboratory(tmp_path, texts=1) as lab:
        process = lab.start_cold(input_file=[str(pipe)])
        # Whoever writes gets in only once the pipe is being read.
        with pipe.open("wb", buffering=0):
            process.send_signal(signal.SIGTERM)
            interrupted(process)


def test_1_what_failed_of_a_pipe_is_left_to_a_later_run(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with laboratory(tmp_path, texts=1, stages={"context": lambda _asked: "I cannot say."}) as lab:
        process = lab.start(input_file=[str(pipe)])
        pipe.write_bytes(lab.input.read_bytes())
        assert "no trace was made" in ended(process, within=20).stderr
        assert [unit["status"] for unit in lab.lines("unit")] == ["failed"]


def test_2_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    odd = Path(os.fsdecode(os.fsencode(folder / "caf") + b"\xe9"))
    write_passages(Path(f"{odd}.jsonl"), range(2))
    Path(f"{odd}.bin").write_bytes(b"\0")
    with laboratory(tmp_path, texts=0) as lab:
        done = lab.command(input_file=[str(folder)])
        assert (done.returncode, len(lab.records)) == (0, 2), done.stderr
        assert {record["source_paper"]["place"]["file"] for record in lab.records} == {"caf\ufffd.jsonl"}
        assert "caf\ufffd.bin" in done.stdout + done.stderr
