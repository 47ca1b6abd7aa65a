"""Judged traces to review, and a person who types.

document = judged(tmp_path, [trace(1), trace(2)])
done = review(document, "a 8", "r", "q")       # python -m programs.review, in this process, with these lines
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from programs.records import Evidence, Record, Verdict
from programs.review import main
from tests.exports.building import Made, laid, record
from tests.lab import called


def trace(number: int, overalls: tuple[int, int] = (3, 8), **given: Any) -> Record:
    """A trace of a text of its own that two judges rated so."""
    texts = {
        "title": f"Paper {number}",
        "question": f"Why does lamp {number} drift?",
        "text": f"Lamp {number} drifts by 4 percent. It was never calibrated.",
        "thought": f"Perhaps lamp {number} is old.",
        "answer": f"Because lamp {number} was never calibrated.",
    }
    made = record(number, id=f"trace-{number}", audience="a student", **{**texts, **given})
    made.evidence = [Evidence(claim="It drifts.", bearing="supports", verified=True, quote="It was never calibrated.")]
    said = zip(("strict", "mild"), overalls, ("It asserts the cause.", "It is plain."), strict=True)
    made.verdicts = [Verdict(judge=judge, scored=True, overall=overall, reason=why) for judge, overall, why in said]
    made.metadata.quality_score = sum(overalls) / 2
    made.metadata.quality_spread = float(abs(overalls[0] - overalls[1]))
    return made


def judged(folder: Path, traces: Iterable[Record | Made]) -> Path:
    """A document with its journal."""
    folder.mkdir(exist_ok=True)
    return laid(folder, traces)


def review(path: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """The command with these lines as its standard input: its exit code, and what it printed."""
    typed = io.StringIO("".join(f"{line}\n" for line in lines))
    with mock.patch("sys.stdin", typed), mock.patch.dict("os.environ", {"COLUMNS": "200"}):
        done = called(str(path), *options, main=main)
    return done.returncode, done.stdout, done.stderr


def labels_in(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of labels."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
