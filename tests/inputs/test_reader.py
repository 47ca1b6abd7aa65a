"""read_samples: many files as one input, each text once, none too long, and the first at once."""

from __future__ import annotations

import random
import tempfile
import time
import tracemalloc
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from programs.inputs import ReadReport, Sample, read_samples
from programs.inputs import report as reasons
from tests.inputs.writing import line, write


def read(*paths: Path, max_chars: int | None = None) -> tuple[list[Sample], ReadReport]:
    report = ReadReport()
    return list(read_samples([str(path) for path in paths], max_chars=max_chars, report=report)), report


def test_a_text_in_two_files_is_read_once(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", line("One."), line("Two."))
    second = write(tmp_path / "b.jsonl", line("Two.", title="again"), line("Three."), b"no JSON")
    samples, report = read(first, second)
    assert [str(sample.place) for sample in samples] == [f"{first}:1", f"{first}:2", f"{second}:2"]
    assert (report.files, report.lines, report.samples) == (2, 5, 3)
    assert report.skipped == {reasons.DUPLICATE: 1, reasons.NOT_JSON: 1}
    assert str(report.first_examples[reasons.DUPLICATE]) == f"{second}:1"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=12), st.randoms())
@settings(max_examples=60, deadline=None)
def test_order_does_not_change_ids(texts: list[str], shuffle: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = [line(text) for text in texts]
        before = read(write(Path(folder) / "a.jsonl", *lines))[0]
        shuffle.shuffle(lines)
        after = read(write(Path(folder) / "other.jsonl", *lines))[0]
    assert {sample.text: sample.id for sample in before} == {sample.text: sample.id for sample in after}
    assert len({sample.id for sample in before}) == len(before)


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


def test_texts_that_only_their_cut_makes_equal_are_two(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", line("The same start. One end."), line("The same start. Another."))
    samples, _ = read(path, max_chars=16)
    assert [sample.text for sample in samples] == ["The same start."] * 2
    assert samples[0].id != samples[1].id


def test_the_first_sample_of_a_million_lines_comes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(line(f"Text {n}.") + b"\n" for n in range(1000)) * 1000)
    report = ReadReport()
    start = time.perf_counter()
    samples = read_samples([str(path)], max_chars=None, report=report)
    assert next(samples).text == "Text 0."
    assert time.perf_counter() - start < 0.5
    assert report.lines == 1


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
