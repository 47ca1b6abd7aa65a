"""Compiled programs as files: written, checked, loaded; and a program's fingerprint, which says what it asks.

DSPy saves instructions and demonstrations by position; loaded into a program with other fields they would go to the
wrong places without a word. So the saved file carries the ordered names and types of every signature's fields and the
adapter's version, and a program that differs refuses it. It is read as data: models, addresses and keys in it are never
taken.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from programs.asking.adapter import ADAPTER_VERSION
from programs.asking.schema import outputs_of, schema_of
from programs.errors import UserError
from programs.files import in_place
from programs.inputs.sample import content_id

log = logging.getLogger("synthreasoner")

KEY = "synthreasoner"
"""Where the identity stands in the `metadata` of a saved program."""

ORDER = "passage-first"
"""The order of the prompts, which fingerprints name."""


class _Field(BaseModel):
    prefix: str
    description: str


class _Signature(BaseModel):
    instructions: str
    fields: list[_Field]


class _Predictor(BaseModel):
    """What a saved predictor may hold. Anything else could set attributes that DSPy would act on."""

    model_config = ConfigDict(extra="forbid")
    signature: _Signature
    demos: list[dict[str, Any]] = []
    traces: list[Any] = []
    train: list[Any] = []
    lm: Any = None


_PREDICTORS = TypeAdapter(dict[str, _Predictor])


def program_fingerprint(program: dspy.Module) -> str:
    """A hash of all that shapes the prompts: every predictor's fields, types, descriptions, instructions,
    demonstrations and temperature, and the adapter. Programs with equal fingerprints send equal prompts for equal
    inputs."""
    parts: list[Any] = [f"{ORDER}/{ADAPTER_VERSION}"]
    for name, predictor in program.named_predictors():
        signature = predictor.signature
        fields = [
            [field, str(info.annotation), (info.json_schema_extra or {}).get("desc")]
            for field, info in signature.fields.items()
        ]
        outputs = schema_of(outputs_of(signature))
        demos = [dict(demo) for demo in predictor.demos]
        own = [predictor.config["temperature"]] if "temperature" in predictor.config else []
        parts.append([name, fields, json.dumps(outputs), signature.instructions, demos, *own])
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=_plain)
    return content_id(text)


def _plain(value: Any) -> Any:
    """A demonstration's value as a saved program holds it."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


class Identity(BaseModel):
    """What a saved program was made for, which decides whether another can load it: by predictor the ordered fields of its
    `signatures`, each as "name: type#hash of the type's schema", and the adapter's version and `prompt_order` (None: the
    only one there is). `model` is the one that it was compiled with, None where it was not; `temperatures` are those that
    were tuned, by predictor."""

    signatures: dict[str, list[str]]
    adapter_version: int
    prompt_order: str | None = None
    model: str | None = None
    temperatures: dict[str, Annotated[float, Field(ge=0, le=2)]] = Field(default_factory=dict)


def _identity_of(program: dspy.Module, model: str | None = None) -> Identity:
    """The identity of a program as it is now."""
    signatures, temperatures = {}, {}
    for name, predictor in program.named_predictors():
        fields = predictor.signature.fields.items()
        signatures[name] = [f"{field}: {_type(info.annotation)}" for field, info in fields]
        if (temperature := predictor.config.get("temperature")) is not None:
            temperatures[name] = temperature
    return Identity(signatures=signatures, adapter_version=ADAPTER_VERSION, model=model, temperatures=temperatures)


def _type(annotation: Any) -> str:
    schema = json.dumps(TypeAdapter(annotation).json_schema(), sort_keys=True)
    name = getattr(annotation, "__name__", None) or str(annotation)
    return f"{name}#{hashlib.blake2b(schema.encode(), digest_size=4).hexdigest()}"


def write_program(program: dspy.Module, path: Path, *, model: str | None = None) -> None:
    """Writes a program, DSPy's state of it with its identity, as one JSON file; `model` is the one it was compiled with."""
    versions = {"dspy": metadata.version("dspy")}
    state = {"metadata": {"dependency_versions": versions, KEY: _identity_of(program, model).model_dump()}}
    text = json.dumps({**program.dump_state(json_mode=True), **state}, indent=2, ensure_ascii=False)
    with in_place(path) as file:
        file.write(f"{text}\n".encode())


def program_file(path: Path) -> Path:
    """The file of a program that is named by its folder or its file."""
    return path / "program.json" if path.is_dir() else path


def identity_at(program: Path | str) -> Identity:
    """What a saved program was made for. Raises `UserError` where there is none."""
    path = program_file(Path(program))
    return _read(path)[1]


def load_program(program: dspy.Module, path: Path, *, model: str | None = None) -> None:
    """Gives a program the instructions, demonstrations and temperatures of a saved one.

    `path` is a folder that `python -m optimize.compile` wrote, or the program.json in it, or a file that `Tracer.save`
    wrote. It must have been made for this program, field by field; that it was compiled for another model than `model` is
    logged.
    Raises `UserError`, naming what differs, when there is none or it is another program's.
    """
    path = program_file(path)
    state, identity = _read(path)
    given = _predictors(path, {name: part for name, part in state.items() if name != "metadata"})
    present = _predictors(path, program.dump_state())
    if found := _differences(identity, _identity_of(program)) or _others(given, present):
        raise UserError(
            f"--program: {path} was made for another program, with other {', '.join(found)}. Compile it again"
        )
    if model is not None and identity.model not in (None, model):
        log.warning("%s was compiled for %s, and is used with %s", path, identity.model, model)
    program.load_state({name: {**state[name], "lm": None} for name in given})
    for name, predictor in program.named_predictors():
        if name in identity.temperatures:
            predictor.config["temperature"] = identity.temperatures[name]


def _differences(saved: Identity, now: Identity) -> list[str]:
    """In what a saved program differs from the present one; nothing: it fits."""
    found = [f"fields of {name}" for name in _others(saved.signatures, now.signatures)]
    if saved.adapter_version != now.adapter_version:
        found.append("form of replies (the adapter's version)")
    if saved.prompt_order not in (None, ORDER):
        found.append("order of prompts")
    return found


def _others(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The names under which two tables have different things."""
    return sorted(name for name in {*saved, *now} if saved.get(name) != now.get(name))


def _predictors(path: Path, state: dict[str, Any]) -> dict[str, list[str]]:
    """The predictors of a program's state with the prefixes of their fields. Raises `UserError` for what is none."""
    try:
        read = _PREDICTORS.validate_python(state)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise UserError(f"--program: {path} is not a saved program: {where}: {fault['msg']}") from None
    return {name: [field.prefix for field in predictor.signature.fields] for name, predictor in read.items()}


def _read(path: Path) -> tuple[dict[str, Any], Identity]:
    """A saved program, and what it was made for. Raises `UserError`."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return state, Identity.model_validate(state["metadata"][KEY])
    except FileNotFoundError:
        raise UserError(f"--program: there is no file {path}") from None
    except (KeyError, TypeError, ValidationError):
        raise UserError(
            f"--program: {path} does not say which program it was made for: "
            "it takes one of python -m optimize.compile, or of Tracer.save"
        ) from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UserError(f"--program: {path} cannot be read as JSON: {error}") from None
