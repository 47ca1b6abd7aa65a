"""What an export can be told: every option of `python -m programs.export`."""

import fnmatch
import importlib.util
import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from programs.cli.options import comma_separated
from programs.errors import UserError
from programs.exports.files import Kind
from programs.exports.format import Format
from programs.exports.formats import FORMATS
from programs.exports.licences import UNKNOWN, licence_name
from programs.exports.scores import MEASURES
from programs.exports.splits import Shares
from programs.exports.tag import Tag
from programs.exports.view import Context, View

_CONTEXTS: dict[str, tuple[Context, ...]] = {
    "none": ("none",),
    "passage": ("passage",),
    "both": ("none", "passage"),
}
_FIELD = re.compile(r"[A-Za-z_]\w*")


class ExportOptions(BaseModel):
    """The options of an export. The names are those of the command line, with underscores."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)
    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document to export, or its journal")
    to: str = Field(description=f"the format: {', '.join(FORMATS)}")
    output: Path = Field(description="the folder to write")
    as_: Kind = Field("jsonl", description="the kind of file")
    splits: str = Field(
        "1",
        description="shares of train, validation and test: 0.9,0.05,0.05; a paper is in one of them, by its name's hash",
    )
    shard_rows: int | None = Field(None, ge=1, description="rows after which a new file begins")
    context: Literal["none", "passage", "both"] = Field(
        "none", description="whether the question comes alone, with its passage, or once each way"
    )
    think_tag: str = Field(
        "<think>", description="the tag that the thought stands in, which the system prompt promises"
    )
    reasoning_field: str | None = Field(
        None,
        description="put the thought into this field of the message, for chat templates that take reasoning_content",
    )
    score: Literal["judges", "grades"] = Field(
        "judges",
        description="what --min-score and --margin are about: the judges' mean rating (1-10) or the mean grade (0-1)",
    )
    min_score: float | None = Field(None, description="the score from which on a trace is good enough")
    margin: float | None = Field(
        None, ge=0, description="dpo: how far apart the traces of a pair are at least (default: 1, or 0.1 of a grade)"
    )
    pairs_per_question: int | None = Field(None, ge=1, description="dpo: the most pairs that a question gives")
    licence: list[str] = Field(
        [], description=f"licences to take, separated by commas: cc-by-4.0, 'cc-by-[0-9]*' or {UNKNOWN} (default: all)"
    )
    overwrite: bool = Field(False, description="replace the export that is at --output (or in the repository) already")
    push_to_hub: str | None = Field(
        None,
        min_length=1,
        description="then push the folder to this data set of the Hugging Face Hub, private unless --public",
    )
    public: bool = Field(False, description="push to a public repository")

    @field_validator("to")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FORMATS:
            raise ValueError(f"the formats are {', '.join(FORMATS)}")
        return value

    @field_validator("splits")
    @classmethod
    def _shares(cls, value: str) -> str:
        Shares.parse(value)
        return value

    @field_validator("think_tag")
    @classmethod
    def _tag(cls, value: str) -> str:
        return Tag.parse(value).open

    @field_validator("reasoning_field")
    @classmethod
    def _free(cls, value: str | None) -> str | None:
        if value is not None and (value in ("role", "content") or not _FIELD.fullmatch(value)):
            raise ValueError("a name such as reasoning_content, other than role and content")
        return value

    @field_validator("licence", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return comma_separated(value)

    @model_validator(mode="after")
    def _fits_the_format(self) -> "ExportOptions":
        measure = MEASURES[self.score]
        if self.min_score is not None and not measure.low <= self.min_score <= measure.high:
            raise ValueError(f"--min-score: {measure.name} score from {measure.low:g} to {measure.high:g}")
        if self.reasoning_field and not self.format.takes_field:
            raise ValueError(f"--reasoning-field: --to {self.to} has no message that could hold it")
        if self.as_ == "parquet" and self.format.jsonl_only:
            raise ValueError(f"--as: what reads {self.to} takes JSONL only")
        if self.public and not self.push_to_hub:
            raise ValueError("--public: only with --push-to-hub")
        return self

    @property
    def format(self) -> Format:
        return FORMATS[self.to]

    @property
    def shares(self) -> Shares:
        return Shares.parse(self.splits)

    @property
    def view(self) -> View:
        """How rows are made."""
        measure = MEASURES[self.score]
        return View(
            tag=Tag.parse(self.think_tag),
            reasoning_field=self.reasoning_field,
            contexts=_CONTEXTS[self.context],
            measure=measure,
            min_score=self.min_score,
            margin=measure.margin if self.margin is None else self.margin,
            pairs=self.pairs_per_question,
        )

    def takes_licence(self, licence: str | None) -> bool:
        """Whether a text with this licence is to be exported."""
        name = licence or UNKNOWN
        return not self.licence or any(_matches(name, wanted) for wanted in self.licence)

    def require_extras(self) -> None:
        """Raises `UserError` when a library of the extra `export` is needed and not there."""
        needed = {"pyarrow": self.as_ == "parquet", "huggingface_hub": self.push_to_hub is not None}
        for name, wanted in needed.items():
            if wanted and importlib.util.find_spec(name) is None:
                option = "--as parquet" if name == "pyarrow" else "--push-to-hub"
                raise UserError(f"{option} needs {name}: pip install 'synthreasoner[export]'")


def _matches(licence: str, wanted: str) -> bool:
    if set(wanted) & set("*?["):
        return fnmatch.fnmatchcase(licence, wanted.lower())
    return licence == licence_name(wanted)
