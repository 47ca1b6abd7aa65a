"""Command lines and config files from a settings model: every field is an option, with its help and its bounds.
Fields that are mappings stand in config files only.

What is given on the command line wins over the config file, and that over the defaults. A mistake raises `UserError`
with one line; an unknown key of a config file is answered with the nearest name.
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

from programs.cli.terminal import put, safe_streams
from programs.errors import StorageError, UserError
from programs.redaction import redact


class Needs:
    """Marks an option, in its annotation, that does nothing without one of these others: it is then refused."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __str__(self) -> str:
        return " or ".join(map(option_of, self.names))


class Options(BaseModel):
    """What a command can be told, or a part of that. With the docstring of a command's own class its `--help` begins.
    `leading` is the field whose values may come first on the command line, without its option; `groups` are titles with the
    names of their fields, in the order of `--help` (without any, all fields are one group)."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    leading: ClassVar[str | None] = None
    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        fields = type(self).model_fields
        given = [name for name, field in fields.items() if getattr(self, name) != field.default]
        for name in given:
            if (needs := _needs(fields[name])) is not None and not {*given}.intersection(needs.names):
                raise ValueError(f"{option_of(name)} does nothing without {needs}")
        return self

    @classmethod
    def grouped(cls) -> Mapping[str, Sequence[str]]:
        """The names of all fields by group, in the order in which they are shown."""
        return cls.groups or {"options": [*cls.model_fields]}


def _needs(field: FieldInfo) -> Needs | None:
    return next((each for each in field.metadata if isinstance(each, Needs)), None)


def option_of(name: str) -> str:
    """A field as an option. An underscore at the end keeps a name apart from Python's words: `as_` is `--as`."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Which options have another value than before, in words; what is absent is off. A name of several words stands for
    itself."""
    return [
        f"{name if ' ' in name else option_of(name)} was {before.get(name, 'off')} and is now {now.get(name, 'off')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def nearest(word: str, names: Iterable[str], alike: float = 70.0) -> str:
    """What to add to an error about a word: which of the names was meant. Empty where none is near: `alike` of 100."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(word, list(names), scorer=fuzz.ratio, score_cutoff=alike)
    return f"; did you mean {found[0]!r}?" if found else ""


def comma_separated(value: object) -> object:
    """The different names in a text or a list of texts, split at commas; what is neither comes back as it is."""
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
"""Names that may also be given as one text with commas."""

Many = Annotated[list[str], BeforeValidator(_one_or_many)]
"""Texts, of which a config file may give a single one as it is."""


Given = TypeVar("Given", bound=Options)

INTERRUPTED = 130  # the exit code of what was interrupted: 128 and the number of SIGINT, as shells have it

_USERINFO = re.compile(r"//[^/\s]*@")  # the credentials that someone put into an address
_LEFT_OUT = "# the credentials in this address are left out; add them, or put the address into the environment"

_typed: ContextVar[str | None] = ContextVar("typed", default=None)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{redact(message, ())} (see --help)")


@contextlib.contextmanager
def typed(command: str) -> Iterator[None]:
    """Inside, `--help` names this command, which the user typed, instead of the module's own."""
    token = _typed.set(command)
    try:
        yield
    finally:
        _typed.reset(token)


