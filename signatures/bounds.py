"""Bounds of what a model writes: what it is asked for, and what is taken all the same."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import core_schema

WHOLE = "whole"
"""Marks a list whose items hang together, as in `Field(json_schema_extra={WHOLE: True})`: one with a bad item, or with
more than it may have, is asked for again, where of other lists the good items are taken, the first that there may be."""


@dataclass(frozen=True)
class Characters:
    """The characters that a text may have, in `Annotated[str, Characters(10, 300)]`: as many are asked for; up to half as
    many again are taken."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.str_schema(min_length=self.least, max_length=self.most * 3 // 2)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": self.least, "maxLength": self.most}
