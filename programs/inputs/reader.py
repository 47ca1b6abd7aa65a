"""Reads samples from the lines, rows and documents of all inputs: cuts them into passages and drops duplicates."""

from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs.errors import RunStopped, UserError
from programs.inputs.archives import read_chunks
from programs.inputs.chunking import Chunking, cut_into_passages
from programs.inputs.formats import ending_of, format_of, reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import split_into_sections
from programs.inputs.jsonl import TEXT_FIELD, parse_object, read_lines, sample_of_record
from programs.inputs.papers import arxiv_of_name
from programs.inputs.prefilter import prefilter as prefiltered
from programs.inputs.process import ReaderProcess
from programs.inputs.report import ReadReport, SkipReason, Unreadable
from programs.inputs.sample import Excerpt, Place, Sample, bytes_id, content_id, sample_of
from programs.inputs.sources import Source, find_sources
from programs.text.sentences import cut_at_sentence

MAX_DOCUMENT_BYTES = 256 * 2**20  # after decompression

_Entry = bytes | dict[str, Any] | SkipReason
"""The bytes of a line, the values of a row, or why there are none."""


def read_samples(patterns: Sequence[str], *, max_chars: int | None, report: ReadReport, **how: Any) -> Iterator[Sample]:
    """The samples of all inputs that the patterns name, lazily, as read by a `SampleReader` with these options. Raises
    UserError at once, not at the first sample, if files are missing or cannot be read."""
    return SampleReader(max_chars=max_chars, report=report, **how).samples(find_sources(patterns))


def read_paper(path: Path) -> Paper:
    """Reads a document from its file, for research code. The passage of an `Excerpt` is `text[start:end]` of the result.
    Raises `UserError` if the file cannot be read, and `Unreadable` if it yields no text."""
    format = format_of(path)
    if format is None or format.kind != "document":
        raise UserError(f"{path} is not a document of a supported type")
    return _with_arxiv_of_name(reader_of(ending_of(path))(_read_bytes(path)), path)


