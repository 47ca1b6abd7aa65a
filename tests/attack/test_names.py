"""Unusual inputs: pipes, and file names that are not UTF-8.

1. A blocked read does not delay SIGINT or SIGTERM, and a pipe that was read to its end is not read again.
2. A file whose name is not UTF-8 gives traces like any other; its name is shown with a replacement character.
"""

import os
import signal
from pathlib import Path

from tests.lab import expect_interrupted, laboratory, wait_for_exit, write_passages


def test_1_a_signal_stops_a_run_that_waits_for_a_pipe(tmp_path: Path) -> None:
    """SIGINT at the start: tests/attack/test_stops.py."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with laboratory(tmp_path, texts=1) as lab:
        process = lab.start_cold(input_file=[str(pipe)])
        # Opening the pipe for writing blocks until the run has opened it for reading.
        with pipe.open("wb", buffering=0):
            process.send_signal(signal.SIGTERM)
            expect_interrupted(process)


def test_1_failed_texts_of_a_pipe_are_left_to_a_later_run(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with laboratory(tmp_path, texts=1, stages={"context": lambda _request: "I cannot say."}) as lab:
        process = lab.start(input_file=[str(pipe)])
        pipe.write_bytes(lab.input.read_bytes())
        assert "no trace was made" in wait_for_exit(process, timeout=20).stderr
        assert [unit["status"] for unit in lab.lines("unit")] == ["failed"]


def test_2_a_file_name_that_is_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    path = Path(os.fsdecode(os.fsencode(folder / "caf") + b"\xe9"))
    write_passages(Path(f"{path}.jsonl"), range(2))
    Path(f"{path}.bin").write_bytes(b"\0")
    with laboratory(tmp_path, texts=0) as lab:
        done = lab.run_process(input_file=[str(folder)])
        assert (done.returncode, len(lab.records)) == (0, 2), done.stderr
        assert {record["source_paper"]["place"]["file"] for record in lab.records} == {"caf\ufffd.jsonl"}
        assert "caf\ufffd.bin" in done.stdout + done.stderr
