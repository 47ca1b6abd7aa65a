"""Documents are read in a process of their own: whatever becomes of that, the next one is read."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from programs.inputs import process as processes
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import read_text
from programs.inputs.process import ReaderProcess
from programs.inputs.report import Skip, Unreadable


@pytest.fixture
def process() -> Iterator[ReaderProcess]:
    with closing(ReaderProcess(seconds=8)) as running:
        yield running


def paper(process: ReaderProcess, ending: str, data: bytes) -> Paper:
    *waiting, found = process.steps(ending, data)
    assert not any(waiting)
    assert found is not None
    return found


def test_one_document_after_another(process: ReaderProcess) -> None:
    assert paper(process, ".txt", b"Dust reddens.").text == "Dust reddens."
    with pytest.raises(Unreadable, match="damaged"):
        paper(process, ".docx", b"no zip")
    assert paper(process, ".md", "# A title\n\nNaïve \u2028dust".encode()).title == "A title"


def test_one_that_takes_too_long_is_given_up(process: ReaderProcess) -> None:
    with pytest.raises(Unreadable, match=Skip.TOO_SLOW):
        paper(process, ".tex", b"\\textbf{a} \\emph{b} $c$ " * 400_000)
    assert paper(process, ".txt", b"The next one.").text == "The next one."


def test_a_crash_takes_one_document_with_it(process: ReaderProcess) -> None:
    paper(process, ".txt", b"It runs.")
    steps = process.steps(".tex", b"\\textbf{a} " * 400_000)
    assert next(steps) is None
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGSEGV)
    with pytest.raises(Unreadable, match=Skip.CRASHED):
        list(steps)
    assert paper(process, ".txt", b"The next one.").text == "The next one."


def test_closing_ends_it_whatever_it_does() -> None:
    with closing(ReaderProcess()) as running:
        steps = running.steps(".tex", b"\\textbf{a} " * 400_000)
        while running._process is None:
            assert next(steps) is None
        child = running._process
    assert child.poll() is not None


def test_a_fault_of_ours_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_: bytes) -> Paper:
        raise ValueError("a library's")

    monkeypatch.setattr(processes, "reader_of", lambda _: faulty)
    assert processes._told(".txt", b"Dust.")["reason"] == Skip.DAMAGED, "no file of ours raised it"
    monkeypatch.setattr(processes, "reader_of", lambda _: read_text)
    told = processes._told(".txt", 3)  # type: ignore[arg-type]
    assert (told["reason"], "text.py, line" in told["detail"]) == (Skip.OUR_FAULT, True)
