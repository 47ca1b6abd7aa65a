"""Samples of a whole input: each source's lines, rows or document, cut into passages, each text once, none too long."""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from programs.errors import UserError
from programs.inputs.archives import read_chunks
from programs.inputs.cleaning import portable
from programs.inputs.cutting import Cutting, pieces
from programs.inputs.formats import ending_of, format_of, reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.rows import HubName, hub_rows, parquet_rows
from programs.inputs.formats.text import sectioned
from programs.inputs.jsonl import TEXT_FIELD, parse_object, read_lines, sample_of_record
from programs.inputs.papers import arxiv_of_name
from programs.inputs.prefilter import prefilter as prefiltered
from programs.inputs.process import ReaderProcess
from programs.inputs.report import ReadReport, Skip, Unreadable
from programs.inputs.sample import Excerpt, Place, Sample, bytes_id, content_id, sample_of
from programs.inputs.shard import Shard
from programs.inputs.sources import Source, sources
from programs.text.sentences import cut_at_sentence

LARGEST = 256 * 2**20
"""Bytes of a document, unpacked."""

# Files joined with `cat` carry the byte order mark of the second one within; files that a crash left half written
# are filled with NULs.
_PADDING = b" \t\r\0"

_Decision = Sample | tuple[Skip, str] | None
"""A text as it is taken, why it is not, or None for one of another shard."""


def read_samples(patterns: Sequence[str], *, max_chars: int | None, report: ReadReport, **how: Any) -> Iterator[Sample]:
    """The samples of all inputs that the patterns mean, lazily, each text once over the whole input: those of
    `step_samples`, which names the options."""
    return (
        sample for sample in step_samples(patterns, max_chars=max_chars, report=report, **how) if sample is not None
    )


def step_samples(
    patterns: Sequence[str],
    *,
    max_chars: int | None,
    report: ReadReport,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
    cutting: Cutting = Cutting(),  # noqa: B008
    text_field: str = TEXT_FIELD,
) -> Iterator[Sample | None]:
    """The samples of all inputs that the patterns mean, lazily, each text once over the whole input, with a None for every
    line that gives none, and many while a document is being read: between two samples there may be millions of lines,
    during which a reader can look up.

    Papers, and the texts of tables, are cut into passages as `cutting` says, none longer than `max_chars` characters (None:
    no limit); a JSON line's text only where `cutting` names a limit. A text that is longer than `max_chars` all the same is
    cut at the end of a sentence; its id stays that of the uncut text. Lines, and documents of which all passages are in
    `done` by their `line_id`, are passed over unread; texts that are not of `shard` (None: all are) are passed over.
    `prefilter` leaves out what there is nothing to ask about. `text_field` names the text of JSON lines and tables.
    `report` counts while samples are drawn.
    Memory: one line or document, and 16 to 32 bytes a sample to know duplicates by (17 MB for 1,000,000).
    Raises UserError at once, not at the first sample, for files that are missing or cannot be read.
    """
    found = sources(patterns)
    return _Reader(max_chars, report, done, shard, prefilter, cutting, text_field).samples(found)


def read_paper(path: Path) -> Paper:
    """A document as it is read from its file, for research code: a passage is `text[start:end]` of it.

    Raises `UserError` where the file cannot be read, and `Unreadable` where it gives no text.
    """
    if format_of(path) is None:
        raise UserError(f"{path} is no document of a kind that is read")
    return _named(reader_of(ending_of(path))(_bytes(path)), path)


class _Entry(NamedTuple):
    """A line or row: where it stands, the hash of its bytes, its bytes or values (None: it is too long, or nested too deep
    to be hashed), and whether it is the torn end of a damaged archive."""

    place: Place
    digest: str
    value: bytes | dict[str, Any] | None
    torn: bool = False


