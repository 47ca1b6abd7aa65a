"""A trace's thought as a person or a trainer reads it."""

from programs.records import Record
from programs.text.thought import bare_thought


def thought_of(record: Record) -> str:
    """The thought without its tags; as it stands, where it is not one element."""
    return bare_thought(record.reasoning_trace)
