"""Samples of one document: its passages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from programs.errors import UserError
from programs.inputs.archives import DamagedArchive, TruncatedArchive, read_chunks
from programs.inputs.formats.marks import arxiv_of_name
from programs.inputs.formats.paper import Paper, Unreadable
from programs.inputs.formats.process import ReaderProcess
from programs.inputs.formats.table import ending_of, format_of, reader_of
from programs.inputs.report import DAMAGED_ARCHIVE, FILE_TOO_LARGE, NOT_PERMITTED, TRUNCATED_ARCHIVE
from programs.inputs.sample import DEFAULT_DOMAIN, Place, Sample, bytes_id, content_id, default_title
from programs.inputs.sample_filter import SampleFilter

LARGEST = 256 * 2**20
"""Bytes of a document, unpacked."""


def read_paper(path: Path) -> Paper:
    """A document as it is read from its file, for research code: a passage is `text[start:end]` of it.

    Raises `UserError` where the file cannot be read, and `Unreadable` where it gives no text.
    """
    format = format_of(path)
    if format is None:
        raise UserError(f"{path} is no document of a kind that is read")
    return _named(reader_of(format)(_bytes(path)), path)


def step_document(path: Path, sample_filter: SampleFilter, process: ReaderProcess) -> Iterator[Sample | None]:
    """The passages of a document, with a None for each that is not taken, and now and then while it is being read.

    What gives no text is counted with its reason, and nothing is raised.
    """
    report = sample_filter.report
    report.files += 1
    place = Place(file=str(path), line=1)
    try:
        data = _bytes(path)
        digest = bytes_id(data)
        if sample_filter.known(digest):
            yield None
            return
        paper = None
        for paper in process.steps(ending_of(path), data):
            if paper is None:
                yield None
        assert paper is not None
        paper = _named(paper, path)
        yield from sample_filter.paper(_whole(paper, place, digest), paper)
    except Unreadable as problem:
        sample_filter.skip(str(problem), place)
    except UserError:
        sample_filter.skip(NOT_PERMITTED, place)
    except TruncatedArchive:
        report.skip(TRUNCATED_ARCHIVE, place)
    except DamagedArchive:
        report.skip(DAMAGED_ARCHIVE, place)


def _bytes(path: Path) -> bytes:
    """The bytes of a document, unpacked. Raises what `read_chunks` raises, and `Unreadable` for too many."""
    format = format_of(path)
    if format is None or not format.is_text:
        try:
            if path.stat().st_size > LARGEST:
                raise Unreadable(FILE_TOO_LARGE)
            return path.read_bytes()
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    data = bytearray()
    for chunk in read_chunks(path, any_text=True):
        data += chunk
        if len(data) > LARGEST:
            raise Unreadable(FILE_TOO_LARGE)
    return bytes(data)


def _named(paper: Paper, path: Path) -> Paper:
    """The paper with what its file's name says of it."""
    stem = path.name[: -len("".join(path.suffixes[-2:]))] if ending_of(path) != path.suffix.lower() else path.stem
    arxiv = arxiv_of_name(stem)
    if arxiv is None or any(name in paper.fields for name in ("doi", "arxiv", "arxiv_id", "eprint")):
        return paper
    return paper.model_copy(update={"fields": {**paper.fields, "arxiv_id": arxiv}})


def _whole(paper: Paper, place: Place, digest: str) -> Sample:
    """A sample of all that a document says."""
    return Sample(
        id=content_id(paper.text),
        given_id=None,
        title=paper.title or default_title(place.line),
        title_given=paper.title is not None,
        domain=paper.domain or DEFAULT_DOMAIN,
        domain_given=paper.domain is not None,
        text=paper.text,
        place=place,
        cut_from=None,
        line_id=digest,
        extra=paper.fields,
    )
