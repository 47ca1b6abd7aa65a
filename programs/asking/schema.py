"""JSON schemas of a signature's outputs: for the server to enforce, for the prompt, and for reading replies."""

import json
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from signatures.prompt import WHOLE

Schema = dict[str, Any]
Outputs = tuple[tuple[str, Any], ...]

# DSPy rebuilds the mappings of a signature's fields at every access, and building a schema takes milliseconds.
cached = lru_cache(maxsize=256)


@cached
def outputs_of(signature: Any) -> Outputs:
    """The (name, type) of each output field of a signature, in order."""
    return tuple((name, info.annotation) for name, info in signature.output_fields.items())


@cached
def reply_type(outputs: Outputs) -> type[BaseModel]:
    """The pydantic model of an object with these (name, type) fields."""
    fields: dict[str, Any] = {name: (annotation, ...) for name, annotation in outputs}
    model: type[BaseModel] = create_model("Reply", __config__=ConfigDict(extra="forbid"), **fields)
    return model


@cached
def lenient_schema(outputs: Outputs) -> Schema:
    """The schema for reading such an object. Unlike in `strict_schema`, fields with a default are not required, and lists
    whose items belong together are marked `WHOLE`."""
    return _build_schema(outputs, closed=False)


@cached
def strict_schema(outputs: Outputs) -> Schema:
    """The schema of an object with these (name, type) fields, in order.

    References are inlined, titles left out, every property required and no others allowed: the dialect that OpenAI's strict
    mode, vLLM and llama.cpp have in common. The schema is cached and shared, so do not modify it.
    """
    return _build_schema(outputs, WHOLE, "default")


@cached
def enforced_schema(outputs: Outputs) -> Schema:
    """The schema for a server to enforce, without the lengths of texts, at which the server would cut off sentences."""
    return _build_schema(outputs, WHOLE, "default", "minLength", "maxLength")


def _build_schema(outputs: Outputs, *left_out: str, closed: bool = True) -> Schema:
    """pydantic's schema with references inlined, without the keys `left_out`."""
    schema = reply_type(outputs).model_json_schema()
    definitions = schema.get("$defs", {})

    def inlined(node: Schema) -> Schema:
        if "anyOf" in node:
            # An optional value is requested nevertheless, so the null alternative is dropped.
            (wanted,) = [part for part in node["anyOf"] if part.get("type") != "null"]
            node = {**wanted, **_without(node, "anyOf", "default")}
        if "$ref" in node:
            node = {**definitions[node["$ref"].rsplit("/", 1)[-1]], **_without(node, "$ref")}
        result = _without(node, "$defs", "title", *left_out)
        if "properties" in result:
            result["properties"] = {name: inlined(part) for name, part in result["properties"].items()}
            result |= {"required": list(result["properties"]), "additionalProperties": False} if closed else {}
        if "items" in result:
            result["items"] = inlined(result["items"])
        return result

    return inlined(schema)


def _without(node: Schema, *keys: str) -> Schema:
    return {key: value for key, value in node.items() if key not in keys}


def form_of(schema: Schema, indent: str = "") -> str:
    """The schema as a form to fill in: its keys in order, each with a description of its value."""
    if "properties" in schema:
        return _object_form(schema, indent)
    note = f": {schema['description']}" if "description" in schema else ""
    if schema.get("type") == "array":
        minimum, maximum = schema.get("minItems", 0), schema.get("maxItems")
        count = f"at least {minimum}" if maximum is None else f"{minimum} to {maximum}"
        return f"[{count} of {form_of(schema['items'], indent)}{note}]"
    return f"<{_describe_kind(schema)}{note}>"


def _object_form(schema: Schema, indent: str) -> str:
    """The form of an object. A property with the same form as an earlier one refers to that one."""
    inner = indent + "  "
    lines, names_by_form = [], dict[str, str]()
    for name, part in schema["properties"].items():
        text = form_of(part, inner)
        plain_form = form_of(_without(part, "description"), inner)
        if "properties" in part and plain_form in names_by_form:
            text = f"{{as {json.dumps(names_by_form[plain_form])}, but {part.get('description', 'another')}}}"
        names_by_form.setdefault(plain_form, name)
        lines.append(f"{inner}{json.dumps(name)}: {text}")
    description = f"{inner}({schema['description']})\n" if "description" in schema else ""
    return "{\n" + description + ",\n".join(lines) + f"\n{indent}}}"


def _describe_kind(schema: Schema) -> str:
    """The kind of value that the schema describes, in words."""
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "integer" and "maximum" in schema:
        return f"whole number from {schema.get('minimum', 0)} to {schema['maximum']}"
    if schema.get("type") == "string" and "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters"
    return str(schema.get("type", "value"))
