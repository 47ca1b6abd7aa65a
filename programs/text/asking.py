"""Whether a text asks something."""

import re

_IMPERATIVE = re.compile(
    r"(?:^|[.;:]\s+)(?:please\s+)?(?:explain|describe|compare|discuss|estimate|calculate|derive|suggest|propose|outline|"
    r"justify|interpret|evaluate|assess|predict|show|tell me|give|state|name|list|walk me through|help me)\b",
    re.IGNORECASE,
)
MARKS = "?？؟;"
"""Question marks: Latin and Cyrillic, Chinese and Japanese, Arabic, Greek (U+037E)."""

_SENTENCE_END = re.compile(rf"[.!{MARKS}。！۔]+(?=[\s\"')\]]|$)|[。！？]")


def asks(text: str) -> bool:
    """Whether some sentence of `text` is a question or a request."""
    return any(mark in text for mark in MARKS) or _IMPERATIVE.search(text) is not None


def only_asks(text: str) -> bool:
    """Whether `text` has no sentence but questions."""
    ends = _SENTENCE_END.findall(text.strip())
    return bool(ends) and all(set(end) & {*MARKS} for end in ends) and text.strip()[-1] in f"{MARKS}\"')]"
