"""Command lines and config files from a settings model: every field is an option, with its help and its bounds.
Fields that are mappings stand in config files only.

What is given on the command line wins over the config file, and that over the defaults. A mistake raises `UserError`
with one line; an unknown key of a config file is answered with the nearest name.
"""

import argparse
import re
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from programs.errors import JournalError, UserError

Model = TypeVar("Model", bound=BaseModel)

_USERINFO = re.compile(r"//[^/\s'\"]*@")
"""The credentials that someone put into an address."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see --help)")


def parse(model: type[Model], program: str, description: str, arguments: Sequence[str] | None = None) -> Model:
    """The settings that the command line and its config file give. Raises `UserError`; `--help` exits."""
    given = vars(parser_of(model, program, description).parse_args(arguments))
    config = given.pop("config", None)
    return validated(model, {**(_from_file(Path(config), model) if config else {}), **given})


def validated(model: type[Model], values: dict[str, Any]) -> Model:
    """The settings, or a `UserError` that names the first wrong option."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        message = str(detail["msg"]).removeprefix("Value error, ")
        if not detail["loc"]:
            raise UserError(message) from None
        option = option_of(str(detail["loc"][0]))
        if detail["type"] == "missing":
            raise UserError(f"{option} must be given (see --help)") from None
        raise UserError(f"{option}: {message} (got {_USERINFO.sub('//***@', repr(detail['input']))})") from None


def parser_of(model: type[BaseModel], program: str, description: str) -> argparse.ArgumentParser:
    """The command line of a settings model."""
    parser = _Parser(prog=program, description=description, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="a YAML file with any of these options")
    for name, field in model.model_fields.items():
        if typing.get_origin(field.annotation) is dict:
            continue
        parser.add_argument(option_of(name), dest=name, **_argument(field))
    return parser


def option_of(name: str) -> str:
    """A field as an option. An underscore at the end keeps a name apart from Python's words: `as_` is `--as`."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def _argument(field: FieldInfo) -> dict[str, Any]:
    kinds = _kinds(field.annotation)
    text = (field.description or "").replace("%", "%%")
    shown = _shown(field.get_default())
    text += f" (default: {shown})" if shown and "(default" not in text else ""
    if bool in kinds:
        action = argparse.BooleanOptionalAction if field.default is True else "store_true"
        return {"action": action, "help": text}
    choices = [value for kind in kinds if typing.get_origin(kind) is typing.Literal for value in typing.get_args(kind)]
    if choices:
        return {"choices": choices, "help": text}
    if any(typing.get_origin(kind) is list for kind in kinds):
        return {"action": "extend", "nargs": "+", "metavar": "VALUE", "help": text}
    number = next((kind.__name__.upper() for kind in kinds if kind in (int, float)), None)
    return {"metavar": number or ("PATH" if Path in kinds else "NAME"), "help": text}


def _kinds(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return [annotation]


def _shown(default: Any) -> str:
    if default is None or default is PydanticUndefined or isinstance(default, bool) or default == []:
        return ""
    return " ".join(map(str, default)) if isinstance(default, list) else str(default)


def _from_file(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    import yaml
    from rapidfuzz import process

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise UserError(f"--config: there is no file {path}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"--config: {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"--config: {path} does not hold options by name")
    fields = {option_of(name): name for name in model.model_fields}
    spelled = {str(key).replace("-", "_"): value for key, value in values.items()}
    named = {fields.get(option_of(key), key): value for key, value in spelled.items()}
    for key in named:
        if key not in model.model_fields:
            nearest = process.extractOne(key, list(model.model_fields))
            raise UserError(f"--config: {path} has the unknown key {key!r}; did you mean {nearest[0].rstrip('_')!r}?")
    return named


def run_cli(main: typing.Callable[[], int]) -> NoReturn:
    """Runs a command: a `UserError` is one line on standard error and exit code 2, a `JournalError`
    one and exit code 1; an interrupt ends it quietly."""
    try:
        code = main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except JournalError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except BrokenPipeError:
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
