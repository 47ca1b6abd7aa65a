"""Builds the command line and config file format of a settings model: every field is an option, with its help and its
bounds. Mappings can be set only in config files.

The command line overrides the config file, and the config file overrides the defaults. A mistake raises `UserError` with
one line, which suggests the nearest name for an unknown option or key.
"""

import argparse
import atexit
import contextlib
import gc
import inspect
import io
import json
import logging
import os
import re
import sys
import threading
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typing_extensions import Self

from programs.cli.terminal import print_result, safe_streams
from programs.errors import StorageError, UserError
from programs.redaction import redact


class RequiresOption:
    """Annotation of an option that does nothing unless one of the named options is set; without them it is rejected."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __str__(self) -> str:
        return " or ".join(map(option_name, self.names))


class Options(BaseModel):
    """Base class for the options of a command, or for a group of them. `--help` starts with the docstring of the command's
    class, unless `parse` is given a description. `leading` is the field whose values may come first on the command line,
    without the option name; `groups` maps titles to field names, in the order of `--help` (empty: a single group)."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    leading: ClassVar[str | None] = None
    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    @model_validator(mode="after")
    def _check_needs(self) -> Self:
        fields = type(self).model_fields
        given = [name for name, field in fields.items() if getattr(self, name) != field.default]
        for name in given:
            if (needs := _needs(fields[name])) is not None and not {*given}.intersection(needs.names):
                raise ValueError(f"{option_name(name)} does nothing without {needs}")
        return self

    @classmethod
    def grouped(cls) -> Mapping[str, Sequence[str]]:
        """The names of all fields by group title, in the order of `--help`."""
        return cls.groups or {"options": [*cls.model_fields]}


def _needs(field: FieldInfo) -> RequiresOption | None:
    return next((item for item in field.metadata if isinstance(item, RequiresOption)), None)


def option_name(name: str) -> str:
    """The option name of a field."""
    return f"--{name.replace('_', '-')}"


def describe_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A phrase for each option whose value changed; missing ones count as off. A name with spaces is kept as it is."""
    return [
        f"{name if ' ' in name else option_name(name)} was {before.get(name, 'off')} and is now {now.get(name, 'off')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def suggestion(word: str, names: Iterable[str], min_similarity: float = 70.0) -> str:
    """A suggestion to append to an error about `word`: the nearest name in any case, or "" if no similarity (0-100) is high
    enough."""
    # Imported only for a mistake.
    from rapidfuzz import fuzz, process

    match = process.extractOne(word, list(names), scorer=fuzz.ratio, processor=str.lower, score_cutoff=min_similarity)
    return f"; did you mean {match[0]!r}?" if match else ""


def comma_separated(value: object) -> object:
    """The distinct names in a text or a list of texts, split at commas; any other value is returned unchanged."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        return value
    names = [name.strip() for text in texts for name in str(text).split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _one_or_many(value: object) -> object:
    if not value:
        return []
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(comma_separated)]
"""Names, which may also be given as one comma-separated text."""

OneOrMore = Annotated[list[str], BeforeValidator(_one_or_many)]
"""Texts; a single one needs no list in a config file."""


Given = TypeVar("Given", bound=Options)

INTERRUPTED = 130  # exit code of an interrupted command: 128 plus the number of SIGINT, as in shells

_USERINFO_PATTERN = re.compile(r"//[^/\s]*@")  # credentials in an address
_LEFT_OUT_COMMENT = "# the credentials in this address are left out; add them, or put the address into the environment"

_command_typed: ContextVar[str | None] = ContextVar("command_typed", default=None)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{redact(message, ())} (see --help)")


@contextlib.contextmanager
def as_command(command: str) -> Iterator[None]:
    """Within the block, `--help` shows this command, as the user typed it, instead of the module's."""
    token = _command_typed.set(command)
    try:
        yield
    finally:
        _command_typed.reset(token)


def parse(model: type[Given], arguments: Sequence[str] | None = None, description: str | None = None) -> Given:
    """The settings from the command line and its config file. Raises `UserError`. `--help`, which starts with the
    description, and `--print-config` print and exit with code 0."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if model.leading and words and not words[0].startswith("-"):
        words = [option_name(model.leading), *words]
    parser = parser_of(model, description)
    namespace, unknown = parser.parse_known_args(words)
    if unknown:
        known = parser._option_string_actions if unknown[0].startswith("--") else ()
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{suggestion(unknown[0], known)}")
    given = vars(namespace)
    config, printing = given.pop("config", None), given.pop("print_config", False)
    if config is not None:
        given = {**read_config(Path(config), model), **given}
    settings = validate(model, given)
    if printing:
        print_result(config_text(settings).removesuffix("\n"))
        sys.exit(0)
    return settings


def validate(model: type[Given], values: dict[str, Any]) -> Given:
    """The settings. Raises a `UserError` that names the first wrong option."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        message = str(detail["msg"]).removeprefix("Value error, ")
        if not detail["loc"]:
            raise UserError(message) from None
        name, *within = (str(part) for part in detail["loc"] if part != "[key]")
        option = option_name(name)
        if within and isinstance(values.get(name), dict):
            option += f": {'.'.join(within)}"
        if detail["type"] == "missing":
            raise UserError(f"{option} must be given (see --help)") from None
        raise UserError(f"{option}: {message} (got {_USERINFO_PATTERN.sub('//***@', repr(detail['input']))})") from None


def read_config(path: Path, model: type[Options]) -> dict[str, Any]:
    """The values of a config file by field name, not yet validated. Raises `UserError` if the file cannot be read or has an
    unknown key, for which it suggests the nearest name."""
    # Slow to import, and needed only with a config file.
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(f"--config: {path} cannot be read: {why}") from None
    if not isinstance(values, dict):
        raise UserError(f"--config: {path} is not a mapping of option names to values")
    by_field = {str(key).replace("-", "_"): value for key, value in values.items()}
    for key in by_field:
        if key not in model.model_fields:
            raise UserError(f"--config: {path} has the unknown key {key!r}{suggestion(key, model.model_fields)}")
    return by_field


