"""Finds the licence of a text in its input record: in a field such as `license`, `licence` or `rights`, as a name, a URL,
or an object or list that holds one. Names are normalized to lower case with hyphens ("CC BY 4.0" is `cc-by-4.0`); a URL of
Creative Commons or arXiv stands for the licence that it names."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from programs.text.words import texts_in

UNKNOWN = "unknown"
_FIELD_PATTERN = re.compile(r"licen[cs]e(s|_?id|_?url)?|rights", re.IGNORECASE)
_URL_PATTERN = re.compile(r"(creativecommons|arxiv)\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)")
_NOT_A_LICENCE = re.compile(r"\d{4}-\d\d-\d\d(?:T\S*)?|am|vor|tdm|stm-asf|unspecified")
_HUB_PATTERN = re.compile(
    r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-[234]\.[05]|mit|apache-2\.0|bsd-[23]-clause|gpl-[23]\.0|odc-by|odbl|pddl"
)


def licence_of(extra: Mapping[str, Any]) -> str | None:
    """The normalized licence in the extra fields of a record, or None."""
    for value in (value for name, value in extra.items() if _FIELD_PATTERN.fullmatch(name)):
        # In Crossref's records, a start date and a content version ("vor") come before the URL.
        if names := [text for text in texts_in(value) if text.strip() and not _NOT_A_LICENCE.fullmatch(text.strip())]:
            return licence_name(next((text for text in names if _URL_PATTERN.search(text.lower())), names[0]))
    nested = (extra.get(name) for name in ("metadata", "meta"))
    return next((found for fields in nested if isinstance(fields, Mapping) and (found := licence_of(fields))), None)


def licence_name(text: str) -> str:
    lower = text.strip().lower()
    if url := _URL_PATTERN.search(lower):
        issuer = "cc" if url[1] == "creativecommons" else "arxiv"
        return f"cc0-{url[3]}" if url[2] == "zero" else f"{issuer}-{url[2]}-{url[3]}"
    return re.sub(r"[^a-z0-9.]+", "-", lower).strip("-")[:80] or UNKNOWN


def hub_names(licences: Iterable[str]) -> str | list[str]:
    """The Hub's identifiers of these licences, as a string if there is one; "other" for licences that the Hub lacks."""
    names = sorted({name if name == UNKNOWN or _HUB_PATTERN.fullmatch(name) else "other" for name in licences})
    return names if len(names) != 1 else names[0]
