"""What reading did: how much was read, and what was skipped for which reason."""

from __future__ import annotations

from collections import Counter
from typing import Final

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.inputs.sample import Place

NOT_JSON: Final = "not JSON"
NOT_AN_OBJECT: Final = "not an object"
NESTED_TOO_DEEP: Final = "nested too deep"
NO_TEXT: Final = "no text"
TEXT_NOT_STRING: Final = "text is not a string"
EMPTY_TEXT: Final = "empty text"
BAD_UTF8: Final = "bad UTF-8"
LINE_TOO_LONG: Final = "line too long"
DUPLICATE: Final = "duplicate text"
TRUNCATED_ARCHIVE: Final = "truncated archive"
DAMAGED_ARCHIVE: Final = "damaged archive"
UNKNOWN_KIND: Final = "a kind of file that is not read"
OUR_OWN: Final = "a file that this program wrote"
NOT_PERMITTED: Final = "a file that cannot be opened"
DAMAGED: Final = "a damaged file, or of another kind than its name says"
FILE_TOO_LARGE: Final = "a document of more than 256 MB"
NO_TEXT_IN_IT: Final = "a document without text"
LOCKED: Final = "a document with a password"
NOTHING_TO_ASK: Final = "nothing to ask about: "
"""What the prefilter found to be most of the text stands after it."""

ARCHIVE_REASONS: Final = frozenset({TRUNCATED_ARCHIVE, DAMAGED_ARCHIVE})
"""These count files of which only a part could be read; all others count lines."""


class Unreadable(SynthReasonerError):
    """A line, row, document or archive gives no text; the message is the reason, of a few that do not name the file."""


class ReadReport(BaseModel):
    """Counts, kept up to date while the samples are drawn. Its size does not depend on the input's.

    A line is a line of JSON, a row of a table, a passage of a longer text, or a document that gave none.
    Invariant: lines == samples + blank + done + other_shards + the skipped lines (`skipped` without ARCHIVE_REASONS).
    """

    files: int = 0
    """Files opened so far."""
    lines: int = 0
    blank: int = 0
    """Lines with nothing on them: no skip, since nothing was lost."""
    samples: int = 0
    done: int = 0
    """Lines that an earlier run had finished with, known by their bytes."""
    other_shards: int = 0
    documents: int = 0
    """Texts that were cut into passages."""
    passages: int = 0
    """The passages that these gave, skipped ones included; of those that an earlier run had finished with, the ones that
    it took."""
    cut: int = 0
    """Samples whose text was too long and was cut at a sentence."""
    trimmed: Counter[str] = Field(default_factory=Counter)
    """Samples of which the prefilter left something out, by what; one may count for several."""
    trimmed_chars: Counter[str] = Field(default_factory=Counter)
    """The characters that it left out of them."""
    skipped: Counter[str] = Field(default_factory=Counter)
    first_examples: dict[str, Place] = Field(default_factory=dict)
    """For each reason, the place where it was met first."""

    def skip(self, reason: str, place: Place) -> None:
        """Counts one line, row, passage, document or archive that was skipped."""
        self.lines += reason not in ARCHIVE_REASONS
        self.skipped[reason] += 1
        self.first_examples.setdefault(reason, place)

    def take(self, removed: dict[str, int]) -> None:
        """Counts one sample, and what the prefilter left out of it: characters by what they were."""
        self.lines += 1
        self.samples += 1
        self.trimmed.update(removed.keys())
        self.trimmed_chars.update(removed)

    @property
    def skipped_lines(self) -> int:
        """Lines skipped, for whatever reason."""
        return sum(count for reason, count in self.skipped.items() if reason not in ARCHIVE_REASONS)
