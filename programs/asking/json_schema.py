"""JSON schemas of a signature's outputs: for the server to enforce, for the prompt, and to read replies by."""

import json
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from signatures.bounds import WHOLE

Schema = dict[str, Any]
Outputs = tuple[tuple[str, Any], ...]


# DSPy makes the mappings of a signature's fields anew at every access.
@lru_cache(maxsize=256)
def outputs_of(signature: Any) -> Outputs:
    """The (name, type) of each output field of a signature, in their order."""
    return tuple((name, info.annotation) for name, info in signature.output_fields.items())


@lru_cache(maxsize=256)
def reply_type(outputs: Outputs) -> type[BaseModel]:
    """The type of an object with these (name, type) fields."""
    fields: dict[str, Any] = {name: (annotation, ...) for name, annotation in outputs}
    made: type[BaseModel] = create_model("Reply", __config__=ConfigDict(extra="forbid"), **fields)
    return made


@lru_cache(maxsize=256)
def taken_schema(outputs: Outputs) -> Schema:
    """The schema of what is taken for such an object: as `schema_of`, but what has a default is not required, and what
    hangs together is marked `WHOLE`."""
    schema = reply_type(outputs).model_json_schema()
    written: Schema = _written_out(schema, schema.get("$defs", {}))
    return written


# A program's fingerprint asks for every stage's schema, and making one takes milliseconds.
@lru_cache(maxsize=256)
def schema_of(outputs: Outputs) -> Schema:
    """The schema of an object with these (name, type) fields, in their order.

    References are written out, titles left out, every property required and no other allowed: the dialect that
    OpenAI's strict mode, vLLM and llama.cpp have in common. Equal fields share one schema, which nobody may change.
    """
    closed: Schema = _closed(taken_schema(outputs))
    return closed


@lru_cache(maxsize=256)
def enforced_schema(outputs: Outputs) -> Schema:
    """The schema for a server to enforce: no bounds of texts, at which it would cut a sentence in the middle."""
    unbounded: Schema = _without_text_bounds(schema_of(outputs))
    return unbounded


def _written_out(node: Any, definitions: dict[str, Schema]) -> Any:
    if isinstance(node, list):
        return [_written_out(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:
        # What may be missing when it is read is asked for all the same.
        (wanted,) = [part for part in node["anyOf"] if part.get("type") != "null"]
        node = {**wanted, **{key: value for key, value in node.items() if key not in ("anyOf", "default")}}
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    result: Schema = {}
    for key, value in node.items():
        if key == "$defs" or (key == "title" and isinstance(value, str)):
            continue
        result[key] = (
            {name: _written_out(part, definitions) for name, part in value.items()}
            if key == "properties"
            else _written_out(value, definitions)
        )
    return result


def _closed(node: Any) -> Any:
    """A written-out schema with every property required, no other allowed, no default, and no mark of our own."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _closed(value) for key, value in node.items() if key not in (WHOLE, "default")}
    if "properties" in node:
        result["properties"] = {name: _closed(part) for name, part in node["properties"].items()}
        result["required"] = list(node["properties"])
        result["additionalProperties"] = False
    return result


def _without_text_bounds(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_text_bounds(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _without_text_bounds(value) for key, value in node.items() if key not in ("minLength", "maxLength")}
    if "properties" in node:
        result["properties"] = {name: _without_text_bounds(part) for name, part in node["properties"].items()}
    return result


def form_of(schema: Schema) -> str:
    """The schema as a form to fill in: its keys in order, each with what to write there."""
    return _form(schema, "")


def _form(schema: Schema, indent: str) -> str:
    if "properties" in schema:
        return _object_form(schema, indent)
    note = f": {schema['description']}" if "description" in schema else ""
    if schema.get("type") == "array":
        return f"[{_count(schema)} of {_form(schema['items'], indent)}{note}]"
    return f"<{kind_of(schema)}{note}>"


def _object_form(schema: Schema, indent: str) -> str:
    """An object's form; a part that has the form of an earlier one only says so."""
    inner = indent + "  "
    lines, first = [], dict[str, str]()
    for name, part in schema["properties"].items():
        text = _form(part, inner)
        shape = _form({key: value for key, value in part.items() if key != "description"}, inner)
        if "properties" in part and shape in first:
            text = f"{{as {json.dumps(first[shape])}, but {part.get('description', 'another')}}}"
        first.setdefault(shape, name)
        lines.append(f"{inner}{json.dumps(name)}: {text}")
    what = f"{inner}({schema['description']})\n" if "description" in schema else ""
    return "{\n" + what + ",\n".join(lines) + f"\n{indent}}}"


def _count(schema: Schema) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    return f"{least} to {most}" if most is not None else f"at least {least}"


def kind_of(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "integer" and "maximum" in schema:
        return f"whole number from {schema.get('minimum', 0)} to {schema['maximum']}"
    if schema.get("type") == "string" and "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters"
    return str(schema.get("type", "value"))
