"""Invariants of `programs.asking.schema` for the output of every signature.

1. A schema has no $ref, no $defs and no title, but keeps a property of that name.
2. Every object is closed and requires all its properties, in the order in which they were declared.
3. Every string has a maximum length (or a list of values), every list a maximum length and every whole number a maximum,
   so that a small model that is held to the schema comes to an end.
4. The schema accepts exactly the well-formed values that the signature's type accepts. The form names every key in order.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from programs.asking.schema import form_of, outputs_of, strict_schema
from tests.all_signatures import SIGNATURE_NAMES, SIGNATURES
from tests.builders import Answers, run_tracer


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items")]
    for child in children:
        if child is not None:
            yield from nodes(child)


@pytest.mark.parametrize("signature", SIGNATURES, ids=SIGNATURE_NAMES)
def test_a_schema_is_closed_bounded_and_has_no_references(signature: Any) -> None:
    schema = strict_schema(outputs_of(signature))
    assert not re.search(r'"(\$ref|\$defs|definitions)"', json.dumps(schema))
    for node in nodes(schema):
        kind = node.get("type")
        assert "title" not in node
        if kind == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        assert kind in ("object", "string", "array", "integer"), f"no grammar can bound {node}"
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
def test_good_answers_match_the_schema(stage: str) -> None:
    answers = Answers()
    run_tracer(answers)
    ask = next(ask for ask in answers.asks if ask.stage == stage)
    schema = strict_schema(outputs_of(ask.predict.signature))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({ask.output_field: answers.reply(ask).output}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({ask.output_field: answers.reply(ask).output, "more": 1}, schema)


@pytest.mark.parametrize("signature", SIGNATURES, ids=SIGNATURE_NAMES)
def test_the_form_names_every_key_with_its_description(signature: Any) -> None:
    schema = strict_schema(outputs_of(signature))
    form = form_of(schema)
    position = 0
    for node in nodes(schema):
        assert node.get("description", "") in form
    for key in schema["properties"][next(iter(schema["properties"]))]["properties"]:
        position = form.index(f'"{key}":', position)
