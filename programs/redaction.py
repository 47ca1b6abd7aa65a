"""Makes text from elsewhere safe to write and show: without secrets or control characters, on one line, short."""

import re
from collections.abc import Iterable, Mapping

MAX_EXCERPT_CHARS = 300

_KEY_PATTERN = re.compile(
    r"(?i)(?<=bearer )[^\s\"',;]+|(?<=basic )[a-z0-9+/=]{8,}|\bsk-[\w*.-]{6,}|(?<=://)[^/\s]+(?=@)"
)
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|HEADERS)$|^ARGO_USER$")
_PLACEHOLDER_KEYS = ("", "empty", "none", "dummy")  # given to servers that need no key: EMPTY in vLLM's manual

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
"""Without its escape character, the rest of an escape sequence is harmless."""


def make_encodable(text: str) -> str:
    """`text` with surrogates paired or replaced by U+FFFD: JSON may escape half a pair, which UTF-8 cannot encode."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def strip_unprintable(text: str) -> str:
    """`text` without what a terminal obeys or hides (control characters, text directions, surrogates). Line feeds and tabs
    stay."""
    return _UNPRINTABLE.sub("", text)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret, and whatever looks like a key or like credentials in a URL, replaced by `***`. Invisible
    characters may split a secret: call `strip_unprintable` before this, not after."""
    for secret in sorted({s for s in secrets if s.lower() not in _PLACEHOLDER_KEYS}, key=len, reverse=True):
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return _KEY_PATTERN.sub("***", text)


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` on one line, redacted, printable and cut to 300 characters. Cut last, so that no part of a secret remains."""
    line = " ".join(redact(strip_unprintable(text), secrets).split())
    return line if len(line) <= MAX_EXCERPT_CHARS else line[: MAX_EXCERPT_CHARS - 1] + "…"


def secrets_in(env: Mapping[str, str]) -> list[str]:
    """The values in an environment whose names say that they are secret. Those of fewer than 4 characters are left out,
    since they would occur in other words."""
    return [value for name, value in env.items() if _SECRET_NAME.search(name) and len(value) >= 4]
