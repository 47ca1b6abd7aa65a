"""Config files: YAML with any options of a command by name, read by `--config` and written by `--print-config`."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from rapidfuzz import process

from programs.cli.options import grouped, option_of
from programs.errors import UserError

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")
_LEFT_OUT = "# the credentials in this address are left out; add them, or put the address into the environment"


def read_config(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    """The values of a config file by field, not yet validated. Raises `UserError` for a file that cannot be read, and for a
    key that is no option, naming the nearest that is."""
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


def config_text(settings: BaseModel) -> str:
    """All settings as a config file, by group. Read again it gives the same settings, less the credentials that stand in
    addresses: they are left out, and a comment says so."""
    values = settings.model_dump(mode="json")
    blocks = []
    for title, names in grouped(type(settings)).items():
        lines = [f"# {title}\n"]
        for name in names:
            bare = _bare(values[name])
            lines += [f"{_LEFT_OUT}\n"] if bare != values[name] else []
            key = option_of(name).removeprefix("--").replace("-", "_")
            # PyYAML escapes either every letter beyond ASCII or not even the line breaks among them.
            plain = json.dumps(bare, ensure_ascii=False).isprintable()
            lines.append(yaml.safe_dump({key: bare}, allow_unicode=plain, sort_keys=False, width=1000))
        blocks.append("".join(lines))
    return "\n".join(blocks)


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return _CREDENTIALS.sub("", value) if isinstance(value, str) else value