@dataclass(kw_only=True)
class SampleReader:
    """Reads inputs, decides which of their texts become samples, and counts them in `report` while samples are drawn.

    Papers and the texts of tables are cut into passages according to `cutting`, none longer than `max_chars` characters
    (None: no limit); texts of JSON lines only if `cutting` sets a limit. A text that is still too long is cut at the end of
    a sentence; its id stays that of the uncut text. Lines whose `line_id` is in `done`, and texts whose passages are all in
    it, are skipped without parsing. `prefilter` removes parts with nothing to ask about.
    Memory: one line or document, and about 70 bytes per sample to recognise duplicates.
    """

    max_chars: int | None
    report: ReadReport
    done: Container[str] = frozenset()
    prefilter: bool = False
    cutting: Chunking = Chunking()  # noqa: RUF009
    text_field: str = TEXT_FIELD
    _seen: set[int] = field(default_factory=set)
    _process: ReaderProcess = field(default_factory=ReaderProcess)

    def samples(self, inputs: Sequence[Source]) -> Iterator[Sample]:
        """The samples of these inputs, lazily, without duplicate texts. Raises `RunStopped` once the reader is closed."""
        with closing(self):
            for source in inputs:
                for sample in self._read_source(source):
                    if self.max_chars is not None and len(sample.text) > self.max_chars:
                        self.report.cut += 1
                        text = cut_at_sentence(sample.text, self.max_chars)
                        sample = sample.model_copy(update={"text": text, "cut_from": len(sample.text)})
                    yield sample

    def close(self) -> None:
        """Stops reading; callable from any thread."""
        self._process.close()

    def _check_open(self) -> None:
        # Checked for each line, as there may be millions between two samples.
        if self._process.closed:
            raise RunStopped

    def _read_source(self, source: Source) -> Iterator[Sample]:
        self._check_open()
        number = 0
        try:
            if source.kind in ("own", "unknown"):
                raise Unreadable(SkipReason.OUR_OWN if source.kind == "own" else SkipReason.UNKNOWN_KIND)
            self.report.files += 1
            if source.kind == "document" and isinstance(source.name, Path):
                yield from self._read_document(source.name, Place(file=source.display_name, line=1))
                return
            cut = source.kind != "lines" or self.cutting.tokens is not None
            limit = self.cutting.max_chars(self.max_chars) if cut else None
            for number, (digest, entry) in enumerate(self._entries(source), start=1):
                self._check_open()
                place = Place(file=source.display_name, line=number)
                try:
                    yield from self._read_entry(digest, entry, place, limit)
                except Unreadable as problem:
                    self.report.skip(problem, place)
        except Unreadable as problem:
            self.report.skip(problem, Place(file=source.display_name, line=number + 1))

    def _entries(self, source: Source) -> Iterator[tuple[str, _Entry]]:
        """Each line or row with its hash. Raises `Unreadable` if the source ends too early."""
        if source.kind == "lines":
            for line in read_lines(Path(str(source.name))):
                yield bytes_id(line or b""), SkipReason.LINE_TOO_LONG if line is None else line
        else:
            for row in self._process.rows(source.name, self.text_field):
                yield row.digest, row.record

    def _read_entry(self, digest: str, entry: _Entry, place: Place, limit: int | None) -> Iterator[Sample]:
        """The samples of a line or row: none if it is blank or done, its text, or the passages of a longer text."""
        if self._count_if_done(digest, limit):
            return
        if isinstance(entry, SkipReason):
            raise Unreadable(entry)
        record = parse_object(entry) if isinstance(entry, bytes) else entry
        if record is None:
            self.report.lines += 1
            self.report.blank += 1
            return
        sample = sample_of_record(record, place, digest, self.text_field)
        if limit is not None and len(sample.text) > limit:
            yield from self._read_passages(sample, split_into_sections(sample.text), limit, numbered=False)
        else:
            yield self.report.count_sample(self._accept(sample))

    def _read_document(self, path: Path, place: Place) -> Iterator[Sample]:
        try:
            data = _read_bytes(path)
        except UserError as error:
            raise Unreadable(SkipReason.NOT_PERMITTED) from error
        limit, digest = self.cutting.max_chars(self.max_chars), bytes_id(data)
        if self._count_if_done(digest, limit):
            return
        paper = _with_arxiv_of_name(self._process.read_paper(ending_of(path), data), path)
        whole = sample_of(paper.text, title=paper.title, domain=paper.domain, place=place, line_id=digest)
        yield from self._read_passages(whole.model_copy(update={"extra": paper.fields}), paper, limit, numbered=True)

    def _read_passages(self, whole: Sample, paper: Paper, limit: int, *, numbered: bool) -> Iterator[Sample]:
        """`whole` holds what all passages have in common. `numbered`: the place of a passage is its number in the paper."""
        document = content_id(paper.text)
        self.report.documents += 1
        accepted: list[Sample] = []
        for number, piece in enumerate(cut_into_passages(paper, limit, self.cutting.overlap), start=1):
            self.report.passages += 1
            text = paper.text[piece.start : piece.end]
            excerpt = Excerpt(document=document, sections=piece.sections, start=piece.start, end=piece.end)
            place = Place(file=whole.place.file, line=number) if numbered else whole.place
            update = {"id": content_id(text), "text": text, "excerpt": excerpt, "place": place}
            try:
                accepted.append(self._accept(whole.model_copy(update=update), piece.kind))
            except Unreadable as problem:
                self.report.skip(problem, place)
        for number, passage in enumerate(accepted, start=1):
            line_id = self._passage_id(whole.line_id, limit, number, last=number == len(accepted))
            yield self.report.count_sample(passage.model_copy(update={"line_id": line_id}))

    def _count_if_done(self, digest: str, limit: int | None) -> bool:
        """Whether earlier runs finished all samples of the line, row or document with this digest; if so, counts them."""
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
        """The line id of a passage: a hash of the whole text's hash, of all options that decide which passages are kept,
        and of its number, counted from 1 among these. Three passages hash DIGEST/.../1, DIGEST/.../2 and DIGEST/.../3/last,
        so that `_count_if_done` can tell from ids alone that all are done."""
        # The ids in existing journals were made with this "None".
        key = f"{digest}/{limit}/{self.cutting.overlap}/None/{self.prefilter}"
        return bytes_id(f"{key}/{number}{'/last' if last else ''}".encode())

    def _accept(self, sample: Sample, kind: str | None = None) -> Sample:
        """The sample, prefiltered if that is enabled, and remembered. Raises `Unreadable` for a duplicate, and, if
        prefiltering, when there is nothing to ask about (always so for a part with a `kind`)."""
        if self.prefilter:
            filtered = prefiltered(sample.text)
            if (reason := kind or filtered.why_nothing) is not None:
                raise Unreadable(SkipReason.NOTHING_TO_ASK, reason)
            sample = sample.model_copy(update={**filtered._asdict(), "id": content_id(filtered.text)})
        identity = int(sample.id, 16)
        if identity in self._seen:
            raise Unreadable(SkipReason.DUPLICATE)
        self._seen.add(identity)
        return sample


def _read_bytes(path: Path) -> bytes:
    """The decompressed bytes of a document. Raises what `read_chunks` raises, and `Unreadable` if it is too large."""
    data = bytearray()
    for chunk in read_chunks(path):
        data += chunk
        if len(data) > MAX_DOCUMENT_BYTES:
            raise Unreadable(SkipReason.FILE_TOO_LARGE)
    return bytes(data)


def _with_arxiv_of_name(paper: Paper, path: Path) -> Paper:
    """The paper with the arXiv identifier in its file name, unless it already has an identifier."""
    arxiv = arxiv_of_name(path.name)
    if arxiv is None or {"doi", "arxiv", "arxiv_id", "eprint"} & paper.fields.keys():
        return paper
    return paper.model_copy(update={"fields": {**paper.fields, "arxiv_id": arxiv}})
