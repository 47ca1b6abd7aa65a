"""The options of `python -m programs.export`, and the formats by name."""

import re
from itertools import accumulate
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from programs.cli.options import Names, OneOrMore, Options, RequiresOption
from programs.exports import chat, preference, reinforcement, table
from programs.exports.licences import UNKNOWN
from programs.exports.view import Format, RowOptions
from programs.inputs.sample import content_id
from programs.text.short_answers import after_thought

_FAMILIES = (chat, preference, reinforcement, table)
FORMATS = {value.name: value for family in _FAMILIES for value in vars(family).values() if isinstance(value, Format)}
SPLITS = ("train", "validation", "test")
MEASURE_PATHS = {
    "student": "blind_solve.student.with_passage.pass_rate",
    "student_without": "blind_solve.student.without_passage.pass_rate",
    "solver": "blind_solve.with_passage.pass_rate",
    "solver_without": "blind_solve.without_passage.pass_rate",
    "judges": "metadata.quality_score",
    "grades": "answer_grades.overall_score",
}
"""The measures that `--keep` may compare, with their paths in a record."""
_COMPARISON_PATTERN = re.compile(rf"({'|'.join(MEASURE_PATHS)})\s*([<>]=?|[=!]=)\s*(\d+\.?\d*|\.\d+)", re.ASCII)


class _Files(Options):
    """The options that `--help` shows first."""

    document: Path = Field(description="the document to export, or its journal")
    to: str = Field(description=f"the format: {', '.join(FORMATS)}")
    output: Path = Field(description="the folder to write")
    splits: str = Field(
        "1",
        description="shares of train, validation and test, as in 0.9,0.05,0.05; a paper is in one, by a hash of its name",
    )


class ExportOptions(RowOptions, _Files):
    """Write the traces of a document as training data."""

    leading: ClassVar[str] = "document"

    licence: Names = Field(
        [], description=f"licences to keep, separated by commas: cc-by-4.0, 'cc-by-[0-9]*' or {UNKNOWN} (default: all)"
    )
    keep: str | None = Field(
        None,
        description="which traces to keep, as in 'student<0.5 and solver>0.5': "
        f"comparisons of {', '.join(MEASURE_PATHS)} with numbers, joined with and",
    )
    dedupe_questions: bool = Field(
        False, description="leave out traces whose question was already asked of another text"
    )
    dedupe_similarity: Annotated[float, RequiresOption("dedupe_questions")] = Field(
        85.0, ge=75, le=100, description="the least similarity at which two questions count as the same"
    )
    decontaminate: OneOrMore = Field(
        [],
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of benchmark questions: leave out traces that leak one",
    )
    overwrite: bool = Field(False, description="replace an existing export at --output")

    @field_validator("to", "splits", "keep")
    @classmethod
    def _check_syntax(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            {"to": format_of, "splits": parse_shares, "keep": parse_rule}[str(info.field_name)](value)
        return value

    @model_validator(mode="after")
    def _check_format(self) -> "ExportOptions":
        columns = self.format.columns(self)
        reply = f"{self.tag.open}thought{self.tag.close}answer"
        if self.reasoning_field and self.format.thought_in != "message":
            raise ValueError(f"--reasoning-field: --to {self.to} has no message to hold it")
        if self.system_prompt == "user" and not any("role" in str(kind) for kind in columns.values()):
            raise ValueError(f"--system-prompt user: --to {self.to} has no messages")
        if self.margin != RowOptions.model_fields["margin"].default and "rejected" not in columns:
            raise ValueError(f"--margin: --to {self.to} has no pairs")
        if "rewards" in columns and after_thought(reply) != "answer":
            raise ValueError(f"--think-tag: the rewards of --to {self.to} do not know {self.think_tag}")
        return self

    @property
    def format(self) -> Format:
        return format_of(self.to)

    @property
    def benchmark_names(self) -> list[str]:
        """The file names given to `--decontaminate`, without folders, which may contain a person's name."""
        return [Path(name).name for name in self.decontaminate]


def format_of(name: str) -> Format:
    """The format of this name. Raises ValueError if there is none."""
    if name not in FORMATS:
        raise ValueError(f"the formats are {', '.join(FORMATS)}")
    return FORMATS[name]


def parse_rule(rule: str) -> list[tuple[str, str, float]]:
    """Parses a rule of `--keep` into (name, operator, number) for each comparison. Raises ValueError."""
    matches = [_COMPARISON_PATTERN.fullmatch(part.strip()) for part in re.split(r"\sand\s", rule)]
    found = [(match[1], match[2], float(match[3])) for match in matches if match]
    if len(found) < len(matches):
        expected = f"compare {', '.join(MEASURE_PATHS)} with numbers, as in 'student<0.5 and solver>0.5'"
        raise ValueError(f"{rule[:80]!r} is not a rule: {expected}")
    return found


def parse_shares(text: str) -> dict[str, float]:
    """Parses the shares of the splits: `0.9,0.05,0.05`, `0.9,0.1` or `1`. Raises ValueError."""
    try:
        shares = [float(share) for share in text.split(",")]
    except ValueError:
        shares = []
    if not 1 <= len(shares) <= len(SPLITS) or min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
        raise ValueError("one to three shares that add up to 1, for train, validation and test: 0.9,0.05,0.05")
    return dict(zip(SPLITS, shares, strict=False))


def split_of(source: str, shares: dict[str, float]) -> str:
    """The split of a paper, by a hash of its name alone, so that added traces never move a paper to another split."""
    # Only the 53 bits that a float holds: more could round up to 1.
    position = (int(content_id(f"split/{source}"), 16) >> 11) / 2**53
    return SPLITS[sum(position >= end for end in list(accumulate(shares.values()))[:-1])]
