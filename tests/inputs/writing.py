"""Writes the files that these tests read."""

from __future__ import annotations

import json
from pathlib import Path

from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample


def line(text: object, **fields: object) -> bytes:
    return json.dumps({"text": text, **fields}).encode()


def write(path: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    path.write_bytes(b"".join(one + end for one in lines))
    return path


def read(path: Path) -> tuple[list[Sample], ReadReport]:
    """All samples of a file; checks that every line of it was counted once."""
    report = ReadReport()
    samples = list(read_samples([str(path)], max_chars=None, report=report))
    assert report.samples == len(samples)
    assert report.lines == report.samples + report.blank + report.skipped_lines
    assert set(report.skipped) == set(report.first_examples)
    return samples, report