def parse(model: type[Given], arguments: Sequence[str] | None = None, description: str | None = None) -> Given:
    """The settings that the command line and its config file give. Raises `UserError`; `--help`, which begins with the
    description, and `--print-config` print and exit with 0."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if model.leading and words and not words[0].startswith("-"):
        words = [option_of(model.leading), *words]
    parser = parser_of(model, description)
    found, strange = parser.parse_known_args(words)
    if strange:
        known = parser._option_string_actions if strange[0].startswith("--") else ()
        parser.error(f"unrecognized arguments: {' '.join(strange)}{nearest(strange[0], known)}")
    given = vars(found)
    config, printing = given.pop("config", None), given.pop("print_config", False)
    if config is not None:
        given = {**read_config(Path(config), model), **given}
    settings = validated(model, given)
    if printing:
        put(config_text(settings).removesuffix("\n"))
        sys.exit(0)
    return settings


def validated(model: type[Given], values: dict[str, Any]) -> Given:
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
            within = ".".join(map(str, detail["loc"][1:]))
            raise UserError(f"{f'{option}: {within}' if within else option} must be given (see --help)") from None
        raise UserError(f"{option}: {message} (got {_USERINFO.sub('//***@', repr(detail['input']))})") from None


def read_config(path: Path, model: type[Options]) -> dict[str, Any]:
    """The values of a config file by field, not yet validated. Raises `UserError` for a file that cannot be read, and for a
    key that is no option, naming the nearest that is."""
    # Takes a while to import, and few commands read a config file.
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(f"--config: {path} cannot be read: {why}") from None
    if not isinstance(values, dict):
        raise UserError(f"--config: {path} does not hold options by name")
    fields = {option_of(name): name for name in model.model_fields}
    named = {fields.get(option_of(str(key)), str(key)): value for key, value in values.items()}
    for key in named:
        if key not in model.model_fields:
            known = [name.rstrip("_") for name in model.model_fields]
            raise UserError(f"--config: {path} has the unknown key {key!r}{nearest(key, known)}")
    return named


def config_text(settings: Options) -> str:
    """All settings as a config file, by group. Read again it gives the same settings, less the credentials that stand in
    addresses: they are left out, and a comment says so."""
    import yaml

    values = settings.model_dump(mode="json")
    blocks = []
    for title, names in settings.grouped().items():
        lines = [f"# {title}\n"]
        for name in names:
            pair = {option_of(name).removeprefix("--").replace("-", "_"): values[name]}
            # PyYAML escapes either every letter beyond ASCII or not even the line breaks among them.
            plain = json.dumps(values[name], ensure_ascii=False).isprintable()
            text = yaml.safe_dump(pair, allow_unicode=plain, sort_keys=False, width=1000)
            bare = _USERINFO.sub("//", text)
            lines.append(bare if bare == text else f"{_LEFT_OUT}\n{bare}")
        blocks.append("".join(lines))
    return "\n".join(blocks)


def parser_of(model: type[Options], description: str | None = None) -> _Parser:
    """The command line of a settings model."""
    main = sys.modules["__main__"].__spec__
    program = _typed.get() or (f"python -m {main.name}" if main else Path(sys.argv[0]).name)
    parser = _Parser(
        prog=program,
        usage=f"{program} {_leading(model)}[options]".replace("%", "%%"),
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
                group.add_argument(option_of(name), dest=name, **_argument(field))
    group = parser.add_argument_group("help and configuration")
    group.add_argument("-h", "--help", action="help", help="show this and exit")
    group.add_argument("--config", metavar="FILE", help="a YAML file with any of these options")
    group.add_argument("--print-config", action="store_true", help="print all settings as such a file and exit")
    return parser


def _leading(model: type[Options]) -> str:
    """The field whose option may be left out, as usage names it."""
    if model.leading is None:
        return ""
    told = _argument(model.model_fields[model.leading])
    value = told.get("metavar") or "{" + ",".join(told["choices"]) + "}"
    return f"[{option_of(model.leading)}] {value} {f'[{value} ...] ' if 'nargs' in told else ''}"


def _argument(field: FieldInfo) -> dict[str, Any]:
    kinds, needs, shown = _kinds(field.annotation), _needs(field), _shown(field.get_default())
    text = f"{f'with {needs}: ' if needs else ''}{field.description or ''}".replace("%", "%%")
    text += f" (default: {shown})" if shown and "(default" not in text else ""
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


def _kinds(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for part in typing.get_args(annotation) if part is not type(None) for kind in _kinds(part)]
    return _kinds(typing.get_args(annotation)[0]) if typing.get_origin(annotation) is Annotated else [annotation]


def _shown(default: Any) -> str:
    if default is None or default is PydanticUndefined or isinstance(default, bool) or default == []:
        return ""
    return " ".join(map(str, default)) if isinstance(default, list) else str(default)


def run_cli(main: typing.Callable[[], int]) -> NoReturn:
    """Runs a command, with the variables of `.env` in its environment. A `UserError` is one line on standard error and
    exit code 2, a `StorageError` one and exit code 1. An interrupt, or an output that nobody reads any more, ends it
    quietly, and it does not wait for threads whose calls find no answer."""
    # The interpreter's last collections would walk over all that was imported: a third of a second.
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
    """Ends the process, without the threads that are left."""
    if all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    logging.shutdown()
    os._exit(code)


def load_env_file(path: Path = Path(".env")) -> None:
    """Sets the variables of the file that the environment does not have yet; a folder of that name (a virtual environment,
    say) is none. Raises `UserError`, without a word of its content, for a file that cannot be read or understood."""
    if not os.path.lexists(path) or path.is_dir():
        return
    # Only where there is such a file: every command would pay for it.
    from dotenv import load_dotenv
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', 'it is not UTF-8 text')}") from None
    for part in parse_stream(io.StringIO(text)):
        lacking = part.key is not None and part.value is None
        if part.error or lacking or "\0" in part.original.string:
            raise UserError(f"{path}: line {part.original.line} is not NAME=value")
    load_dotenv(stream=io.StringIO(text), override=False)
