"""Samples of a whole input: each source's lines, rows or document, cut into passages, each text once, none too long."""

from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs.errors import RunStopped, UserError
from programs.inputs.archives import read_chunks
from programs.inputs.cutting import Cutting, pieces
from programs.inputs.formats import ending_of, format_of, reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import sectioned
from programs.inputs.jsonl import TEXT_FIELD, parse_object, read_lines, sample_of_record
from programs.inputs.papers import arxiv_of_name
from programs.inputs.prefilter import prefilter as prefiltered
from programs.inputs.process import ReaderProcess
from programs.inputs.report import ReadReport, Skip, Unreadable
from programs.inputs.sample import Excerpt, Place, Sample, bytes_id, content_id, sample_of
from programs.inputs.sources import Source, sources
from programs.text.sentences import cut_at_sentence

LARGEST = 256 * 2**20
"""Bytes of a document, unpacked."""

_Entry = bytes | dict[str, Any] | Skip
"""A line's bytes, a row's values, or why there is neither."""


def read_samples(patterns: Sequence[str], *, max_chars: int | None, report: ReadReport, **how: Any) -> Iterator[Sample]:
    """The samples of all inputs that the patterns mean, lazily, as a `SampleReader` with these options gives them. Raises
    UserError at once, not at the first sample, for files that are missing or cannot be read."""
    return SampleReader(max_chars=max_chars, report=report, **how).samples(sources(patterns))


def read_paper(path: Path) -> Paper:
    """A document as it is read from its file, for research code: a passage is `text[start:end]` of it. Raises `UserError`
    where the file cannot be read, and `Unreadable` where it gives no text."""
    format = format_of(path)
    if format is None or format.kind != "document":
        raise UserError(f"{path} is no document of a kind that is read")
    return _named(reader_of(ending_of(path))(_bytes(path)), path)


