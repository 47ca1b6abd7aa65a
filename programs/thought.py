"""A trace's thought as a person or a trainer reads it."""

from programs.checks.thought import unwrap_thought
from programs.records import Record


def thought_of(record: Record) -> str:
    """The thought without its tags; as it stands, where it is not one element."""
    try:
        return unwrap_thought(record.reasoning_trace)
    except ValueError:
        return record.reasoning_trace.strip()
