"""A sample from a record: a JSON object of a line, a row of a table."""

from __future__ import annotations

from typing import Any

from programs.inputs.cleaning import clean, clean_line
from programs.inputs.parsing import BadLine
from programs.inputs.report import EMPTY_TEXT, NO_TEXT, TEXT_NOT_STRING
from programs.inputs.sample import DEFAULT_DOMAIN, Place, Sample, content_id, default_title

TEXT_FIELD = "text"


def sample_of_record(record: dict[str, Any], place: Place, line_id: str, text_field: str = TEXT_FIELD) -> Sample:
    """The sample that a record is; it takes the fields that it uses out of it. Raises `BadLine` where there is no text."""
    text = _text(record, text_field)
    title = _label(record, "title")
    domain = _label(record, "domain")
    return Sample(
        id=content_id(text),
        given_id=_given_id(record),
        title=title or default_title(place.line),
        title_given=title is not None,
        domain=domain or DEFAULT_DOMAIN,
        domain_given=domain is not None,
        text=text,
        place=place,
        cut_from=None,
        line_id=line_id,
        extra=record,
    )


def _text(record: dict[str, Any], field: str) -> str:
    text = record.pop(field, None)
    if text is None:
        raise BadLine(NO_TEXT)
    if not isinstance(text, str):
        raise BadLine(TEXT_NOT_STRING)
    text = clean(text)
    if not text:
        raise BadLine(EMPTY_TEXT)
    return text


def _label(record: dict[str, Any], key: str) -> str | None:
    """Takes the field out of the record if it can be used; what cannot be stays there, unless it is null or blank."""
    value = record.get(key)
    label = clean_line(value) if isinstance(value, str) else ""
    if value is None or isinstance(value, str):
        record.pop(key, None)
    return label or None


def _given_id(record: dict[str, Any]) -> str | None:
    value = record.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        record["id"] = str(value)
    return _label(record, "id")
