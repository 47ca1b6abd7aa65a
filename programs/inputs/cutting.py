"""Cuts long texts into passages at section boundaries, and long sections at the ends of sentences.

1. A section that is longer than the limit is cut into passages of about the same length, each a run of whole sentences that
   begins with the last ones of the passage before it.
2. Sections of less than a quarter of the limit are put together with their neighbours as long as both fit; never with parts
   that there is nothing to ask about (references, acknowledgements, ...), which stay passages of their own.
3. A sentence that is longer than the limit is cut at a comma, or between words.

Sentences are those that evidence is later chosen by (`programs.text.sentences`): a passage never ends at "cf." or "Fig.".
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from programs.inputs.formats.paper import Paper
from programs.text.sentences import Span, parts, split

CHARS_PER_TOKEN = 4.0
"""A rule of thumb for English prose; models differ by a fifth. The tokenizer of the model is not known here."""
DEFAULT_TOKENS = 1000
"""What a passage of a paper may have: with it, the built-in model has room for all other parts of a prompt."""
SMALL = 0.25
"""Of the limit. A section below it is put together with its neighbours."""


class Cutting(NamedTuple):
    """How texts are cut: into passages of at most so many tokens (None: DEFAULT_TOKENS, and JSON lines stay whole),
    each but a section's first repeating so many whole sentences of the one before."""

    tokens: int | None = None
    overlap: int = 1

    def limit(self, most: int | None = None) -> int:
        """The characters that a passage may have; no more than `most`, which a later cut would leave."""
        wanted = int((self.tokens or DEFAULT_TOKENS) * CHARS_PER_TOKEN)
        return wanted if most is None else min(wanted, most)


class Piece(NamedTuple):
    """text[start:end] of a paper. `sections` are those that it has parts of, their headings joined by " > ", outermost
    first. `kind` is why there is nothing to ask about in it; None: there may be something."""

    start: int
    end: int
    sections: tuple[str, ...]
    kind: str | None


def pieces(paper: Paper, limit: int, overlap: int) -> Iterator[Piece]:
    """The passages of a paper, in order. None is longer than `limit`, blank or ends in white space; together they hold all
    of the text but white space; what two of them share are whole sentences, at most `overlap`, of one section."""
    joined: list[Piece] = []
    for section in paper.sections:
        words = paper.text[section.start : section.end]
        start, end = section.end - len(words.lstrip()), section.start + len(words.rstrip())
        if start >= end:
            continue
        piece = Piece(start, end, (" > ".join(section.path),) if section.path else (), section.kind)
        before = joined[-1] if joined and joined[-1].kind == piece.kind else None
        if before and end - before.start <= limit and min(before.end - before.start, end - start) < SMALL * limit:
            joined[-1] = before._replace(end=end, sections=(*before.sections, *piece.sections))
        else:
            joined.append(piece)
    for piece in joined:
        for span in _windows(paper.text, Span(piece.start, piece.end), limit, overlap):
            yield piece._replace(start=span.start, end=span.end)


def _windows(text: str, span: Span, limit: int, overlap: int) -> list[Span]:
    """All of a span that is within the limit; of a longer one runs of sentences of about the same length."""
    length = span.end - span.start
    if length <= limit:
        return [span]
    whole = [Span(span.start + one.start, span.start + one.end) for one in split(text[span.start : span.end])]
    sentences = [part for sentence in whole for part in parts(text, sentence, limit)]
    least, found = math.ceil(length / limit), list[Span]()
    # Whole sentences and what is repeated take room: with fewer passages, a short rest might be left over.
    for count in range(least, least + 4):
        found = list(_runs(sentences, {*whole}, length / count, limit, overlap))
        if len(found) <= count:
            break
    return found


def _runs(sentences: list[Span], whole: set[Span], target: float, limit: int, overlap: int) -> Iterator[Span]:
    """Runs of sentences that end where they have `target` new characters, or would have more than `limit` in all."""
    first = begin = 0
    for number, sentence in enumerate(sentences):
        fits = sentence.end - sentences[first].start <= limit
        fresh = sentences[number - 1].end - sentences[begin].start if number > begin else 0
        if number > begin and (not fits or fresh >= target):
            yield Span(sentences[first].start, sentences[number - 1].end)
            first = number
            # As many of those before the new one are repeated as are whole and leave room for it.
            while (
                number - first < overlap
                and first - 1 > begin
                and sentences[first - 1] in whole
                and sentence.end - sentences[first - 1].start <= limit
            ):
                first -= 1
            begin = number
    yield Span(sentences[first].start, sentences[-1].end)
