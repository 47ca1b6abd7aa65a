"""Decides about texts as they are read: cut, of this shard, with something to ask about, new. Counts each."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from copy import copy

from programs.inputs.cutting import Cutting, Piece, pieces
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import sectioned
from programs.inputs.parsing import BadLine
from programs.inputs.prefilter import prefilter as prefiltered
from programs.inputs.report import DUPLICATE, NOTHING_TO_ASK, ReadReport
from programs.inputs.sample import Excerpt, Place, Sample, bytes_id, content_id
from programs.inputs.seen import Seen
from programs.inputs.shard import Shard

_OTHER_SHARD = "of another shard"


class SampleFilter:
    """Counts in `report`. `done` holds line ids that an earlier run had finished with; texts that are not of
    `shard` are not taken, and each is taken once; with `prefilter`, what there is nothing to ask about is left out. Texts
    beyond a limit, where there is one, are cut with so many sentences of `overlap`."""

    def __init__(
        self,
        report: ReadReport,
        *,
        done: Container[str] = frozenset(),
        shard: Shard | None = None,
        prefilter: bool = False,
        overlap: int = Cutting().overlap,
    ) -> None:
        self.report = report
        self._seen = Seen()
        self._done = done
        self._shard = shard
        self._prefilter = prefilter
        self._limit: int | None = None
        self._overlap = overlap

    def with_limit(self, limit: int | None) -> SampleFilter:
        """The same with another limit of characters (None: none), counting into the same report."""
        other = copy(self)
        other._limit = limit
        return other

    def known(self, digest: str) -> bool:
        """Whether an earlier run had finished with all that these bytes (`bytes_id`) gave; then they are counted."""
        number = 1 if digest in self._done else None
        if number is None and self._limit is not None:
            number = all_done(self._key(digest), self._done)
            self.report.documents += number is not None
            self.report.passages += number or 0
        self.report.lines += number or 0
        self.report.done += number or 0
        return number is not None

    def record(self, make: Callable[[], Sample | None], place: Place, *, torn: bool = False) -> Iterator[Sample | None]:
        """What a line or row gives: its text, or the passages of a longer one, with a None for each that is not taken.
        `make` raises `BadLine` where it holds none; None is a blank line. What is wrong with half a line is not counted."""
        try:
            sample = make()
        except BadLine as problem:
            if not torn:
                self.skip(str(problem), place)
            yield None
            return
        if sample is None:
            self.report.lines += 1
            self.report.blank += 1
            yield None
        elif self._limit is not None and len(sample.text) > self._limit:
            yield from self.paper(sample, sectioned(sample.text), numbered=False)
        else:
            yield self._counted(self._decided(sample, None), place, torn=torn)

    def paper(self, whole: Sample, paper: Paper, *, numbered: bool = True) -> Iterator[Sample | None]:
        """The passages of a paper, with a None for each that is not taken. `whole` says all of them in common;
        `numbered`: the place of each is its number in the paper."""
        cut = list(pieces(paper, self._limit or len(paper.text), self._overlap))
        self.report.documents += 1
        self.report.passages += len(cut)
        decided = [
            self._decided(passage, piece.kind)
            for piece, passage in zip(cut, passages_of(whole, paper, cut), strict=True)
        ]
        count = sum(isinstance(what, Sample) for what in decided)
        taken = 0
        for number, what in enumerate(decided, start=1):
            place = Place(file=whole.place.file, line=number) if numbered else whole.place
            if isinstance(what, Sample):
                taken += 1
                line_id = passage_key(self._key(whole.line_id), taken, last=taken == count)
                what = what.model_copy(update={"place": place, "line_id": line_id})
            yield self._counted(what, place)

    def skip(self, reason: str, place: Place) -> None:
        """Counts a line, row, passage or document that gives nothing."""
        self.report.lines += 1
        self.report.skip(reason, place)

    def _key(self, digest: str) -> str:
        """The name of some bytes and of all that decides which passages are taken of them."""
        return f"{digest}/{self._limit}/{self._overlap}/{self._shard}/{self._prefilter}"

    def _decided(self, sample: Sample, kind: str | None) -> Sample | str:
        """A text as it is taken, or why it is not. Counts nothing."""
        why, filtered = self._filtered(sample, kind)
        # A text of which nothing is left is of the shard of the whole.
        sample = filtered or sample
        if self._shard is not None and not self._shard.holds(sample.id):
            return _OTHER_SHARD
        if why is None and not self._seen.add(int(sample.id, 16)):
            return DUPLICATE
        return why or sample

    def _counted(self, what: Sample | str, place: Place, *, torn: bool = False) -> Sample | None:
        """Counts what was decided about a text."""
        if isinstance(what, str):
            if what == _OTHER_SHARD:
                self.report.lines += 1
                self.report.other_shards += 1
            elif not torn:
                self.skip(what, place)
            return None
        self.report.lines += 1
        self.report.samples += 1
        self.report.trim(what.removed)
        return what

    def _filtered(self, sample: Sample, kind: str | None) -> tuple[str | None, Sample | None]:
        """Why there is nothing to ask about a text, or the text without what there is nothing to ask about."""
        if not self._prefilter:
            return None, sample
        if kind is not None:
            return f"{NOTHING_TO_ASK}{kind}", None
        found = prefiltered(sample.text)
        if found.why_nothing is not None:
            return f"{NOTHING_TO_ASK}{found.why_nothing}", None
        changed = {"id": content_id(found.text), "text": found.text, "removed": found.removed}
        return None, sample.model_copy(update=changed)


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
