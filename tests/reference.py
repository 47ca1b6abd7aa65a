"""The pages of the docs that are made from the code: every command with its options, and what a document holds.

`python -m tests.reference` writes them; `tests/test_docs.py` fails where one is not what the code says.
"""

import argparse
import re
import textwrap
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from programs.cli.options import parser_of
from programs.command import COMMANDS, Command
from programs.records import Record
from programs.schema import Document

DOCS = Path(__file__).resolve().parent.parent / "docs"

HEAD = """# Reference

Made from the code by `python -m tests.reference`. Every command takes `--help`, `--config FILE` and `--print-config`
([configuration](configuration.md)); what is marked *config* stands in config files only.
"""


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join([HEAD, *(section(name, command) for name, command in COMMANDS.items())])


def section(name: str, command: Command) -> str:
    """One command."""
    model = command.settings()
    parser = parser_of(model)
    words = (parser.usage or "").removeprefix(parser.prog)
    called = f"`synthreasoner {name}{words}`, or `python -m {command.module}`"
    lines = [f"## {name}", "", f"{called}: {command.summary}.", ""]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest not in ("help", "config", "print_config")]
        if actions:
            lines += [f"**{group.title}**", "", "| option | |", "|---|---|", *map(row, actions), ""]
    shown = {action.dest for action in parser._actions}
    for field in (field for field in model.model_fields if field not in shown):
        lines += [f"*config*: `{field}`: {model.model_fields[field].description}", ""]
    return "\n".join(lines)


def row(action: argparse.Action) -> str:
    """One option."""
    taken = "\\|".join(map(str, action.choices)) if action.choices else action.metavar
    names = ", ".join(f"`{option}`" for option in action.option_strings)
    said = re.sub(r"\s+", " ", (action.help or "").replace("%%", "%")).replace("|", "\\|")
    return f"| {names}{f' {taken}' if taken and action.nargs != 0 else ''} | {said} |"


RECORD_HEAD = """# What a document holds

Made from the code by `python -m tests.reference`. The output of a run is one JSON object (`Document` below) whose list
`questions` holds the accepted traces, each a `Record`; a journal holds the same records. `python -m programs.schema` prints
this as JSON Schema. Keys that this version does not know are kept.
"""


def record_page() -> str:
    """Every model of a document as Markdown: the record first, each with what its docstring says and its fields."""
    models: dict[str, type[BaseModel]] = {}
    for model in (Record, Document):
        _collect(model, models)
    return "\n".join([RECORD_HEAD, *(_model_section(model) for model in models.values())])


def _collect(annotation: Any, models: dict[str, type[BaseModel]]) -> None:
    """Adds the models that a type holds, and those that their fields hold, in the order in which they are met."""
    parts = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation.__name__ not in models:
        models[annotation.__name__] = annotation
        parts = tuple(info.annotation for info in annotation.model_fields.values())
    for part in parts:
        _collect(part, models)


def _model_section(model: type[BaseModel]) -> str:
    said = textwrap.fill(re.sub(r"\s+", " ", model.__doc__ or "").strip(), 130)
    rows = [f"| `{name}` | {_type(info.annotation)} |" for name, info in model.model_fields.items()]
    return "\n".join([f"## {model.__name__}", "", said, "", "| field | |", "|---|---|", *rows, ""])


_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "anything"}


def _type(annotation: Any) -> str:
    """A type in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type, parts))
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"for each name {_type(parts[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {_type(parts[0])}"
    if hasattr(annotation, "__metadata__"):
        return _type(parts[0])
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    name: str = annotation.__name__
    return f"[{name}](#{name.lower()})" if issubclass(annotation, BaseModel) else name


PAGES = {"reference.md": page, "record.md": record_page}

if __name__ == "__main__":
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), encoding="utf-8")
