"""`Sample`: an input record as the rest of the program sees it."""

import hashlib
from typing import Any

from pydantic import BaseModel, Field

from programs.inputs.cleaning import clean


class Place(BaseModel, frozen=True, use_attribute_docstrings=True):
    """Where a record was read."""

    file: str
    line: int
    """Number of its line, row or passage, from 1."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Excerpt(BaseModel, frozen=True, use_attribute_docstrings=True):
    """The part of a document that a text is: characters `start` to `end`. The text is exactly this part, unless something
    was removed from it (`removed`) or it was cut to fit (`cut_from`)."""

    document: str
    """The `content_id` of the document's text."""
    sections: tuple[str, ...] = ()
    """The sections that it overlaps, each as its headings joined by " > ", outermost first."""
    start: int
    end: int


class Sample(BaseModel, frozen=True):
    """A text to ask questions about, with the metadata of its record.

    Invariants: `id` is the `content_id` of the cleaned (and, with --prefilter, prefiltered) text before any cut, so it
    depends neither on the place nor on how much of the text fits a model; title, domain and text read from a file are
    cleaned; every string encodes to UTF-8; `extra` holds only values that JSON can represent.
    """

    id: str
    given_id: str | None
    """The record's own id (an integer becomes a string); None if it has no usable one."""
    title: str
    title_given: bool
    domain: str
    domain_given: bool
    text: str
    place: Place
    excerpt: Excerpt | None = None
    """None if the text is not part of a longer one."""
    cut_from: int | None
    """Length of the text in characters before it was cut to fit; None if it is whole."""
    line_id: str
    """A hash of the bytes of the record's line (of a row, its values), by which a later run recognises it without parsing.
    For a passage, a hash of its document's hash, its number and the options for cutting (`programs.inputs.reader`)."""
    removed: dict[str, int] = Field(default_factory=dict)
    """Number of characters that the prefilter removed from the text, by kind of part."""
    extra: dict[str, Any]
    """All other fields, including an unusable title, domain or id."""


def content_id(text: str) -> str:
    """The identity of a text: the `bytes_id` of its UTF-8 bytes."""
    return bytes_id(text.encode("utf-8"))


def bytes_id(data: bytes) -> str:
    """The 64-bit BLAKE2b hash of some bytes, as 16 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def sample_of(
    text: str,
    *,
    title: str | None = None,
    domain: str | None = None,
    given_id: str | None = None,
    place: Place = Place(file="", line=1),  # noqa: B008
    line_id: str = "",
    extra: dict[str, Any] | None = None,
) -> Sample:
    """Makes a sample from a text, which is cleaned first. A missing title or domain gets a default."""
    cleaned = clean(text)
    return Sample(
        id=content_id(cleaned),
        given_id=given_id,
        title=title or f"Scientific Paper {place.line}",
        title_given=title is not None,
        domain=domain or "General Science",
        domain_given=domain is not None,
        text=cleaned,
        place=place,
        cut_from=None,
        line_id=line_id,
        extra=extra or {},
    )
