"""What reading did: how much was read, and what was skipped for which reason."""

from collections import Counter
from enum import Enum
from typing import Final

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.inputs.sample import Place, Sample


class Skip(str, Enum):
    """Why a line, row, passage, document or the rest of an archive gives no sample."""

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
    UNKNOWN_KIND = "a kind of file that is not read"
    OUR_OWN = "a file that this program wrote"
    NOT_PERMITTED = "a file that cannot be opened"
    DAMAGED = "a damaged file, or of another kind than its name says"
    FILE_TOO_LARGE = "a document of more than 256 MB"
    NO_TEXT_IN_IT = "a document without text"
    LOCKED = "a document with a password"
    SCAN = "pages without text (a scan?)"
    UNKNOWN_LETTERS = "letters that the file does not name"
    CRASHED = "a document that crashed its reader"
    TOO_SLOW = "a document that takes too long to read"
    TOO_LARGE = "a document that takes too much memory to read"
    OUR_FAULT = "a fault of this program (the log says where)"
    NOTHING_TO_ASK = "nothing to ask about"


ARCHIVE_REASONS: Final = frozenset({Skip.TRUNCATED_ARCHIVE.value, Skip.DAMAGED_ARCHIVE.value})
"""These count files of which only a part could be read; all others count lines."""


class Unreadable(SynthReasonerError):
    """A line, row, passage, document or archive gives no text."""

    def __init__(self, reason: Skip, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason, self.detail = reason, detail


class ReadReport(BaseModel):
    """Counts, kept up to date while the samples are drawn. A line is a line of JSON, a row of a table, a passage of a
    longer text, or a document that gave none: lines == samples + blank + done + skipped_lines."""

    files: int = 0
    lines: int = 0
    blank: int = 0
    """Lines with nothing on them: no skip, since nothing was lost."""
    samples: int = 0
    done: int = 0
    """Lines that an earlier run had finished with."""
    documents: int = 0
    """Texts that were cut into passages."""
    passages: int = 0
    """What these gave, skipped ones included; of those that an earlier run had finished with, what it took."""
    cut: int = 0
    """Samples whose text was too long and was cut at a sentence."""
    trimmed: Counter[str] = Field(default_factory=Counter)
    """Samples of which the prefilter left something out, by what, and the characters; one may count for several."""
    trimmed_chars: Counter[str] = Field(default_factory=Counter)
    skipped: Counter[str] = Field(default_factory=Counter)
    first_examples: dict[str, Place] = Field(default_factory=dict)

    def skip(self, problem: Unreadable, place: Place) -> None:
        reason = f"{problem.reason.value}: {problem.detail}" if problem.detail else problem.reason.value
        self.lines += reason not in ARCHIVE_REASONS
        self.skipped[reason] += 1
        self.first_examples.setdefault(reason, place)

    def take(self, sample: Sample) -> Sample:
        """Counts a sample, and what the prefilter left out of it, and gives it back."""
        self.lines += 1
        self.samples += 1
        self.trimmed.update(sample.removed.keys())
        self.trimmed_chars.update(sample.removed)
        return sample

    @property
    def skipped_lines(self) -> int:
        return sum(count for reason, count in self.skipped.items() if reason not in ARCHIVE_REASONS)
