"""Generates two pages of the docs from the code: every command with its options, and the fields of a document.

`python -m tests.reference` writes them; `tests/test_docs.py` fails if one is out of date.
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
([configuration](configuration.md)); options marked *config* can only be set in a config file.
"""


def reference_page() -> str:
    return "\n".join([HEAD, *(section(name, command) for name, command in COMMANDS.items())])


def section(name: str, command: Command) -> str:
    model = command.options_class()
    parser = parser_of(model)
    arguments = (parser.usage or "").removeprefix(parser.prog)
    usage = f"`synthreasoner {name}{arguments}`, or `python -m {command.module}`"
    lines = [f"## {name}", "", f"{usage}: {command.summary}.", ""]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest not in ("help", "config", "print_config")]
        if actions:
            lines += [f"**{group.title}**", "", "| option | |", "|---|---|", *map(row, actions), ""]
    parsed = {action.dest for action in parser._actions}
    for field in (field for field in model.model_fields if field not in parsed):
        lines += [f"*config*: `{field}`: {model.model_fields[field].description}", ""]
    return "\n".join(lines)


def row(action: argparse.Action) -> str:
    value = "\\|".join(map(str, action.choices)) if action.choices else action.metavar
    names = ", ".join(f"`{option}`" for option in action.option_strings)
    description = _cell((action.help or "").replace("%%", "%"))
    return f"| {names}{f' {value}' if value and action.nargs != 0 else ''} | {description} |"


RECORD_HEAD = """# What a document holds

Made from the code by `python -m tests.reference`. The output of a run is one JSON object (`Document` below) whose list
`questions` holds the accepted traces, each a `Record`; a journal holds the same records. `python -m programs.schema` prints
this as JSON Schema. Keys that this version does not know are kept.
"""


def record_page() -> str:
    """All models of a document as Markdown, the record first, each with its docstring and its fields."""
    models: dict[str, type[BaseModel]] = {}
    for model in (Record, Document):
        _collect_models(model, models)
    return "\n".join([RECORD_HEAD, *(_model_section(model) for model in models.values())])


def _collect_models(annotation: Any, models: dict[str, type[BaseModel]]) -> None:
    """Adds the models in a type, and those in their fields, in the order of their first appearance."""
    parts = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation.__name__ not in models:
        models[annotation.__name__] = annotation
        parts = tuple(info.annotation for info in annotation.model_fields.values())
    for part in parts:
        _collect_models(part, models)


def _model_section(model: type[BaseModel]) -> str:
    description = textwrap.fill(re.sub(r"\s+", " ", model.__doc__ or "").strip(), 130)
    rows = [
        f"| `{name}` | {_type_in_words(info.annotation)} | {_cell(info.description)} |"
        for name, info in model.model_fields.items()
    ]
    return "\n".join([f"## {model.__name__}", "", description, "", "| field | type | |", "|---|---|---|", *rows, ""])


def _cell(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").replace("|", "\\|")


_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "anything"}


def _type_in_words(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type_in_words, parts))
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"for each name {_type_in_words(parts[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {_type_in_words(parts[0])}"
    if hasattr(annotation, "__metadata__"):
        return _type_in_words(parts[0])
    if annotation in _TYPES:
        return _TYPES[annotation]
    if issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    name: str = annotation.__name__
    return f"[{name}](#{name.lower()})" if issubclass(annotation, BaseModel) else name


PAGES = {"reference.md": reference_page, "record.md": record_page}

if __name__ == "__main__":
    for name, make_page in PAGES.items():
        (DOCS / name).write_text(make_page(), encoding="utf-8")
