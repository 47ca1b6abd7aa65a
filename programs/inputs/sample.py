"""One input record, as the rest of the program sees it."""

import hashlib
from typing import Any

from pydantic import BaseModel, Field

from programs.inputs.cleaning import clean


class Place(BaseModel, frozen=True):
    """Where a record stands: the file as it was named, and the line, row or passage, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Excerpt(BaseModel, frozen=True):
    """Which part of a document a text is: characters `start` to `end` of the document's text, whose hash is `document`
    (`content_id`). `sections` are those that it has parts of, each its headings joined by " > ", outermost first.

    The text is exactly that part, unless something was left out of it (`removed`) or it was cut to fit (`cut_from`).
    """

    document: str
    sections: tuple[str, ...] = ()
    start: int
    end: int


class Sample(BaseModel, frozen=True):
    """A text to ask questions about, with what its record said of it.

    Invariants: `id` is `content_id` of the cleaned and, where that was asked for, prefiltered text before any cut, so it
    depends neither on the place nor on how much of the text fits a model; title, domain and text read from a file are
    cleaned; every string encodes to UTF-8; `extra` holds only what JSON can write again.
    """

    id: str
    given_id: str | None
    """The record's own id (a whole number becomes its digits); None if it has none that could be used."""
    title: str
    title_given: bool
    domain: str
    domain_given: bool
    text: str
    place: Place
    excerpt: Excerpt | None = None
    """None where the text is no part of a longer one."""
    cut_from: int | None
    """Characters that the text had before it was cut to fit; None if it is whole."""
    line_id: str
    """A hash of the bytes of the record's line, by which a later run knows the line before it reads it; of a passage,
    that of its document's bytes with its number and how it was cut (`programs.inputs.reader`)."""
    removed: dict[str, int] = Field(default_factory=dict)
    """Characters that the prefilter left out of the text, by what they were."""
    extra: dict[str, Any]
    """Every other field, and a title, domain or id that could not be used."""


def content_id(text: str) -> str:
    """The identity of a text: the `bytes_id` of its UTF-8 bytes."""
    return bytes_id(text.encode("utf-8"))


def bytes_id(data: bytes) -> str:
    """16 hexadecimal digits (64 bits) of the BLAKE2b hash of some bytes."""
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
    """A sample made of a text at hand, which is cleaned; what it has no title or domain of its own for gets a default."""
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
