"""The texts in a value of any form."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel


def texts_in(value: Any) -> Iterator[str]:
    """All texts in models, mappings and lists, depth first; a text is its own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from texts_in(value.model_dump(mode="json"))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_in(part)
