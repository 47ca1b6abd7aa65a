"""Whether what a file gives as its title is one: programs fill that field with names of files and with nothing."""

from __future__ import annotations

import re

from programs.inputs.cleaning import clean_line

_NO_TITLE = re.compile(
    r"untitled.*|no title|title|document\d*|manuscript|main|paper|article|template|microsoft word\b.*|layout \d+|slide \d+"
    r"|powerpoint presentation|.*\.(?:docx?|tex|dvi|pdf|indd|ps|eps|qxd|rtf)|[\w.-]*\d[\w.-]*",
    re.IGNORECASE,
)


def usable_title(words: str | None) -> str | None:
    """The title, on one line, or None where it is a name of a file, a program's own words, or a single word."""
    title = clean_line(words or "")
    return None if not title or _NO_TITLE.fullmatch(title) or " " not in title else title
