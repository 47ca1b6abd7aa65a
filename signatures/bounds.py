"""Bounds of what a model writes: what it is asked for, and what is taken all the same."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import core_schema

WHOLE = "whole"
"""Marks a list whose items hang together, as in `Field(json_schema_extra={WHOLE: True})`: one with a bad item, or with
more than it may have, is asked for again, where of other lists the good items are taken, the first that there may be."""


NOTE = 400
"""Characters up to which a text is a note. One that runs on harms nobody, and small models hardly count: it is taken up to
three times as long, where prose may be half as long again."""


@dataclass(frozen=True)
class Characters:
    """The characters that a text may have, in `Annotated[str, Characters(10, 300)]`: as many are asked for; half as many
    again are taken, of a note (see `NOTE`) three times as many."""

    least: int
    most: int

    @property
    def taken(self) -> int:
        """The characters up to which a text is taken."""
        return self.most * 3 if self.most <= NOTE else self.most * 3 // 2

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.str_schema(min_length=self.least, max_length=self.taken)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": self.least, "maxLength": self.most}
