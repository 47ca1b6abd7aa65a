"""The texts of a trace as a page shows them, and places in them as a browser counts them."""

from programs.checks.thought import unwrap_thought
from programs.records import Record


def thought_of(record: Record) -> str:
    """The thought without its tags; as it stands, where it is not one element."""
    try:
        return unwrap_thought(record.reasoning_trace)
    except ValueError:
        return record.reasoning_trace.strip()


class Places:
    """Places in one text, from code points (Python) to UTF-16 units (JavaScript)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain = not text or max(text) <= "\uffff"

    def of(self, place: int) -> int:
        """The same place, counted in UTF-16 units."""
        return place if self._plain else len(self._text[:place].encode("utf-16-le", "surrogatepass")) // 2

    def span(self, quote: str | None, start: int | None, end: int | None) -> list[int] | None:
        """Where a quote stands, if it stands there."""
        if quote is None or start is None or end is None or self._text[start:end] != quote:
            return None
        return [self.of(start), self.of(end)]
