"""Compiled programs as files: writing, checking and loading them. Also the fingerprint of a program's prompts.

A saved program has the instructions and the demonstrations of every predictor, in the form of DSPy's `dump_state`. They are
of use only to a program with the same fields. So the file also has the ordered names and types of every signature's fields
and the adapter's version, and is rejected if these do not match. Nothing else in it is read: no model, address or key.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from programs.asking.adapter import ADAPTER_VERSION
from programs.asking.schema import outputs_of, strict_schema
from programs.errors import UserError
from programs.files import atomic_write
from programs.inputs.sample import content_id

log = logging.getLogger("synthreasoner")

IDENTITY_KEY = "synthreasoner"
"""The key of the `Identity` in the `metadata` of a saved program."""


class _Signature(BaseModel):
    instructions: str


class _Predictor(BaseModel):
    """What is read of a saved predictor."""

    signature: _Signature
    demos: list[dict[str, Any]] = []


_PREDICTORS = TypeAdapter(dict[str, _Predictor])


def program_fingerprint(program: dspy.Module) -> str:
    """A hash of everything that shapes the prompts: every predictor's fields, types, descriptions, instructions,
    demonstrations and temperature, and the adapter. Equal fingerprints mean equal prompts for equal inputs."""
    parts: list[Any] = [f"passage-first/{ADAPTER_VERSION}"]
    for name, predictor in program.named_predictors():
        signature = predictor.signature
        fields = [
            [field, str(info.annotation), (info.json_schema_extra or {}).get("desc")]
            for field, info in signature.fields.items()
        ]
        outputs = strict_schema(outputs_of(signature))
        demos = [dict(demo) for demo in predictor.demos]
        own = [predictor.config["temperature"]] if "temperature" in predictor.config else []
        parts.append([name, fields, json.dumps(outputs), signature.instructions, demos, *own])
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=_saved_form)
    return content_id(text)


def _saved_form(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


class Identity(BaseModel):
    """What a saved program was made for, which decides whether another can load it: by predictor the ordered fields of its
    `signatures`, each as "name: type#hash of the type's schema", and the adapter's version. `model` is the one that it
    was compiled for, if any; `temperatures` are the tuned ones."""

    signatures: dict[str, list[str]]
    adapter_version: int
    model: str | None = None
    temperatures: dict[str, Annotated[float, Field(ge=0, le=2)]] = Field(default_factory=dict)


def _identity_of(program: dspy.Module, model: str | None = None) -> Identity:
    signatures, temperatures = {}, {}
    for name, predictor in program.named_predictors():
        fields = predictor.signature.fields.items()
        signatures[name] = [f"{field}: {_type_name(info.annotation)}" for field, info in fields]
        if (temperature := predictor.config.get("temperature")) is not None:
            temperatures[name] = temperature
    return Identity(signatures=signatures, adapter_version=ADAPTER_VERSION, model=model, temperatures=temperatures)


def _type_name(annotation: Any) -> str:
    schema = json.dumps(TypeAdapter(annotation).json_schema(), sort_keys=True)
    name = getattr(annotation, "__name__", None) or str(annotation)
    return f"{name}#{hashlib.blake2b(schema.encode(), digest_size=4).hexdigest()}"


def write_program(program: dspy.Module, path: Path, *, model: str | None = None) -> None:
    """Writes a program as one JSON file: DSPy's state and the identity. `model` is the one that it was compiled for."""
    versions = {"dspy": metadata.version("dspy")}
    state = {"metadata": {"dependency_versions": versions, IDENTITY_KEY: _identity_of(program, model).model_dump()}}
    text = json.dumps({**program.dump_state(json_mode=True), **state}, indent=2, ensure_ascii=False)
    with atomic_write(path) as file:
        file.write(f"{text}\n".encode())


def read_identity(program: Path | str) -> Identity:
    """What a saved program was made for. Raises `UserError` if there is no such program."""
    return _read_program(Path(program))[1]


def load_program(program: dspy.Module, path: Path, *, model: str | None = None) -> None:
    """Gives a program the instructions, demonstrations and temperatures of a saved one.

    `path` is a folder that `python -m optimize.compile` wrote, or the program.json in it, or a file that `Tracer.save`
    wrote. The saved program must match this one field by field. If it was compiled for another model than `model`, a
    warning is logged. Raises `UserError`, naming the differences, if there is none or it is another program's.
    """
    predictors, identity = _read_program(path)
    if differences := _differences(identity, _identity_of(program), predictors):
        reason = f"was made for another program (differences: {', '.join(differences)})"
        raise UserError(f"--program: {path} {reason}. Compile it again")
    if model is not None and identity.model not in (None, model):
        log.warning("%s was compiled for %s but is used with %s", path, identity.model, model)
    for name, predictor in program.named_predictors():
        predictor.signature = predictor.signature.with_instructions(predictors[name].signature.instructions)
        predictor.demos = predictors[name].demos
        if name in identity.temperatures:
            predictor.config["temperature"] = identity.temperatures[name]


def _differences(saved: Identity, now: Identity, predictors: Mapping[str, _Predictor]) -> list[str]:
    before, after = saved.signatures, now.signatures
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n) or n not in predictors)
    found = [f"fields of {name}" for name in names]
    if saved.adapter_version != now.adapter_version:
        found.append("form of replies (the adapter's version)")
    return found


def _read_program(path: Path) -> tuple[dict[str, _Predictor], Identity]:
    path = path / "program.json" if path.is_dir() else path
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        identity = Identity.model_validate(state["metadata"][IDENTITY_KEY])
        return _PREDICTORS.validate_python({n: part for n, part in state.items() if n != "metadata"}), identity
    except FileNotFoundError:
        raise UserError(f"--program: {path} does not exist") from None
    except (KeyError, TypeError, ValidationError):
        reason = "is not a program written by python -m optimize.compile or Tracer.save"
        raise UserError(f"--program: {path} {reason}") from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UserError(f"--program: {path} cannot be read as JSON: {error}") from None
