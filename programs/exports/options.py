"""What an export can be told: every option of `python -m programs.export`. And the formats by their names."""

import fnmatch
import hashlib
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from programs.cli.options import Many, Names, Options
from programs.exports import chat, preference, reinforcement, table
from programs.exports.format import Format
from programs.exports.keep import MEASURED, comparisons
from programs.exports.licences import UNKNOWN, licence_name
from programs.exports.view import View

_FAMILIES = (chat, preference, reinforcement, table)
FORMATS = {one.name: one for family in _FAMILIES for one in vars(family).values() if isinstance(one, Format)}
"""A new one needs no more than to stand in the file of its family."""

SPLITS = ("train", "validation", "test")


class _Files(Options):
    """Which files are read and written. A class of its own so that these options come first."""

    document: Path = Field(description="the document to export, or its journal")
    to: str = Field(description=f"the format: {', '.join(FORMATS)}")
    output: Path = Field(description="the folder to write")
    splits: str = Field(
        "1",
        description="shares of train, validation and test: 0.9,0.05,0.05; a paper is in one of them, by its name's hash",
    )


class ExportOptions(View, _Files):
    """Write the traces of a document as training data."""

    leading: ClassVar[str] = "document"

    licence: Names = Field(
        [], description=f"licences to take, separated by commas: cc-by-4.0, 'cc-by-[0-9]*' or {UNKNOWN} (default: all)"
    )
    keep: str | None = Field(
        None,
        description=f"which traces to take, as in 'student<0.5 and solver>0.5'; one may compare {', '.join(MEASURED)} with "
        "numbers, and join with and",
    )
    dedupe_questions: bool = Field(
        False, description="leave out traces whose question was asked of another text before"
    )
    dedupe_similarity: float = Field(
        85.0, ge=75, le=100, description="with --dedupe-questions: from which similarity on two questions are one"
    )
    decontaminate: Many = Field(
        [],
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of benchmark questions: leave out traces that give one away",
    )
    overwrite: bool = Field(False, description="replace the export that is at --output already")
    chat_template: Path | None = Field(
        None,
        description="show a row as this chat template (a file, or a model's folder) renders it, and say whether the "
        "thought is in it",
    )

    @field_validator("to")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FORMATS:
            raise ValueError(f"the formats are {', '.join(FORMATS)}")
        return value

    @field_validator("splits")
    @classmethod
    def _shares(cls, value: str) -> str:
        shares_of(value)
        return value

    @field_validator("keep")
    @classmethod
    def _rule(cls, value: str | None) -> str | None:
        if value is not None:
            comparisons(value)
        return value

    @model_validator(mode="after")
    def _fits_the_format(self) -> "ExportOptions":
        if self.reasoning_field and not self.format.takes_field:
            raise ValueError(f"--reasoning-field: --to {self.to} has no message that could hold it")
        if self.chat_template and not (
            self.format.has_thought and {"messages", "prompt"} & {*self.format.columns(self)}
        ):
            raise ValueError(f"--chat-template: --to {self.to} has no messages with a thought")
        return self

    @property
    def format(self) -> Format:
        return FORMATS[self.to]

    @property
    def benchmark_names(self) -> list[str]:
        """What `--decontaminate` names, without folders: these may name a person."""
        return [Path(name).name for name in self.decontaminate]

    def takes_licence(self, licence: str | None) -> bool:
        """Whether a text with this licence is to be exported."""
        name = licence or UNKNOWN
        wanted = [one.lower() if set(one) & set("*?[") else licence_name(one) for one in self.licence]
        return not wanted or any(fnmatch.fnmatchcase(name, one) for one in wanted)


def shares_of(text: str) -> dict[str, float]:
    """The shares of the splits, from `0.9,0.05,0.05`, `0.9,0.1` or `1`. Raises ValueError."""
    try:
        shares = [float(share) for share in text.split(",")]
    except ValueError:
        shares = []
    if not 1 <= len(shares) <= len(SPLITS) or min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
        raise ValueError("one to three shares that add up to 1, for train, validation and test: 0.9,0.05,0.05")
    return dict(zip(SPLITS, shares, strict=False))


def split_of(source: str, shares: dict[str, float]) -> str:
    """The split of a paper: by a hash of its name alone, so that traces that come later change no one's place."""
    number = int.from_bytes(hashlib.blake2b(f"split/{source}".encode(), digest_size=8).digest(), "big")
    # As many bits as a float holds, or the largest ones would become 1.
    place = (number >> 11) / 2**53
    return SPLITS[sum(place >= end for end in list(accumulate(shares.values()))[:-1])]
