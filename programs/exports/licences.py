"""The licence of a text, as its input record gives it: under `license`, `licence`, `rights` or the like, as a name, an
address, or an object with one of these.

Names are brought to the form that the Hub uses (`cc-by-4.0`, `mit`); what is no known name stays, in lower case with
hyphens.
"""

import re
from collections.abc import Mapping
from typing import Any

UNKNOWN = "unknown"
"""What a text without a licence is called where licences are counted or chosen."""

_FIELDS = ("license", "licence", "licenses", "licences", "licenseid", "licenceid", "licenseurl", "licenceurl", "rights")
_INSIDE = ("id", "name", "title", "url", "text", "content", "license", "licence")
_AROUND = ("metadata", "meta")

_CC_URL = re.compile(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)")
_CC0_URL = re.compile(r"creativecommons\.org/publicdomain/zero/(\d\.\d)")
_ARXIV_URL = re.compile(r"arxiv\.org/licenses/([a-z-]+)/(\d\.\d)")
_CC = re.compile(r"(?:cc)(0|by(?:nc)?(?:sa|nd)?)(\d\.\d)?(?:international|universal|unported|deed|license|licence)*")
_WORDS = {
    "creativecommons": "cc",
    "attribution": "by",
    "noncommercial": "nc",
    "sharealike": "sa",
    "noderivatives": "nd",
    "noderivs": "nd",
    "zero": "0",
}

_HUB = {
    *(f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")),
    *("cc0-1.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0"),
    *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
    *("mit", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "gpl-2.0", "gpl-3.0", "odc-by", "odbl", "pddl"),
}


def licence_of(extra: Mapping[str, Any]) -> str | None:
    """The licence that the extra fields of a record give, or None."""
    named = {re.sub(r"[\W_]", "", key).lower(): value for key, value in extra.items()}
    for field in _FIELDS:
        found = _said(named.get(field))
        if found:
            return licence_name(found)
    around = (named.get(field) for field in _AROUND)
    return next((found for fields in around if isinstance(fields, Mapping) and (found := licence_of(fields))), None)


def licence_name(text: str) -> str:
    """A licence's name in its usual form; the same for every way to write it that is known here."""
    lower = text.strip().lower()
    if match := _CC_URL.search(lower):
        return f"cc-{match[1]}-{match[2]}"
    if match := _CC0_URL.search(lower):
        return f"cc0-{match[1]}"
    if match := _ARXIV_URL.search(lower):
        return f"arxiv-{match[1]}-{match[2]}"
    squeezed = re.sub(r"[^a-z0-9.]", "", lower)
    for word, short in _WORDS.items():
        squeezed = squeezed.replace(word, short)
    if match := _CC.fullmatch(squeezed):
        kind = "cc0" if match[1] == "0" else "-".join(["cc", *re.findall("..", match[1])])
        return f"{kind}-{match[2] or '1.0'}" if kind == "cc0" else "-".join(filter(None, [kind, match[2]]))
    return re.sub(r"[^a-z0-9.]+", "-", lower).strip("-")[:80] or UNKNOWN


def hub_name(licence: str | None) -> str:
    """The identifier that the Hub knows: the licence itself, "other" or "unknown"."""
    if licence is None or licence == UNKNOWN:
        return UNKNOWN
    return licence if licence in _HUB else "other"


def _said(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, Mapping):
        lower = {str(key).lower(): part for key, part in value.items()}
        return next((found for name in _INSIDE if (found := _said(lower.get(name)))), None)
    if isinstance(value, list):
        return next((found for item in value if (found := _said(item))), None)
    return None
