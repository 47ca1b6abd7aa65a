"""The fields of a settings model as options: their names, their groups, and which may come first."""

from collections.abc import Sequence

from pydantic import BaseModel


def grouped(model: type[BaseModel]) -> dict[str, list[str]]:
    """The names of all fields by group, in the order in which they are shown; those of no group come last."""
    table: dict[str, Sequence[str]] = getattr(model, "groups", {})
    groups = {title: [name for name in names if name in model.model_fields] for title, names in table.items()}
    rest = [name for name in model.model_fields if not any(name in names for names in groups.values())]
    return {**groups, **({"more options" if table else "options": rest} if rest else {})}


def leading_of(model: type[BaseModel]) -> str | None:
    """The field whose values may come first on the command line, or None."""
    return getattr(model, "leading", None)


def option_of(name: str) -> str:
    """A field as an option. An underscore at the end keeps a name apart from Python's words: `as_` is `--as`."""
    return f"--{name.rstrip('_').replace('_', '-')}"
