"""Writes and reads the input files of these tests."""

import json
from pathlib import Path
from typing import Any

from programs.inputs.chunking import Chunking
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample


def line(text: object, **fields: object) -> bytes:
    return json.dumps({"text": text, **fields}).encode()


def write(path: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    path.write_bytes(b"".join(one + end for one in lines))
    return path


def read(
    *inputs: Path | str, tokens: int | None = None, max_chars: int | None = None, **options: Any
) -> tuple[list[Sample], ReadReport]:
    """All samples of some inputs. Checks that every line was counted exactly once."""
    report = ReadReport()
    patterns = [str(path) for path in inputs]
    samples = list(read_samples(patterns, max_chars=max_chars, report=report, cutting=Chunking(tokens), **options))
    assert report.samples == len(samples)
    assert report.lines == report.samples + report.blank + report.done + report.skipped_lines
    assert set(report.skipped) == set(report.first_examples)
    return samples, report
