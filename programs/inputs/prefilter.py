"""`--prefilter`: removes from a text what there is nothing to ask about, by rules about its form. Pure functions.

1. Parts recognised by their heading (`headings`): references, acknowledgements and funding, appendices, tables of
   contents, author lists, statements about the paper.
2. Short lines labelled as an acknowledgement, funding or a statement about the paper ("Funding: ...").
3. A list of references at the end, even without a heading.

The rest of the program sees only what remains: questions, evidence and its positions refer to that text.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from programs.inputs.formats.text import MIN_PROSE_LINE, split_into_sections
from programs.inputs.headings import ACKNOWLEDGEMENTS, CONTENTS, REFERENCES, STATEMENTS, left_out_kind

TOO_LITTLE: Final = "too little text"
MIN_CHARACTERS: Final = 200
MIN_WORDS: Final = 30

MAX_STATEMENT_CHARACTERS = 300
"""A longer line with a label is prose that happens to start with such a word."""
MIN_ENTRIES = 3
"""At least this many entries in a row are a list of references."""

_LABEL = re.compile(r"(.{3,60}?)[.:—–](?:\*\*|__)?\s*\S")
_PROSE_LINE = re.compile(rf".{{{MIN_PROSE_LINE - 1},}}[.!?]")
_ENTRY_SEPARATOR = re.compile(r"\s+(?=\[\d{1,3}\]\s)")
_AUTHOR_NAMES = (
    r"(?:[a-z]{2,3}\s+){0,3}"
    r"(?:[A-Z][\w'’-]+,?\s+(?:[A-Z]\.|[A-Z]{1,3}[,.;\s]|[A-Z][\w'’-]+[,.])|(?:[A-Z]\.[\s~-]?)+[A-Z][\w'’-]+)"
)
_REFERENCE_ENTRY = re.compile(
    rf"\\bibitem|(?:\[\w{{1,12}}\]|\(?\d{{1,3}}[.)]?|[-*•])?\s*{_AUTHOR_NAMES}(?=.*\b(?:19|20)\d\d[a-z]?\b)"
    r".*(?:\d\s*(?:\(\d+\))?\s*[:,]\s*(?:pp?\.?\s*)?[A-Z]?\d|\bdoi\b|(?i:arxiv)|https?:|\bJournal\b|\bPress\b|\bProc\.)"
)


class Filtered(NamedTuple):
    """What remains of a text, and how many characters were removed for which reason."""

    text: str
    removed: dict[str, int]

    @property
    def why_nothing(self) -> str | None:
        """Why too little text remains for a sample: the reason that removed most of it, if any. None if enough remains."""
        enough = len(self.text) >= MIN_CHARACTERS and len(self.text.split()) >= MIN_WORDS
        return None if enough else max(self.removed, key=lambda reason: self.removed[reason], default=TOO_LITTLE)


def prefilter(text: str) -> Filtered:
    """Removes from a cleaned text what the rules name. Idempotent. The remaining lines are unchanged and in order, but if
    anything was removed, runs of blank lines are reduced to one."""
    if not text:
        return Filtered(text, {})
    removed: Counter[str] = Counter()
    kept: list[str] = []
    for line, reason in _lines_with_reasons(text):
        if reason:
            removed[reason] += len(line.strip())
        elif line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    end = _end_without_references(kept)
    removed[REFERENCES] += sum(len(line.strip()) for line in kept[end:])
    # The unary plus drops counts of 0.
    left_out = dict(+removed)
    return Filtered("\n".join(kept[:end]).strip(), left_out) if left_out else Filtered(text, {})


def _lines_with_reasons(text: str) -> Iterator[tuple[str, str | None]]:
    """Each line, and the reason to remove it: its section's heading or its own label; None to keep it."""
    for section in split_into_sections(text).sections:
        kind = section.kind
        for line in text[section.start : section.end].removesuffix("\n").split("\n"):
            # Prose ends a table of contents, since it may have no other end.
            kind = None if kind == CONTENTS and _PROSE_LINE.fullmatch(line.strip()) else kind
            yield line, kind or _statement_kind(line.strip())


def _statement_kind(line: str) -> str | None:
    label = _LABEL.match(line) if len(line) <= MAX_STATEMENT_CHARACTERS else None
    kind = left_out_kind(label[1]) if label else None
    return kind if kind in (ACKNOWLEDGEMENTS, STATEMENTS) else None


def _end_without_references(lines: list[str]) -> int:
    """The number of lines before a list of references at the end of a text. The last line must be an entry; single short
    lines between entries may have any form."""
    entries, other_lines = 0, 1
    end = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        parts = _ENTRY_SEPARATOR.split(lines[number].strip())
        if parts == [""]:
            continue
        if all(map(_REFERENCE_ENTRY.match, parts)):
            entries += len(parts)
            end, other_lines = number, 0
        elif other_lines or len(lines[number]) > MAX_STATEMENT_CHARACTERS:
            break
        else:
            other_lines = 1
    return end if entries >= MIN_ENTRIES else len(lines)
