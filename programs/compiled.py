"""Compiled programs as files: what one was made for, which is saved with it and checked before it is used, and its
fingerprint, which says what it asks.

DSPy saves instructions and demonstrations by position; loaded into a program with other fields they would go to the
wrong places without a word. So the saved file carries the ordered names and types of every signature's fields and the
adapter's version, and a program that differs refuses it.
"""

import hashlib
import json
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from programs.asking.adapter import ADAPTER_VERSION
from programs.asking.schema import outputs_of, schema_of
from programs.files import in_place


def program_fingerprint(program: dspy.Module, prompt_order: str) -> str:
    """A hash of all that shapes the prompts: every predictor's fields, types, descriptions, instructions,
    demonstrations and temperature, and the adapter. Programs with equal fingerprints send equal prompts for equal
    inputs."""
    parts: list[Any] = [f"{prompt_order}/{ADAPTER_VERSION}"]
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
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    """A demonstration's value as a saved program holds it."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


KEY = "synthreasoner"
"""Where the identity stands in the `metadata` of a saved program."""


class Identity(BaseModel):
    """`signatures`: per predictor the ordered fields, each `name: type#hash of its schema`. `model` and `prompt_order` are
    those that the program was compiled with, None where it was not. `temperatures`: those tuned, per predictor."""

    signatures: dict[str, list[str]]
    adapter_version: int
    prompt_order: str | None = None
    model: str | None = None
    temperatures: dict[str, Annotated[float, Field(ge=0, le=2)]] = Field(default_factory=dict)


def identity_of(program: dspy.Module, *, model: str | None = None, prompt_order: str | None = None) -> Identity:
    """The identity of a program as it is now."""
    predictors = program.named_predictors()
    return Identity(
        signatures={name: _fields(predictor.signature) for name, predictor in predictors},
        adapter_version=ADAPTER_VERSION,
        prompt_order=prompt_order,
        model=model,
        temperatures={
            name: predictor.config["temperature"]
            for name, predictor in predictors
            if predictor.config.get("temperature") is not None
        },
    )


def saved_state(program: dspy.Module, identity: Identity) -> dict[str, Any]:
    """DSPy's state of a program with its identity, ready for JSON."""
    versions = {"dspy": metadata.version("dspy")}
    state = {"metadata": {"dependency_versions": versions, KEY: identity.model_dump()}}
    return {**program.dump_state(json_mode=True), **state}


def write_program(program: dspy.Module, path: Path, identity: Identity) -> None:
    """Writes a program as one JSON file."""
    text = json.dumps(saved_state(program, identity), indent=2, ensure_ascii=False)
    with in_place(path) as file:
        file.write(f"{text}\n".encode())


def identity_in(state: dict[str, Any]) -> Identity | None:
    """The identity that a saved state carries, or None where it carries none that can be read."""
    try:
        return Identity.model_validate(state["metadata"][KEY])
    except (KeyError, TypeError, ValidationError):
        return None


def differences(saved: Identity, now: Identity) -> list[str]:
    """In what a saved program differs from the present one, in words; nothing: it fits."""
    found = [
        f"{name} is {'gone' if name in saved.signatures else 'new'}"
        for name in sorted({*saved.signatures} ^ {*now.signatures})
    ]
    for name in sorted({*saved.signatures} & {*now.signatures}):
        then, today = saved.signatures[name], now.signatures[name]
        if then != today:
            found.append(f"the fields of {name} were {_changed(then, today)} and are {_changed(today, then)}")
    if saved.adapter_version != now.adapter_version:
        found.append(f"the adapter's version was {saved.adapter_version} and is {now.adapter_version}")
    if saved.prompt_order and now.prompt_order and saved.prompt_order != now.prompt_order:
        found.append(f"--prompt-order was {saved.prompt_order} and is {now.prompt_order}")
    return found


def _changed(fields: list[str], others: list[str]) -> str:
    """The fields that the other side has not; all of them where only the order differs."""
    return ", ".join([field for field in fields if field not in others] or fields)


def _fields(signature: Any) -> list[str]:
    return [f"{name}: {_type(info.annotation)}" for name, info in signature.fields.items()]


def _type(annotation: Any) -> str:
    # Other annotations can be equal and have other schemas: the choices of a Literal in another order.
    return _class(annotation) if isinstance(annotation, type) else _named(annotation)


# Many fields have the same few classes, and making a schema takes milliseconds.
@lru_cache(maxsize=256)
def _class(annotation: type) -> str:
    return _named(annotation)


def _named(annotation: Any) -> str:
    schema = json.dumps(TypeAdapter(annotation).json_schema(), sort_keys=True)
    name = getattr(annotation, "__name__", None) or str(annotation)
    return f"{name}#{hashlib.blake2b(schema.encode(), digest_size=4).hexdigest()}"
