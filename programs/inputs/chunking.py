"""Cuts long texts into passages at section boundaries, and long sections at the ends of sentences.

1. A section longer than the limit is cut into passages of about equal length. Each is a run of whole sentences that starts
   with the last sentences of the passage before it.
2. A section shorter than a quarter of the limit is joined with its neighbours as long as the result fits. Parts with
   nothing to ask about (references, acknowledgements, ...) are joined only with parts of the same kind.
3. A sentence longer than the limit is cut at punctuation, else between words. A word of half the limit may be cut, too.

The sentences are the ones that evidence refers to (`programs.text.sentences`), so no passage ends at "cf." or "Fig.".
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from programs.inputs.formats.paper import Paper
from programs.text.sentences import Span, split_sentences, split_span

CHARS_PER_TOKEN = 4.0
"""A rule of thumb for English prose; models differ by a fifth. The model's tokenizer is not known here."""
DEFAULT_TOKENS = 1000
"""The maximum for a passage of a paper. It leaves the built-in model room for all other parts of a prompt."""
JOIN_BELOW = 0.25
"""A section shorter than this fraction of the limit is joined with its neighbours."""


class Chunking(NamedTuple):
    """How texts are cut: into passages of at most `tokens` tokens (None: DEFAULT_TOKENS, and JSON lines stay whole). Each
    passage of a section except the first repeats up to `overlap` whole sentences of the one before."""

    tokens: int | None = None
    overlap: int = 1

    def max_chars(self, upper_bound: int | None = None) -> int:
        """The maximum length of a passage in characters; never above `upper_bound`, to which texts would be cut later."""
        wanted = int((self.tokens or DEFAULT_TOKENS) * CHARS_PER_TOKEN)
        return wanted if upper_bound is None else min(wanted, upper_bound)


class Chunk(NamedTuple):
    """A passage: text[start:end] of a paper. `sections` are the sections that it overlaps, each as its headings joined by
    " > ", outermost first. `kind`: why there is nothing to ask about in it; None if there may be something."""

    start: int
    end: int
    sections: tuple[str, ...]
    kind: str | None


def cut_into_passages(paper: Paper, limit: int, overlap: int) -> Iterator[Chunk]:
    """The passages of a paper, in order. None is longer than `limit` characters, blank, or ends in white space. Together
    they cover the text except white space. Two passages share only whole sentences of one section, at most `overlap`."""
    joined: list[Chunk] = []
    for section in paper.sections:
        words = paper.text[section.start : section.end]
        start = section.end - len(words.lstrip())
        end = section.start + len(words.rstrip())
        if start >= end:
            continue
        piece = Chunk(start, end, (" > ".join(section.path),) if section.path else (), section.kind)
        before = joined[-1] if joined and joined[-1].kind == piece.kind else None
        if before and end - before.start <= limit and min(before.end - before.start, end - start) < JOIN_BELOW * limit:
            joined[-1] = before._replace(end=end, sections=(*before.sections, *piece.sections))
        else:
            joined.append(piece)
    for piece in joined:
        for span in _windows(paper.text, Span(piece.start, piece.end), limit, overlap):
            yield piece._replace(start=span.start, end=span.end)


def _windows(text: str, span: Span, limit: int, overlap: int) -> list[Span]:
    """The span itself if it is within the limit, else runs of sentences of about equal length."""
    length = span.end - span.start
    if length <= limit:
        return [span]
    whole = [Span(span.start + s.start, span.start + s.end) for s in split_sentences(text[span.start : span.end])]
    sentences = [part for sentence in whole for part in split_span(text, sentence, limit)]
    min_count = math.ceil(length / limit)
    runs = list[Span]()
    # Sentence ends and overlap cost room: with the fewest passages, a short rest may be left over.
    for count in range(min_count, min_count + 4):
        runs = list(_runs(sentences, {*whole}, length / count, limit, overlap))
        if len(runs) <= count:
            break
    return runs


def _runs(sentences: list[Span], whole: set[Span], target: float, limit: int, overlap: int) -> Iterator[Span]:
    """Runs of sentences, each ended when it has `target` new characters or the next sentence would exceed `limit`."""
    first = first_new = 0
    for number, sentence in enumerate(sentences):
        fits = sentence.end - sentences[first].start <= limit
        new_chars = sentences[number - 1].end - sentences[first_new].start if number > first_new else 0
        if number > first_new and (not fits or new_chars >= target):
            yield Span(sentences[first].start, sentences[number - 1].end)
            first = number
            # Repeat up to `overlap` earlier sentences, as long as they are whole and leave room for the new one.
            while (
                number - first < overlap
                and first - 1 > first_new
                and sentences[first - 1] in whole
                and sentence.end - sentences[first - 1].start <= limit
            ):
                first -= 1
            first_new = number
    yield Span(sentences[first].start, sentences[-1].end)
