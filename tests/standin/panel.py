"""A panel of two judges, and verdicts."""

from typing import Any

from programs.record_parts import FLOORS, Rated, Verdict

PANEL = ["openai/strict", "openai/mild"]
RATINGS = tuple(name for name, field in Verdict.model_fields.items() if field.annotation == Rated)
"""The ratings that a judge gives."""


def verdict(overall: int, fault: str = "") -> dict[str, Any]:
    """A verdict whose ratings are all `overall`, or their floors where those are higher, so that only the mean decides."""
    ratings = {**dict.fromkeys(RATINGS, overall), **{name: max(overall, floor) for name, floor in FLOORS.items()}}
    remarks = {"fault": fault or f"It deserves {overall}, all told.", "fault_in": "both"}
    return {**remarks, "best_point": "It keeps to its subject.", **ratings}
