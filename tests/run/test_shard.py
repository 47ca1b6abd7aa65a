"""Invariants of `--shard`: one input, many processes, no text twice and none forgotten.

1. Many ids are spread evenly over the shards, and so are the low bits within a shard.
2. A text is in one shard, which does not depend on where it stands, in which file, or how often.
3. A line counts once in every process's report: as a text, as one of other shards, or as what it is.
4. Bad values are one line that says what is right, with exit code 2.
5. The same command with another I writes other files, and a name that says its shard already is not changed.
6. Shards together make what one run makes (`tests/run/merging`).
7. A journal does not belong to a shard: going on with other texts adds them, and what is there stays.
8. However many lines of other shards pass by, a signal stops the run.
"""

import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.cli.options import parse
from programs.document import read_records
from programs.inputs.reader import SampleReader, read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample, content_id
from programs.inputs.shard import Shard
from programs.settings import Settings
from tests.inputs.writing import line, write
from tests.lab import Lab, called, laboratory, passage

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=12)


def shards(of: int) -> list[Shard]:
    return [Shard(number, of) for number in range(1, of + 1)]


def read(shard: Shard | None, *paths: Path) -> tuple[list[Sample], ReadReport]:
    report = ReadReport()
    patterns = [str(path) for path in paths]
    return list(read_samples(patterns, max_chars=None, report=report, shard=shard)), report


def settings_of(*words: str) -> Settings:
    return parse(Settings, list(words))


# 1. A partition


def test_many_texts_are_spread_evenly() -> None:
    ids = [content_id(passage(number)) for number in range(4000)]
    for shard in shards(4):
        held = [int(sample_id, 16) for sample_id in ids if shard.holds(sample_id)]
        assert 900 < len(held) < 1100
        assert len({number % 16 for number in held}) == 16


# 2, 3. Reading


@given(TEXTS, st.integers(1, 5), st.randoms())
def test_shards_part_any_input_however_it_stands(texts: list[str], of: int, dice: random.Random) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [line(text) for text in texts] * 2
        whole = {sample.id for sample in read(None, write(folder / "a.jsonl", *lines))[0]}
        first = {sample.id: shard for shard in shards(of) for sample in read(shard, folder / "a.jsonl")[0]}
        dice.shuffle(lines)
        cut = dice.randint(0, len(lines))
        parts = write(folder / "b.jsonl", *lines[:cut]), write(folder / "c.jsonl", *lines[cut:])
        found = [(sample.id, shard) for shard in shards(of) for sample in read(shard, *parts)[0]]
    assert dict(found) == first
    assert len(found) == len(whole)
    assert first.keys() == whole


def test_every_line_counts_once_in_every_report(tmp_path: Path) -> None:
    texts = [line(passage(number)) for number in range(20)]
    path = write(tmp_path / "a.jsonl", *texts, b"", b"no JSON", line(""), *texts[:5])
    done = {sample.line_id for sample in read(None, path)[0][:3]}
    reports = []
    for shard in shards(3):
        report = ReadReport()
        list(read_samples([str(path)], max_chars=None, report=report, done=done, shard=shard))
        counted = report.samples + report.blank + report.done + report.other_shards + report.skipped_lines
        assert counted == report.lines == 28
        assert report.other_shards > 0
        reports.append(report)
    assert sum(report.samples for report in reports) == 17
    # Three lines that were done stand twice; two of their kind are duplicates, each in its own shard alone.
    assert [report.done for report in reports] == [6] * 3
    assert sum(report.skipped["duplicate text"] for report in reports) == 2
    assert all(report.skipped["not JSON"] == report.skipped["empty text"] == 1 for report in reports)


# 4. Bad values


@pytest.mark.parametrize(
    "bad", ["0/4", "5/4", "a/b", "1", "1/", "/4", "-1/4", "1/0", "1/4/2", "1.5/4", "", "1/9999999999"]
)
def test_a_bad_shard_is_one_line(bad: str) -> None:
    done = called(f"--shard={bad}", "--dry-run")
    assert done.returncode == 2
    [said] = done.stderr.splitlines()
    assert "--shard" in said
    assert "1/4" in said
    assert f"got {bad!r}" in said


# 5. Names


@pytest.mark.parametrize(
    ("output", "named", "journal"),
    [
        ("out.json", "out.shard-2-of-4.json", "out.shard-2-of-4.journal.jsonl"),
        ("a/b.c.json", "a/b.c.shard-2-of-4.json", "a/b.c.shard-2-of-4.journal.jsonl"),
        ("out.data", "out.data.shard-2-of-4", "out.data.shard-2-of-4.journal.jsonl"),
        ("out.shard-2-of-4.json", "out.shard-2-of-4.json", "out.shard-2-of-4.journal.jsonl"),
        ("out.shard-1-of-4.json", "out.shard-1-of-4.shard-2-of-4.json", "out.shard-1-of-4.shard-2-of-4.journal.jsonl"),
    ],
)
def test_each_shard_has_files_of_its_own(output: str, named: str, journal: str) -> None:
    found = settings_of("--output", output, "--shard", "2/4")
    assert (found.output, found.journal) == (Path(named), Path(journal))
    assert Settings.model_validate(found.model_dump()) == found


# 7. A journal is no shard's


def test_a_shards_output_takes_other_texts_when_it_is_told_to(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        lab.run(shard="1/2")
        mine = lab.settings(shard="1/2").output
        before = [record.source_paper.id for record in read_records(mine)]
        assert 0 < len(before) < 6
        _, calls = lab.counted(output=str(mine))
        assert calls == 8 * (6 - len(before))
        after = [record.source_paper.id for record in read_records(mine)]
        assert after[: len(before)] == before
        assert len(set(after)) == 6
        finished, calls = lab.counted(output=str(mine), shard="1/2")
        assert (calls, finished.summary.traces) == (0, {"accepted": 6})


# 8. Signals


def test_a_signal_is_heard_while_lines_pass_by(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def others(reader: SampleReader, _inputs: object) -> Iterator[Sample]:
        signal.raise_signal(signal.SIGINT)
        while True:
            reader._go_on()
            yield from ()

    monkeypatch.setattr(SampleReader, "samples", others)
    assert lab.run(shard="1/2").status == "interrupted"
