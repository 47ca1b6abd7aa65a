"""A panel of two judges, and what a judge says."""

from typing import Any

PANEL = ["openai/strict", "openai/mild"]


def verdict(overall: int, reason: str = "") -> dict[str, Any]:
    """A verdict that gives everything the same rating."""
    ratings = dict.fromkeys(("reasoning_quality", "accuracy", "coherence", "overall"), overall)
    return {"reason": reason or f"It deserves {overall}, all told.", **ratings}
