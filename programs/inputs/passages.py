"""Passages of long texts as samples, and how a later run knows a text of which every passage is done before it reads it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from programs.inputs.cutting import Piece
from programs.inputs.formats.paper import Paper
from programs.inputs.sample import Excerpt, Sample, bytes_id, content_id


def passages_of(whole: Sample, paper: Paper, cut: Sequence[Piece]) -> Iterator[Sample]:
    """A sample for each piece. `whole` is a sample of all of the paper's text."""
    document = content_id(paper.text)
    for piece in cut:
        text = paper.text[piece.start : piece.end]
        excerpt = Excerpt(document=document, sections=piece.sections, start=piece.start, end=piece.end)
        yield whole.model_copy(update={"id": content_id(text), "text": text, "excerpt": excerpt})


def passage_key(key: str, number: int, *, last: bool) -> str:
    """The line id of a passage, counted from 1 among those of its text that are taken. The last one's says that it is that.
    `key` names the text's bytes and all that decides what is taken of it."""
    return bytes_id(f"{key}/{number}{'/last' if last else ''}".encode())


def all_done(key: str, done: Container[str]) -> int | None:
    """How many passages were taken of a text, where all of them are done; None where one is not."""
    number = 1
    while passage_key(key, number, last=False) in done:
        number += 1
    return number if passage_key(key, number, last=True) in done else None
