"""A panel of two judges, and what a judge says."""

from typing import Any

from programs.records import FLOORS, Rated, Verdict

PANEL = ["openai/strict", "openai/mild"]
RATINGS = tuple(name for name, field in Verdict.model_fields.items() if field.annotation == Rated)
"""What judges rate."""


def verdict(overall: int, fault: str = "") -> dict[str, Any]:
    """A verdict that gives everything the same rating, but for the floors, so that the mean alone decides."""
    ratings = {**dict.fromkeys(RATINGS, overall), **{name: max(overall, floor) for name, floor in FLOORS.items()}}
    said = {"fault": fault or f"It deserves {overall}, all told.", "fault_in": "both"}
    return {**said, "best_point": "It keeps to its subject.", **ratings}
