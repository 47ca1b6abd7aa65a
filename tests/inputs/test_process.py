"""Documents and tables are read in a separate process. Whatever happens to it, the next one is read."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from programs.errors import RunStopped
from programs.inputs import process as processes
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import read_text
from programs.inputs.process import ReaderProcess, handle_request
from programs.inputs.report import SkipReason, Unreadable

SLOW = b"\\textbf{a} \\emph{b} $c$ " * 400_000


@pytest.fixture
def process() -> Iterator[ReaderProcess]:
    with closing(ReaderProcess()) as running:
        yield running


def when_running(process: ReaderProcess, action: Callable[[int], object]) -> threading.Thread:
    """Calls `action` with the id of the process, in a thread, as soon as the process runs."""

    def wait() -> None:
        while process._running is None:
            time.sleep(0.001)
        action(process._running[0].pid)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_document_that_takes_too_long_is_given_up(process: ReaderProcess) -> None:
    default, process._seconds = process._seconds, 0.5
    with pytest.raises(Unreadable, match=SkipReason.TOO_SLOW):
        process.read_paper(".tex", SLOW)
    process._seconds = default
    assert process.read_paper(".txt", b"The next one.").text == "The next one."


def test_a_crash_loses_only_one_document(process: ReaderProcess) -> None:
    crash = when_running(process, lambda pid: os.kill(pid, signal.SIGSEGV))
    with pytest.raises(Unreadable, match=SkipReason.CRASHED):
        process.read_paper(".tex", SLOW)
    crash.join()
    assert process.read_paper(".txt", b"The next one.").text == "The next one."


def test_closing_kills_a_busy_process_and_is_no_crash(process: ReaderProcess) -> None:
    pids: list[int] = []

    def close(pid: int) -> None:
        pids.append(pid)
        process.close()

    closed = when_running(process, close)
    with pytest.raises(RunStopped):
        process.read_paper(".tex", SLOW)
    closed.join()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    with pytest.raises(RunStopped):
        process.read_paper(".txt", b"The next one.")


def test_rows_left_unread_are_not_taken_for_the_next_answer(process: ReaderProcess, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [f"Text {n}." for n in range(5000)]}), tmp_path / "a.parquet")
    rows = process.rows(tmp_path / "a.parquet", "text")
    assert next(rows).record == {"text": "Text 0."}
    rows.close()  # type: ignore[attr-defined]
    assert process.read_paper(".txt", b"The next one.").text == "The next one."


def test_a_small_table_with_large_values_does_not_fill_memory(tmp_path: Path) -> None:
    count = 60_000_000
    values = pa.ListArray.from_arrays([0, count], pa.nulls(count, pa.int8()))
    pq.write_table(pa.table({"text": ["Dust."], "more": values}), tmp_path / "a.parquet", compression="zstd")
    pq.write_table(pa.table({"text": ["Dust.", " " * 20_000_000]}), tmp_path / "b.parquet", compression="zstd")
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 50_000
    reasons = f"{SkipReason.TOO_LARGE.value}|{SkipReason.CRASHED.value}"
    with closing(ReaderProcess(memory=2**29)) as process, pytest.raises(Unreadable, match=reasons):
        list(process.rows(tmp_path / "a.parquet", "text"))
    with closing(ReaderProcess()) as process:
        rows = [row.record for row in process.rows(tmp_path / "b.parquet", "text")]
    assert rows == [{"text": "Dust."}, SkipReason.LINE_TOO_LONG]


def test_an_error_in_our_code_is_not_reported_as_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_: bytes) -> Paper:
        raise ValueError("a library's")

    def last_answer(data: bytes) -> processes.ReadMessage:
        return list(handle_request("document", ".txt", "", data))[-1]

    monkeypatch.setattr(processes, "reader_of", lambda _: faulty)
    assert last_answer(b"Dust.").reason == SkipReason.DAMAGED, "it was not raised in our code"
    monkeypatch.setattr(processes, "reader_of", lambda _: read_text)
    found = last_answer(3)  # type: ignore[arg-type]
    assert (found.reason, "text.py, line" in found.detail) == (SkipReason.OUR_FAULT, True)
