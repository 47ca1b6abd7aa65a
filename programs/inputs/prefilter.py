"""`--prefilter`: leaves out of a text what there is nothing to ask about, by rules of form. Pure functions.

1. Parts whose heading says so (`headings`): references, acknowledgements and funding, appendices, tables of contents,
   author lists, statements about the paper.
2. Short statements with such a word as their label ("Funding: ...").
3. A list of references at the end, also without a heading.

What is left is the text that everything else sees: questions, evidence and its places refer to it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from programs.inputs.formats.text import PROSE, sectioned
from programs.inputs.headings import ACKNOWLEDGEMENTS, CONTENTS, REFERENCES, STATEMENTS, kind_of

TOO_LITTLE: Final = "too little text"
LEAST_CHARACTERS: Final = 200
LEAST_WORDS: Final = 30

LONGEST_STATEMENT = 300
"""Characters of a statement with a label. What is longer is prose that begins with such a word."""
LEAST_ENTRIES = 3
"""So many entries of references in a row are a list of them."""

_LABEL = re.compile(r"(.{3,60}?)[.:—–](?:\*\*|__)?\s*\S")
_PROSE = re.compile(rf".{{{PROSE - 1},}}[.!?]")
_BETWEEN_ENTRIES = re.compile(r"\s+(?=\[\d{1,3}\]\s)")
_NAMES = (
    r"(?:[a-z]{2,3}\s+){0,3}"
    r"(?:[A-Z][\w'’-]+,?\s+(?:[A-Z]\.|[A-Z]{1,3}[,.;\s]|[A-Z][\w'’-]+[,.])|(?:[A-Z]\.[\s~-]?)+[A-Z][\w'’-]+)"
)
_ENTRY = re.compile(
    rf"\\bibitem|(?:\[\w{{1,12}}\]|\(?\d{{1,3}}[.)]?|[-*•])?\s*{_NAMES}(?=.*\b(?:19|20)\d\d[a-z]?\b)"
    r".*(?:\d\s*(?:\(\d+\))?\s*[:,]\s*(?:pp?\.?\s*)?[A-Z]?\d|\bdoi\b|(?i:arxiv)|https?:|\bJournal\b|\bPress\b|\bProc\.)"
)


class Filtered(NamedTuple):
    """What is left of a text, and how many characters were left out for which reason."""

    text: str
    removed: dict[str, int]

    @property
    def why_nothing(self) -> str | None:
        """Why the text is no sample: what took most of it, or that there was little to begin with; None: it is one."""
        enough = len(self.text) >= LEAST_CHARACTERS and len(self.text.split()) >= LEAST_WORDS
        return None if enough else max(self.removed, key=lambda reason: self.removed[reason], default=TOO_LITTLE)


def prefilter(text: str) -> Filtered:
    """Leaves out of a cleaned text what the rules name. Idempotent; the lines that stay are in their order and unchanged,
    but for blank lines where something was."""
    removed: Counter[str] = Counter()
    kept: list[str] = []
    for line, reason in _lines(text) if text else ():
        if reason:
            removed[reason] += len(line.strip())
        elif line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    end = _end_without_references(kept)
    removed[REFERENCES] += sum(len(line.strip()) for line in kept[end:])
    # The unary plus drops what is 0.
    left_out = dict(+removed)
    return Filtered("\n".join(kept[:end]).strip(), left_out) if left_out else Filtered(text, {})


def _lines(text: str) -> Iterator[tuple[str, str | None]]:
    """The lines, each with the reason why its heading or its label leaves it out, None where neither does."""
    for section in sectioned(text).sections:
        kind = section.kind
        for line in text[section.start : section.end].removesuffix("\n").split("\n"):
            # Nothing else may end a table of contents.
            kind = None if kind == CONTENTS and _PROSE.fullmatch(line.strip()) else kind
            yield line, kind or _statement(line.strip())


def _statement(line: str) -> str | None:
    label = _LABEL.match(line) if len(line) <= LONGEST_STATEMENT else None
    kind = kind_of(label[1]) if label else None
    return kind if kind in (ACKNOWLEDGEMENTS, STATEMENTS) else None


def _end_without_references(lines: list[str]) -> int:
    """How many of the lines stand before a list of references at the end, which ends with an entry and may have a line of
    another form here and there."""
    entries, end, others = 0, len(lines), 1
    for number in range(len(lines) - 1, -1, -1):
        found = _BETWEEN_ENTRIES.split(lines[number].strip())
        if found == [""]:
            continue
        if all(map(_ENTRY.match, found)):
            entries, end, others = entries + len(found), number, 0
        elif others or len(lines[number]) > LONGEST_STATEMENT:
            break
        else:
            others = 1
    return end if entries >= LEAST_ENTRIES else len(lines)
