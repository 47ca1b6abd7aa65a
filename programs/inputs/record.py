"""A sample from a record: a JSON object of a line, a row of a table."""

from __future__ import annotations

from typing import Any

from programs.inputs.cleaning import clean_line
from programs.inputs.report import BAD_UTF8, EMPTY_TEXT, NO_TEXT, TEXT_NOT_STRING, Unreadable
from programs.inputs.sample import Place, Sample, sample_of

TEXT_FIELD = "text"


def sample_of_record(record: dict[str, Any], place: Place, line_id: str, text_field: str = TEXT_FIELD) -> Sample:
    """The sample that a record is; it takes the fields that it uses out of it. Raises `Unreadable` where there is no
    text."""
    text = _text(record.pop(text_field, None))
    if isinstance(number := record.get("id"), int) and not isinstance(number, bool):
        record["id"] = str(number)
    title, domain, given_id = (_label(record, name) for name in ("title", "domain", "id"))
    sample = sample_of(text, title=title, domain=domain, given_id=given_id, place=place, line_id=line_id, extra=record)
    if not sample.text:
        raise Unreadable(EMPTY_TEXT)
    return sample


def _text(value: Any) -> str:
    if value is None:
        raise Unreadable(NO_TEXT)
    if isinstance(value, bytes):
        # Tables may hold texts as bytes.
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(BAD_UTF8) from error
    if not isinstance(value, str):
        raise Unreadable(TEXT_NOT_STRING)
    return value


def _label(record: dict[str, Any], key: str) -> str | None:
    """Takes the field out of the record if it can be used; what cannot be stays there, unless it is null or blank."""
    value = record.get(key)
    if value is None or isinstance(value, str):
        record.pop(key, None)
    return clean_line(value) or None if isinstance(value, str) else None