def config_text(settings: Options) -> str:
    """All settings as a config file, by group. Reading it gives the same settings, except for credentials in addresses,
    which are left out with a comment."""
    # Slow to import, and needed only with --print-config.
    import yaml

    values = settings.model_dump(mode="json")
    blocks = []
    for title, names in settings.grouped().items():
        lines = [f"# {title}\n"]
        for name in names:
            # PyYAML escapes either all non-ASCII characters or, with `allow_unicode`, not even line breaks such as U+2028.
            printable = json.dumps(values[name], ensure_ascii=False).isprintable()
            text = yaml.safe_dump({name: values[name]}, allow_unicode=printable, sort_keys=False, width=1000)
            safe = _USERINFO_PATTERN.sub("//", text)
            lines.append(safe if safe == text else f"{_LEFT_OUT_COMMENT}\n{safe}")
        blocks.append("".join(lines))
    return "\n".join(blocks)


def parser_of(model: type[Options], description: str | None = None) -> _Parser:
    """The argument parser of a settings model."""
    main = sys.modules["__main__"].__spec__
    program = _command_typed.get() or (f"python -m {main.name}" if main else Path(sys.argv[0]).name)
    parser = _Parser(
        prog=program,
        usage=f"{program} {_leading_usage(model)}[options]".replace("%", "%%"),
        description=inspect.cleandoc(description or model.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
        add_help=False,
    )
    for title, names in model.grouped().items():
        group = parser.add_argument_group(title)
        for name in names:
            field = model.model_fields[name]
            if typing.get_origin(field.annotation) is not dict:
                group.add_argument(option_name(name), dest=name, **_argument_options(field))
    group = parser.add_argument_group("help and configuration")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")
    group.add_argument("--config", metavar="FILE", help="a YAML file with any of these options")
    group.add_argument("--print-config", action="store_true", help="print all settings as a config file and exit")
    return parser


def _leading_usage(model: type[Options]) -> str:
    if model.leading is None:
        return ""
    argument = _argument_options(model.model_fields[model.leading])
    value = argument.get("metavar") or "{" + ",".join(argument["choices"]) + "}"
    return f"[{option_name(model.leading)}] {value} {f'[{value} ...] ' if 'nargs' in argument else ''}"


def _argument_options(field: FieldInfo) -> dict[str, Any]:
    kinds = _inner_types(field.annotation)
    needs = _needs(field)
    default = _default_text(field.get_default())
    text = f"{f'with {needs}: ' if needs else ''}{field.description or ''}".replace("%", "%%")
    text += f" (default: {default})" if default and "(default" not in text else ""
    if bool in kinds:
        action = argparse.BooleanOptionalAction if field.default is True else "store_true"
        return {"action": action, "help": text}
    choices = [value for kind in kinds if typing.get_origin(kind) is typing.Literal for value in typing.get_args(kind)]
    if choices:
        return {"choices": choices, "help": text}
    metavar = field.json_schema_extra.get("metavar") if isinstance(field.json_schema_extra, dict) else None
    if any(typing.get_origin(kind) is list for kind in kinds):
        return {"action": "extend", "nargs": "+", "metavar": metavar or "VALUE", "help": text}
    number = next((kind.__name__.upper() for kind in kinds if kind in (int, float)), None)
    return {"metavar": metavar or number or ("PATH" if Path in kinds else "NAME"), "help": text}


def _inner_types(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for part in typing.get_args(annotation) if part is not type(None) for kind in _inner_types(part)]
    return _inner_types(typing.get_args(annotation)[0]) if typing.get_origin(annotation) is Annotated else [annotation]


def _default_text(default: Any) -> str:
    if default is None or default is PydanticUndefined or isinstance(default, bool) or default == []:
        return ""
    return " ".join(map(str, default)) if isinstance(default, list) else str(default)


def run_cli(main: typing.Callable[[], int]) -> NoReturn:
    """Runs a command with the variables of `.env` in its environment, and exits. A `UserError` is shown as one line on
    standard error, with exit code 2; a `StorageError` likewise, with exit code 1. An interrupt or a broken pipe ends the
    process quietly, without waiting for threads that are still in a call."""
    # Otherwise the last garbage collections would visit everything that was imported, for a third of a second.
    atexit.register(gc.freeze)
    with safe_streams():
        try:
            load_env_file()
            code = main()
        except (UserError, StorageError) as error:
            print(f"error: {error}", file=sys.stderr)
            code = 2 if isinstance(error, UserError) else 1
        except BrokenPipeError:
            _leave(1)
        except KeyboardInterrupt:
            _leave(INTERRUPTED)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    if all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    logging.shutdown()
    os._exit(code)


def load_env_file(path: Path = Path(".env")) -> None:
    """Sets the variables of the file that are not in the environment yet; a folder of that name (a virtual environment, for
    example) is ignored. Raises `UserError`, which quotes nothing of the file, if it cannot be read or parsed."""
    if not os.path.lexists(path) or path.is_dir():
        return
    # Imported only if needed, since every command would pay for it.
    from dotenv import load_dotenv
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', 'it is not UTF-8 text')}") from None
    for part in parse_stream(io.StringIO(text)):
        has_no_value = part.key is not None and part.value is None
        if part.error or has_no_value or "\0" in part.original.string:
            raise UserError(f"{path}: line {part.original.line} is not NAME=value")
    load_dotenv(stream=io.StringIO(text), override=False)
