"""Review lists, and a person who types.

path = write_list(tmp_path / "out.review.jsonl", [item(1), item(2)])
done = review(path, "a 8", "r", "q")           # python -m programs.review, in this process, with these lines
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from programs.judges.review_list import ReviewItem
from programs.review import main
from tests.lab import called


def item(number: int, **given: Any) -> ReviewItem:
    """A trace that two judges rated 3 and 8."""
    made = {
        "id": f"trace-{number}",
        "unit": f"sample/mechanism/{number}",
        "became": "accepted",
        "spread": 5.0,
        "title": f"Paper {number}",
        "question": f"Why does lamp {number} drift?",
        "asked_by": "a student (beginner level)",
        "key_passage": f"Lamp {number} drifts by 4 percent. It was never calibrated.",
        "thought": f"<thought>\nPerhaps lamp {number} is old.\n</thought>",
        "answer": f"Because lamp {number} was never calibrated.",
        "evidence": [
            {"claim": "It drifts.", "bearing": "supports", "verified": True, "quote": "It was never calibrated."}
        ],
        "verdicts": [
            {"judge": "strict", "scored": True, "overall": 3, "reason": "It asserts the cause."},
            {"judge": "mild", "scored": True, "overall": 8, "reason": "It is plain."},
        ],
    }
    return ReviewItem.model_validate({**made, **given})


def write_list(path: Path, items: Iterable[ReviewItem]) -> Path:
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in items), encoding="utf-8")
    return path


def review(path: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """The command with these lines as its standard input: its exit code, and what it printed."""
    typed = io.StringIO("".join(f"{line}\n" for line in lines))
    with mock.patch("sys.stdin", typed), mock.patch.dict("os.environ", {"COLUMNS": "200"}):
        done = called(str(path), *options, main=main)
    return done.returncode, done.stdout, done.stderr


def labels_in(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of labels."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
