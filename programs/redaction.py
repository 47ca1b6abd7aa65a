"""Text from elsewhere made fit to be written and shown: without secrets and control characters, on one line, short."""

import re
from collections.abc import Iterable, Mapping

LONGEST_EXCERPT = 300

_KEY_SHAPES = re.compile(
    r"(?i)(?<=bearer )[^\s\"',;]+|(?<=basic )[a-z0-9+/=]{8,}|\bsk-[\w*.-]{6,}|(?<=://)[^/\s]+(?=@)"
)
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|HEADERS)$|^ARGO_USER$")
_NO_SECRETS = ("", "empty", "none", "dummy")  # the keys of servers that want none: EMPTY by vLLM's manual

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
"""What follows an escape character is harmless without it."""


def encodable(text: str) -> str:
    """`text` with surrogates paired or replaced by U+FFFD: JSON may escape half a character, which no file can hold."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def printable(text: str) -> str:
    """`text` without what a terminal obeys or hides (control characters, directions, halves of characters); line ends and
    tabs stay."""
    return _UNPRINTABLE.sub("", text)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret, and whatever looks like a key or like credentials in an address, replaced by `***`. Signs
    that nobody sees may part a secret: where they are to go, they go before this."""
    for secret in sorted({s for s in secrets if s.lower() not in _NO_SECRETS}, key=len, reverse=True):
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return _KEY_SHAPES.sub("***", text)


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` redacted and printable, on one line, cut to 300 characters. Cut last, so that no half of a secret remains."""
    line = " ".join(redact(printable(text), secrets).split())
    return line if len(line) <= LONGEST_EXCERPT else line[: LONGEST_EXCERPT - 1] + "…"


def secrets_in(env: Mapping[str, str]) -> list[str]:
    """The values in an environment that must not be shown, by their names; very short ones are left, since they would be
    found in other words."""
    return [value for name, value in env.items() if _SECRET_NAME.search(name) and len(value) >= 4]
