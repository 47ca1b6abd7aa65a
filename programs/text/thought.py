"""The `<thought>` element that holds a reasoning trace."""

from __future__ import annotations

import re
from collections.abc import Sequence

from programs.text.injection import escape_thought_tags

OPEN, CLOSE = "<thought>", "</thought>"

_ELEMENT = re.compile(r"\s*<thought>(.*)</thought>\s*", re.DOTALL)


def wrap_thought(paragraphs: Sequence[str]) -> str:
    """One thought element: the paragraphs, stripped, a blank line between them; blank ones are left out.

    Thought and think tags inside are escaped, so the element's own tags are the only ones. Raises ValueError when
    nothing is left: an empty thought is not content.
    """
    body = "\n\n".join(stripped for paragraph in paragraphs if (stripped := paragraph.strip()))
    if not body:
        raise ValueError("a thought needs at least one paragraph that is not blank")
    return f"{OPEN}\n{escape_thought_tags(body)}\n{CLOSE}"


def bare_thought(text: str) -> str:
    """The thought without its tags; `text` itself, stripped, where it is not exactly one thought element."""
    try:
        return unwrap_thought(text)
    except ValueError:
        return text.strip()


def unwrap_thought(text: str) -> str:
    """What stands inside the one thought element that is `text`, stripped; escaped tags stay escaped.

    wrap_thought([unwrap_thought(w)]) == w for every w that wrap_thought made. Raises ValueError when `text` is not
    exactly one thought element.
    """
    match = _ELEMENT.fullmatch(text)
    if match is None or OPEN in match[1] or CLOSE in match[1]:
        raise ValueError("not exactly one <thought> element")
    return match[1].strip()
