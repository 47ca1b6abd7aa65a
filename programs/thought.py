"""A trace's thought as a person or a trainer reads it."""

from programs.checks.thought import bare_thought
from programs.records import Record


def thought_of(record: Record) -> str:
    """The thought without its tags; as it stands, where it is not one element."""
    return bare_thought(record.reasoning_trace)
