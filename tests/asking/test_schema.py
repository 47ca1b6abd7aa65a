"""Invariants of `programs.asking.json_schema`, and of every signature's output as a schema.

1. Nothing is referred to: no $ref, no $defs; no title is left, and a property of that name stays.
2. Every object is closed and requires all its properties, in the order in which they were written.
3. Every string has a longest length (or a list of values), every list a largest count, every whole number a highest
   value: a small model that is held to the schema comes to an end.
4. The schema accepts exactly what the signature's type accepts of well-formed values; the form names every key in order.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from programs.asking.schema import form_of, outputs_of, strict_schema
from tests.making import Answers, made_of
from tests.signed import NAMES, SIGNATURES


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items")]
    for child in children:
        if child is not None:
            yield from nodes(child)


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_all_of_a_schema_is_written_out_closed_and_bounded(signature: Any) -> None:
    schema = strict_schema(outputs_of(signature))
    assert not re.search(r'"(\$ref|\$defs|definitions)"', json.dumps(schema))
    for node in nodes(schema):
        kind = node.get("type")
        assert "title" not in node
        if kind == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        assert kind in ("object", "string", "array", "integer"), f"no grammar bounds {node}"
        if kind == "string":
            assert "enum" in node or "const" in node or node["maxLength"] <= 2000
        if kind == "array":
            assert 0 <= node["minItems"] <= node["maxItems"] <= 16
        if kind == "integer":
            assert node["minimum"] >= 0
            assert node["maximum"] < 2**31


@pytest.mark.parametrize(
    "stage", ["questions", "context", "hypotheses", "evidence", "critique", "perspective", "trace"]
)
def test_good_answers_fulfil_the_schema(stage: str) -> None:
    answers = Answers()
    made_of(answers)
    ask = next(ask for ask in answers.asked if ask.stage == stage)
    schema = strict_schema(outputs_of(ask.predict.signature))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({ask.output: answers.reply(ask).output}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({ask.output: answers.reply(ask).output, "more": 1}, schema)


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_the_form_names_every_key_with_its_description(signature: Any) -> None:
    schema = strict_schema(outputs_of(signature))
    form = form_of(schema)
    place = 0
    for node in nodes(schema):
        assert node.get("description", "") in form
    for key in schema["properties"][next(iter(schema["properties"]))]["properties"]:
        place = form.index(f'"{key}":', place)
