"""The licence of a text, as its input record gives it: under `license`, `licence`, `rights` or the like, as a name, an
address, or an object or list that holds one. Names are put in lower case with hyphens ("CC BY 4.0" is `cc-by-4.0`), and an
address of Creative Commons or arXiv means the licence that it names."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from programs.text.words import texts_in

UNKNOWN = "unknown"
_FIELDS = re.compile(r"licen[cs]e(s|_?id|_?url)?|rights", re.IGNORECASE)
_ADDRESS = re.compile(r"(creativecommons|arxiv)\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)")
_NO_NAME = re.compile(r"\d{4}-\d\d-\d\d(?:T\S*)?|am|vor|tdm|stm-asf|unspecified")
_HUB = re.compile(
    r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-[234]\.[05]|mit|apache-2\.0|bsd-[23]-clause|gpl-[23]\.0|odc-by|odbl|pddl"
)


def licence_of(extra: Mapping[str, Any]) -> str | None:
    """The licence that the extra fields of a record give, or None."""
    for value in (value for name, value in extra.items() if _FIELDS.fullmatch(name)):
        # Crossref puts the day before the address from which on it holds, and the version that it is of.
        if named := [text for text in texts_in(value) if text.strip() and not _NO_NAME.fullmatch(text.strip())]:
            return licence_name(next((text for text in named if _ADDRESS.search(text.lower())), named[0]))
    around = (extra.get(name) for name in ("metadata", "meta"))
    return next((found for fields in around if isinstance(fields, Mapping) and (found := licence_of(fields))), None)


def licence_name(text: str) -> str:
    lower = text.strip().lower()
    if address := _ADDRESS.search(lower):
        giver = "cc" if address[1] == "creativecommons" else "arxiv"
        return f"cc0-{address[3]}" if address[2] == "zero" else f"{giver}-{address[2]}-{address[3]}"
    return re.sub(r"[^a-z0-9.]+", "-", lower).strip("-")[:80] or UNKNOWN


def hub_names(licences: Iterable[str]) -> str | list[str]:
    """What the Hub is told of several licences: the one identifier that they have, or a list; "other" for what it does not
    know."""
    names = sorted({one if one == UNKNOWN or _HUB.fullmatch(one) else "other" for one in licences})
    return names if len(names) != 1 else names[0]
