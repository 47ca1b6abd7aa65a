"""Counts of what was read, and of what was skipped for which reason."""

from collections import Counter
from enum import Enum

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.inputs.sample import Place, Sample


class SkipReason(str, Enum):
    """Why a line, row, passage, document or the rest of an archive yields no sample."""

    NOT_JSON = "not JSON"
    NOT_AN_OBJECT = "not an object"
    NESTED_TOO_DEEP = "nested too deep"
    NO_TEXT = "no text"
    TEXT_NOT_STRING = "text is not a string"
    EMPTY_TEXT = "empty text"
    BAD_UTF8 = "bad UTF-8"
    LINE_TOO_LONG = "line too long"
    DUPLICATE = "duplicate text"
    TRUNCATED_ARCHIVE = "truncated archive"
    DAMAGED_ARCHIVE = "damaged archive"
    UNKNOWN_KIND = "unsupported file type"
    OUR_OWN = "file written by this program"
    NOT_PERMITTED = "file that cannot be opened"
    DAMAGED = "damaged file, or not of the type its name says"
    FILE_TOO_LARGE = "document larger than 256 MB"
    NO_TEXT_IN_IT = "document without text"
    LOCKED = "password-protected document"
    SCAN = "pages without text (a scan?)"
    UNKNOWN_LETTERS = "fonts without a mapping to Unicode"
    CRASHED = "document that crashed its reader"
    TOO_SLOW = "document that takes too long to read"
    TOO_LARGE = "document that takes too much memory to read"
    OUR_FAULT = "error in this program (see the log)"
    NOTHING_TO_ASK = "nothing to ask about"


class Unreadable(SynthReasonerError):
    """A line, row, passage, document or archive yields no text."""

    def __init__(self, reason: SkipReason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason, self.detail = reason, detail


class ReadReport(BaseModel):
    """Counts that are updated while samples are drawn. A "line" is a line of JSON, a row of a table, a passage of a longer
    text, a document that yielded no passage, or the unreadable rest of an archive. Invariant: lines == samples + blank +
    done + skipped_lines."""

    files: int = 0
    lines: int = 0
    blank: int = 0
    """Blank lines; not skipped ones, since nothing was lost."""
    samples: int = 0
    done: int = 0
    """Lines that an earlier run finished."""
    documents: int = 0
    """Texts that were cut into passages."""
    passages: int = 0
    """Their passages, including skipped ones; of texts that an earlier run finished, only those that became samples."""
    cut: int = 0
    """Samples whose text was too long and was cut at the end of a sentence."""
    trimmed: Counter[str] = Field(default_factory=Counter)
    """Samples that the prefilter shortened, by kind of part removed; a sample may count for several kinds."""
    trimmed_chars: Counter[str] = Field(default_factory=Counter)
    skipped: Counter[str] = Field(default_factory=Counter)
    first_examples: dict[str, Place] = Field(default_factory=dict)

    def skip(self, problem: Unreadable, place: Place) -> None:
        reason = f"{problem.reason.value}: {problem.detail}" if problem.detail else problem.reason.value
        self.lines += 1
        self.skipped[reason] += 1
        self.first_examples.setdefault(reason, place)

    def count_sample(self, sample: Sample) -> Sample:
        """Counts a sample and what the prefilter removed from it. Returns the sample."""
        self.lines += 1
        self.samples += 1
        self.trimmed.update(sample.removed.keys())
        self.trimmed_chars.update(sample.removed)
        return sample

    @property
    def skipped_lines(self) -> int:
        return self.skipped.total()
