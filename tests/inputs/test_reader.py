"""read_samples: no text is too long, each is given once, and memory does not grow (the first at once:
tests/run/test_reading.py)."""

import tracemalloc
from pathlib import Path

import zstandard

from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from tests.inputs.writing import line, read, write


def test_a_long_text_is_cut_at_a_sentence_and_keeps_its_id(tmp_path: Path) -> None:
    text = "The first sentence is short. The second one says a little more. The third is not read."
    path = write(tmp_path / "a.jsonl", line(text), line("Short."))
    whole = read(path)[0][0]
    samples, report = read(path, max_chars=70)
    assert samples[0].text == "The first sentence is short. The second one says a little more."
    assert samples[0].cut_from == len(text)
    assert samples[0].id == whole.id
    assert (samples[1].text, samples[1].cut_from) == ("Short.", None)
    assert report.cut == 1
    assert read(path, max_chars=len(text))[1].cut == 0


def test_memory_does_not_grow_with_the_input(tmp_path: Path) -> None:
    text = "A star. " * 250
    path = write(tmp_path / "a.jsonl", *(line(text + str(n)) for n in range(3000)), *([b"no JSON"] * 3000))
    report = ReadReport()
    tracemalloc.start()
    try:
        for _ in read_samples([str(path)], max_chars=None, report=report):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert (report.samples, report.skipped_lines) == (3000, 3000)


def test_a_frame_to_skip_begins_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0pzst" + zstandard.compress(line("One.") + b"\n" + line("Two.")))
    assert [sample.text for sample in read(path)[0]] == ["One.", "Two."]