@dataclass(kw_only=True)
class SampleReader:
    """Reads inputs, decides about each of their texts, and counts it in `report` while samples are drawn.

    Papers, and the texts of tables, are cut into passages as `cutting` says, none longer than `max_chars` characters (None:
    no limit); a JSON line's text only where `cutting` names a limit. A text that is longer than `max_chars` all the same is
    cut at the end of a sentence; its id stays that of the uncut text. Lines, and documents of which all passages are in
    `done` by their `line_id`, are passed over unread. `prefilter` leaves out what there is nothing to ask about.
    Memory: one line or document, and some 70 bytes a sample to know duplicates by.
    """

    max_chars: int | None
    report: ReadReport
    done: Container[str] = frozenset()
    prefilter: bool = False
    cutting: Cutting = Cutting()  # noqa: RUF009
    text_field: str = TEXT_FIELD
    _seen: set[int] = field(default_factory=set)
    _process: ReaderProcess = field(default_factory=ReaderProcess)

    def samples(self, inputs: Sequence[Source]) -> Iterator[Sample]:
        """The samples of these inputs, lazily, each text once over all of them. Raises `RunStopped` once it was closed."""
        with closing(self):
            for source in inputs:
                for sample in self._of_source(source):
                    if self.max_chars is not None and len(sample.text) > self.max_chars:
                        self.report.cut += 1
                        text = cut_at_sentence(sample.text, self.max_chars)
                        sample = sample.model_copy(update={"text": text, "cut_from": len(sample.text)})
                    yield sample

    def close(self) -> None:
        """Ends the reading, from whatever thread."""
        self._process.close()

    def _go_on(self) -> None:
        # Between two samples there may be millions of lines.
        if self._process.closed:
            raise RunStopped

    def _of_source(self, source: Source) -> Iterator[Sample]:
        self._go_on()
        place = Place(file=source.shown, line=1)
        try:
            if source.kind in ("own", "unknown"):
                raise Unreadable(Skip.OUR_OWN if source.kind == "own" else Skip.UNKNOWN_KIND)
            self.report.files += 1
            if source.kind == "document" and isinstance(source.name, Path):
                yield from self._document(source.name, place)
                return
            cut = source.kind != "lines" or self.cutting.tokens is not None
            limit = self.cutting.limit(self.max_chars) if cut else None
            for number, (digest, entry, torn) in enumerate(self._entries(source), start=1):
                self._go_on()
                place = Place(file=source.shown, line=number)
                try:
                    yield from self._entry(digest, entry, place, limit)
                except Unreadable as problem:
                    # What is wrong with half a line is not counted.
                    if not torn:
                        self.report.skip(problem, place)
        except Unreadable as problem:
            self.report.skip(problem, place)

    def _entries(self, source: Source) -> Iterator[tuple[str, _Entry, bool]]:
        """Each line or row with its hash, and whether it is torn. Raises `Unreadable` where the source ends too early."""
        if source.kind == "lines":
            for line in read_lines(Path(str(source.name))):
                yield bytes_id(line.data or b""), Skip.LINE_TOO_LONG if line.data is None else line.data, line.torn
        else:
            for row in self._process.rows(source.name, self.text_field):
                yield row.digest, row.record, False

    def _entry(self, digest: str, entry: _Entry, place: Place, limit: int | None) -> Iterator[Sample]:
        """What a line or row gives: nothing if it is blank, its text, or the passages of one longer than the limit."""
        if self._known(digest, limit):
            return
        if isinstance(entry, Skip):
            raise Unreadable(entry)
        record = parse_object(entry) if isinstance(entry, bytes) else entry
        if record is None:
            self.report.lines += 1
            self.report.blank += 1
            return
        sample = sample_of_record(record, place, digest, self.text_field)
        if limit is not None and len(sample.text) > limit:
            yield from self._passages(sample, sectioned(sample.text), limit, numbered=False)
        else:
            yield self.report.take(self._checked(sample))

    def _document(self, path: Path, place: Place) -> Iterator[Sample]:
        try:
            data = _bytes(path)
        except UserError as error:
            raise Unreadable(Skip.NOT_PERMITTED) from error
        limit, digest = self.cutting.limit(self.max_chars), bytes_id(data)
        if self._known(digest, limit):
            return
        paper = _named(self._process.paper(ending_of(path), data), path)
        whole = sample_of(paper.text, title=paper.title, domain=paper.domain, place=place, line_id=digest)
        yield from self._passages(whole.model_copy(update={"extra": paper.fields}), paper, limit, numbered=True)

    def _passages(self, whole: Sample, paper: Paper, limit: int, *, numbered: bool) -> Iterator[Sample]:
        """`whole` says what all passages have in common; `numbered`: the place of each is its number in the paper."""
        document = content_id(paper.text)
        self.report.documents += 1
        taken: list[Sample] = []
        for number, piece in enumerate(pieces(paper, limit, self.cutting.overlap), start=1):
            self.report.passages += 1
            text = paper.text[piece.start : piece.end]
            excerpt = Excerpt(document=document, sections=piece.sections, start=piece.start, end=piece.end)
            place = Place(file=whole.place.file, line=number) if numbered else whole.place
            about = {"id": content_id(text), "text": text, "excerpt": excerpt, "place": place}
            try:
                taken.append(self._checked(whole.model_copy(update=about), piece.kind))
            except Unreadable as problem:
                self.report.skip(problem, place)
        for number, passage in enumerate(taken, start=1):
            line_id = self._passage_id(whole.line_id, limit, number, last=number == len(taken))
            yield self.report.take(passage.model_copy(update={"line_id": line_id}))

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
        """The line id of a passage, counted from 1 among those of its text that are taken: the hash of the text's own hash,
        of all that decides what is taken of it, and of the number. Of three, they are those of DIGEST/.../1, DIGEST/.../2
        and DIGEST/.../3/last: so `_known` can tell from ids alone that all were done."""
        # "None" is part of the ids in every journal.
        key = f"{digest}/{limit}/{self.cutting.overlap}/None/{self.prefilter}"
        return bytes_id(f"{key}/{number}{'/last' if last else ''}".encode())

    def _checked(self, sample: Sample, kind: str | None = None) -> Sample:
        """The text without what the prefilter leaves out. Raises `Unreadable` where there is nothing to ask about (in a
        part of this `kind`), and where it was taken before."""
        if self.prefilter:
            found = prefiltered(sample.text)
            if (nothing := kind or found.why_nothing) is not None:
                raise Unreadable(Skip.NOTHING_TO_ASK, nothing)
            sample = sample.model_copy(update={**found._asdict(), "id": content_id(found.text)})
        number = int(sample.id, 16)
        if number in self._seen:
            raise Unreadable(Skip.DUPLICATE)
        self._seen.add(number)
        return sample


def _bytes(path: Path) -> bytes:
    """The bytes of a document, unpacked. Raises what `read_chunks` raises, and `Unreadable` for too many."""
    data = bytearray()
    for chunk in read_chunks(path, any_kind=True):
        data += chunk
        if len(data) > LARGEST:
            raise Unreadable(Skip.FILE_TOO_LARGE)
    return bytes(data)


def _named(paper: Paper, path: Path) -> Paper:
    """The paper with what its file's name says of it."""
    arxiv = arxiv_of_name(path.name)
    if arxiv is None or {"doi", "arxiv", "arxiv_id", "eprint"} & paper.fields.keys():
        return paper
    return paper.model_copy(update={"fields": {**paper.fields, "arxiv_id": arxiv}})
