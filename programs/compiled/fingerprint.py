"""Fingerprints: what a program asks."""

import hashlib
import json
from typing import Any

import dspy
from pydantic import BaseModel

from programs.asking.adapter import ADAPTER_VERSION
from programs.asking.json_schema import outputs_of, schema_of


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
