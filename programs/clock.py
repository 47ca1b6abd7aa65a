"""The time, as this program writes it."""

from datetime import datetime, timezone


def stamp() -> str:
    """Now, in UTC, to the second: 2026-01-31T12:00:00Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