@dataclass
class _Reader:
    """Reads sources, decides about each of their texts, and counts it. Its options are those of `step_samples`."""

    max_chars: int | None
    report: ReadReport
    done: Container[str]
    shard: Shard | None
    prefilter: bool
    cutting: Cutting
    text_field: str
    seen: _Seen = field(default_factory=lambda: _Seen())

    def samples(self, inputs: Sequence[Source]) -> Iterator[Sample | None]:
        with closing(ReaderProcess()) as process:
            for source in inputs:
                for sample in self._of_source(source, process):
                    if sample is not None and self.max_chars is not None and len(sample.text) > self.max_chars:
                        self.report.cut += 1
                        text = cut_at_sentence(sample.text, self.max_chars)
                        sample = sample.model_copy(update={"text": text, "cut_from": len(sample.text)})
                    yield sample

    def _of_source(self, source: Source, process: ReaderProcess) -> Iterator[Sample | None]:
        place = Place(file=source.shown, line=1)
        try:
            if source.kind in ("own", "unknown"):
                raise Unreadable(Skip.OUR_OWN if source.kind == "own" else Skip.UNKNOWN_KIND)
            self.report.files += 1
            if source.kind == "document" and isinstance(source.name, Path):
                yield from self._document(source.name, place, process)
                return
            for entry in self._entries(source):
                place = entry.place
                yield from self._entry(entry, cut=source.kind != "lines" or self.cutting.tokens is not None)
        except Unreadable as problem:
            self.report.skip(problem.reason, place)
            yield None

    def _entries(self, source: Source) -> Iterator[_Entry]:
        """The lines or rows of a source. Raises `Unreadable` where it cannot be read on."""
        if isinstance(source.name, Path) and source.kind == "lines":
            for raw in read_lines(source.name):
                digest = "" if raw.data is None else bytes_id(raw.data)
                yield _Entry(Place(file=source.shown, line=raw.number), digest, raw.data, raw.torn)
            return
        rows = hub_rows(source.name) if isinstance(source.name, HubName) else parquet_rows(source.name)
        for number, row in enumerate(rows, start=1):
            place, text = Place(file=source.shown, line=number), row.get(self.text_field)
            try:
                record = portable(row)
            except RecursionError:
                yield _Entry(place, "", None)
                continue
            digest = bytes_id(orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
            # A text in bytes is no value for JSON, but may be one.
            yield _Entry(place, digest, {**record, self.text_field: text} if isinstance(text, bytes) else record)

    def _entry(self, entry: _Entry, *, cut: bool) -> Iterator[Sample | None]:
        """What a line or row gives: its text, or the passages of a longer one, with a None for each that is not taken."""
        limit = self.cutting.limit(self.max_chars) if cut else None
        if self._known(entry.digest, limit):
            yield None
            return
        try:
            sample = self._sample(entry)
        except Unreadable as problem:
            # What is wrong with half a line is not counted.
            yield None if entry.torn else self._counted((problem.reason, ""), entry.place)
            return
        if sample is None:
            self.report.lines += 1
            self.report.blank += 1
            yield None
        elif limit is not None and len(sample.text) > limit:
            yield from self._passages(sample, sectioned(sample.text), limit, numbered=False)
        else:
            taken = self._decided(sample, None)
            yield None if entry.torn and isinstance(taken, tuple) else self._counted(taken, entry.place)

    def _sample(self, entry: _Entry) -> Sample | None:
        """None for a blank line. Raises `Unreadable`."""
        record = entry.value
        if isinstance(record, bytes):
            data = record.removeprefix(codecs.BOM_UTF8).strip(_PADDING)
            if not data:
                return None
            record = parse_object(data)
        if record is None:
            raise Unreadable(Skip.LINE_TOO_LONG)
        return sample_of_record(record, entry.place, entry.digest, self.text_field)

    def _document(self, path: Path, place: Place, process: ReaderProcess) -> Iterator[Sample | None]:
        """The passages of a document, with a None for each that is not taken, and now and then while it is being read.
        Raises `Unreadable`."""
        try:
            data = _bytes(path)
        except UserError as error:
            raise Unreadable(Skip.NOT_PERMITTED) from error
        limit, digest = self.cutting.limit(self.max_chars), bytes_id(data)
        if self._known(digest, limit):
            yield None
            return
        for found in process.steps(ending_of(path), data):
            if found is None:
                yield None
                continue
            paper = _named(found, path)
            said: dict[str, Any] = {"title": paper.title, "domain": paper.domain, "extra": paper.fields}
            whole = sample_of(paper.text, place=place, line_id=digest, **said)
            yield from self._passages(whole, paper, limit, numbered=True)

    def _passages(self, whole: Sample, paper: Paper, limit: int, *, numbered: bool) -> Iterator[Sample | None]:
        """The passages of a text, with a None for each that is not taken. `whole` says all of them in common; `numbered`:
        the place of each is its number in the paper."""
        cut = list(pieces(paper, limit, self.cutting.overlap))
        self.report.documents += 1
        self.report.passages += len(cut)
        document = content_id(paper.text)
        decided: list[_Decision] = []
        for piece in cut:
            text = paper.text[piece.start : piece.end]
            excerpt = Excerpt(document=document, sections=piece.sections, start=piece.start, end=piece.end)
            passage = whole.model_copy(update={"id": content_id(text), "text": text, "excerpt": excerpt})
            decided.append(self._decided(passage, piece.kind))
        count, taken = sum(isinstance(what, Sample) for what in decided), 0
        for number, what in enumerate(decided, start=1):
            place = whole.place.model_copy(update={"line": number}) if numbered else whole.place
            if isinstance(what, Sample):
                taken += 1
                line_id = self._passage_id(whole.line_id, limit, taken, last=taken == count)
                what = what.model_copy(update={"place": place, "line_id": line_id})
            yield self._counted(what, place)

    def _known(self, digest: str, limit: int | None) -> bool:
        """Whether an earlier run had finished with all that these bytes gave; then they are counted."""
        number = 1
        if digest not in self.done:
            while limit is not None and self._passage_id(digest, limit, number, last=False) in self.done:
                number += 1
            if limit is None or self._passage_id(digest, limit, number, last=True) not in self.done:
                return False
            self.report.documents += 1
            self.report.passages += number
        self.report.lines += number
        self.report.done += number
        return True

    def _passage_id(self, digest: str, limit: int, number: int, *, last: bool) -> str:
        """The line id of a passage, counted from 1 among those of its text that are taken: of the text's bytes and all that
        decides what is taken of it. The last one's says that it is that."""
        key = f"{digest}/{limit}/{self.cutting.overlap}/{self.shard}/{self.prefilter}"
        return bytes_id(f"{key}/{number}{'/last' if last else ''}".encode())

    def _decided(self, sample: Sample, kind: str | None) -> _Decision:
        """Counts nothing."""
        nothing: str | None = None
        if self.prefilter:
            found = prefiltered(sample.text)
            nothing = kind or found.why_nothing
            # A text of which nothing is left is of the shard of the whole.
            if nothing is None:
                changed = {"id": content_id(found.text), "text": found.text, "removed": found.removed}
                sample = sample.model_copy(update=changed)
        if self.shard is not None and not self.shard.holds(sample.id):
            return None
        if nothing is not None:
            return Skip.NOTHING_TO_ASK, nothing
        return sample if self.seen.add(int(sample.id, 16)) else (Skip.DUPLICATE, "")

    def _counted(self, what: _Decision, place: Place) -> Sample | None:
        """Counts what was decided about a text."""
        if isinstance(what, Sample):
            self.report.take(what.removed)
            return what
        if what is None:
            self.report.lines += 1
            self.report.other_shards += 1
        else:
            reason, detail = what
            self.report.skip(reason, place, detail)
        return None


class _Seen:
    """The ids met so far, in an open-addressing table: 16 to 32 bytes each, a quarter of what a set takes. The numbers must
    be spread evenly, as hashes are: their low bits choose the slot. 0 marks an empty one and is kept as 1."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, number: int) -> bool:
        """Adds a number from 0 to 2**64 - 1; False if it was there."""
        slots, number = self._slots, number or 1
        slot = number & (len(slots) - 1)
        while slots[slot] not in (0, number):
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] == number:
            return False
        slots[slot] = number
        self._count += 1
        if 2 * self._count > len(slots):
            self._slots, self._count = array("Q", bytes(16 * len(slots))), 0
            for held in filter(None, slots):
                self.add(held)
        return True


def _bytes(path: Path) -> bytes:
    """The bytes of a document, unpacked. Raises what `read_chunks` raises, and `Unreadable` for too many."""
    format, data = format_of(path), bytearray()
    for chunk in read_chunks(path, any_text=True, packed=format is not None and format.is_text):
        data += chunk
        if len(data) > LARGEST:
            raise Unreadable(Skip.FILE_TOO_LARGE)
    return bytes(data)


def _named(paper: Paper, path: Path) -> Paper:
    """The paper with what its file's name says of it."""
    stem = path.name[: -len("".join(path.suffixes[-2:]))] if ending_of(path) != path.suffix.lower() else path.stem
    arxiv = arxiv_of_name(stem)
    if arxiv is None or any(name in paper.fields for name in ("doi", "arxiv", "arxiv_id", "eprint")):
        return paper
    return paper.model_copy(update={"fields": {**paper.fields, "arxiv_id": arxiv}})
