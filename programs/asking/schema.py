"""JSON schemas of a signature's outputs: for the server to enforce, for the prompt, and to read replies by."""

import json
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from signatures.prompt import WHOLE

Schema = dict[str, Any]
Outputs = tuple[tuple[str, Any], ...]

# DSPy makes the mappings of a signature's fields anew at every access, and making a schema takes milliseconds.
cached = lru_cache(maxsize=256)


@cached
def outputs_of(signature: Any) -> Outputs:
    """The (name, type) of each output field of a signature, in their order."""
    return tuple((name, info.annotation) for name, info in signature.output_fields.items())


@cached
def reply_type(outputs: Outputs) -> type[BaseModel]:
    """The type of an object with these (name, type) fields."""
    fields: dict[str, Any] = {name: (annotation, ...) for name, annotation in outputs}
    made: type[BaseModel] = create_model("Reply", __config__=ConfigDict(extra="forbid"), **fields)
    return made


@cached
def taken_schema(outputs: Outputs) -> Schema:
    """The schema of what is taken for such an object: as `schema_of`, but what has a default is not required, and what
    hangs together is marked `WHOLE`."""
    return _made(outputs, closed=False)


@cached
def schema_of(outputs: Outputs) -> Schema:
    """The schema of an object with these (name, type) fields, in their order.

    References are written out, titles left out, every property required and no other allowed: the dialect that
    OpenAI's strict mode, vLLM and llama.cpp have in common. Equal fields share one schema, which nobody may change.
    """
    return _made(outputs, WHOLE, "default")


@cached
def enforced_schema(outputs: Outputs) -> Schema:
    """The schema for a server to enforce: no bounds of texts, at which it would cut a sentence in the middle."""
    return _made(outputs, WHOLE, "default", "minLength", "maxLength")


def _made(outputs: Outputs, *left_out: str, closed: bool = True) -> Schema:
    """pydantic's schema with its references written out, without some keys."""
    schema = reply_type(outputs).model_json_schema()
    definitions = schema.get("$defs", {})

    def written(node: Schema) -> Schema:
        if "anyOf" in node:
            # What may be missing when it is read is asked for all the same.
            (wanted,) = [part for part in node["anyOf"] if part.get("type") != "null"]
            node = {**wanted, **_without(node, "anyOf", "default")}
        if "$ref" in node:
            node = {**definitions[node["$ref"].rsplit("/", 1)[-1]], **_without(node, "$ref")}
        made = _without(node, "$defs", "title", *left_out)
        if "properties" in made:
            made["properties"] = {name: written(part) for name, part in made["properties"].items()}
            made |= {"required": list(made["properties"]), "additionalProperties": False} if closed else {}
        if "items" in made:
            made["items"] = written(made["items"])
        return made

    return written(schema)


def _without(node: Schema, *keys: str) -> Schema:
    return {key: value for key, value in node.items() if key not in keys}


def form_of(schema: Schema, indent: str = "") -> str:
    """The schema as a form to fill in: its keys in order, each with what to write there."""
    if "properties" in schema:
        return _object_form(schema, indent)
    note = f": {schema['description']}" if "description" in schema else ""
    if schema.get("type") == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        count = f"at least {least}" if most is None else f"{least} to {most}"
        return f"[{count} of {form_of(schema['items'], indent)}{note}]"
    return f"<{_kind_of(schema)}{note}>"


def _object_form(schema: Schema, indent: str) -> str:
    """An object's form; a part that has the form of an earlier one only says so."""
    inner = indent + "  "
    lines, first = [], dict[str, str]()
    for name, part in schema["properties"].items():
        text = form_of(part, inner)
        shape = form_of(_without(part, "description"), inner)
        if "properties" in part and shape in first:
            text = f"{{as {json.dumps(first[shape])}, but {part.get('description', 'another')}}}"
        first.setdefault(shape, name)
        lines.append(f"{inner}{json.dumps(name)}: {text}")
    what = f"{inner}({schema['description']})\n" if "description" in schema else ""
    return "{\n" + what + ",\n".join(lines) + f"\n{indent}}}"


def _kind_of(schema: Schema) -> str:
    """What a value is to be."""
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "integer" and "maximum" in schema:
        return f"whole number from {schema.get('minimum', 0)} to {schema['maximum']}"
    if schema.get("type") == "string" and "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters"
    return str(schema.get("type", "value"))
