"""Every option of `python -m programs.export`, and the formats by their names."""

import re
from itertools import accumulate
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from programs.cli.options import Many, Names, Needs, Options
from programs.exports import chat, preference, reinforcement, table
from programs.exports.licences import UNKNOWN
from programs.exports.view import Format, View
from programs.inputs.sample import content_id
from programs.text.short_answers import after_thought

_FAMILIES = (chat, preference, reinforcement, table)
FORMATS = {one.name: one for family in _FAMILIES for one in vars(family).values() if isinstance(one, Format)}
SPLITS = ("train", "validation", "test")
MEASURED = {
    "student": "blind_solve.student.with_passage.pass_rate",
    "student_without": "blind_solve.student.without_passage.pass_rate",
    "solver": "blind_solve.with_passage.pass_rate",
    "solver_without": "blind_solve.without_passage.pass_rate",
    "judges": "metadata.quality_score",
    "grades": "answer_grades.overall_score",
}
"""What `--keep` may name, and where a record holds it."""
_COMPARISON = re.compile(rf"({'|'.join(MEASURED)})\s*([<>]=?|[=!]=)\s*(\d+\.?\d*|\.\d+)", re.ASCII)


class _Files(Options):
    """The options that come first."""

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
    dedupe_similarity: Annotated[float, Needs("dedupe_questions")] = Field(
        85.0, ge=75, le=100, description="from which similarity on two questions are one"
    )
    decontaminate: Many = Field(
        [],
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of benchmark questions: leave out traces that give one away",
    )
    overwrite: bool = Field(False, description="replace the export that is at --output already")

    @field_validator("to", "splits", "keep")
    @classmethod
    def _readable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            {"to": format_of, "splits": shares_of, "keep": comparisons}[str(info.field_name)](value)
        return value

    @model_validator(mode="after")
    def _fits_the_format(self) -> "ExportOptions":
        columns, reply = self.format.columns(self), f"{self.tag.open}thought{self.tag.close}answer"
        if self.reasoning_field and self.format.thought != "message":
            raise ValueError(f"--reasoning-field: --to {self.to} has no message that could hold it")
        if self.system_prompt == "user" and not any("role" in str(kind) for kind in columns.values()):
            raise ValueError(f"--system-prompt user: --to {self.to} has no messages")
        if self.margin != View.model_fields["margin"].default and "rejected" not in columns:
            raise ValueError(f"--margin: --to {self.to} has no pairs")
        if "rewards" in columns and after_thought(reply) != "answer":
            raise ValueError(f"--think-tag: the rewards of --to {self.to} do not know {self.think_tag}")
        return self

    @property
    def format(self) -> Format:
        return format_of(self.to)

    @property
    def benchmark_names(self) -> list[str]:
        """What `--decontaminate` names, without folders: these may name a person."""
        return [Path(name).name for name in self.decontaminate]


def format_of(name: str) -> Format:
    """Raises ValueError for a name that no format has."""
    if name not in FORMATS:
        raise ValueError(f"the formats are {', '.join(FORMATS)}")
    return FORMATS[name]


def comparisons(rule: str) -> list[tuple[str, str, float]]:
    """A rule of `--keep` as name, sign and number of each comparison. Raises ValueError, saying what may stand there."""
    found = [_COMPARISON.fullmatch(part.strip()) for part in re.split(r"\sand\s", rule)]
    parts = [(match[1], match[2], float(match[3])) for match in found if match]
    if len(parts) < len(found):
        said = f"{rule[:80]!r} is no rule: compare {', '.join(MEASURED)} with numbers"
        raise ValueError(f"{said}, as in 'student<0.5 and solver>0.5'")
    return parts


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
    # As many bits as a float holds, or the largest ones would become 1.
    place = (int(content_id(f"split/{source}"), 16) >> 11) / 2**53
    return SPLITS[sum(place >= end for end in list(accumulate(shares.values()))[:-1])]
