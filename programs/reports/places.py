"""Places in the texts of a trace, as a browser counts them."""


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
