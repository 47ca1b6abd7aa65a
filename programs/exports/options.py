"""What an export can be told: every option of `python -m programs.export`."""

import fnmatch
import importlib.util
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field, field_validator, model_validator

from programs.cli.options import comma_separated
from programs.errors import UserError
from programs.exports.files import Kind
from programs.exports.format import Format
from programs.exports.formats import FORMATS
from programs.exports.licences import UNKNOWN, licence_name
from programs.exports.splits import Shares
from programs.exports.view import View


class _Files(BaseModel):
    """Which files are read and written. A class of its own so that these options come first."""

    document: Path = Field(description="the document to export, or its journal")
    to: str = Field(description=f"the format: {', '.join(FORMATS)}")
    output: Path = Field(description="the folder to write")
    as_: Kind = Field("jsonl", description="the kind of file")
    splits: str = Field(
        "1",
        description="shares of train, validation and test: 0.9,0.05,0.05; a paper is in one of them, by its name's hash",
    )
    shard_rows: int | None = Field(None, ge=1, description="rows after which a new file begins")


class ExportOptions(View, _Files):
    """The options of an export. The names are those of the command line, with underscores."""

    leading: ClassVar[str] = "document"

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

    @field_validator("licence", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return comma_separated(value)

    @model_validator(mode="after")
    def _fits_the_format(self) -> "ExportOptions":
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
