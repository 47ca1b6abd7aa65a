"""Invariants of `programs.asking.json_schema`, and of every signature's output as a schema.

1. Nothing is referred to: no $ref, no $defs; no title is left, and a property of that name stays.
2. Every object is closed and requires all its properties, in the order in which they were written.
3. Every string has a longest length (or a list of values), every list a largest count, every whole number a highest
   value: a small model that is held to the schema comes to an end.
4. The schema accepts exactly what the signature's type accepts of well-formed values; the form names every key in order.
5. Writing out keeps what stands beside a reference, such as the description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from programs.asking.schema import form_of, schema_of
from tests.making import Answers, made_of
from tests.signed import NAMES, SIGNATURES, outputs_of


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items")]
    for child in children:
        if child is not None:
            yield from nodes(child)


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_nothing_is_referred_to_and_no_title_is_left(signature: Any) -> None:
    schema = schema_of(outputs_of(signature))
    assert not re.search(r'"(\$ref|\$defs|definitions)"', json.dumps(schema))
    assert all("title" not in node for node in nodes(schema))


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_every_object_is_closed_and_requires_all_its_properties_in_order(signature: Any) -> None:
    objects = [node for node in nodes(schema_of(outputs_of(signature))) if node.get("type") == "object"]
    assert objects
    for node in objects:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_every_string_list_and_number_is_bounded(signature: Any) -> None:
    for node in nodes(schema_of(outputs_of(signature))):
        kind = node.get("type")
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
    schema = schema_of(outputs_of(ask.predict.signature))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({ask.output: answers.reply(ask).output}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({ask.output: answers.reply(ask).output, "more": 1}, schema)


class Inner(BaseModel):
    """What an inner thing is."""

    title: Annotated[str, Field(max_length=5)]
    kind: Literal["b", "a"]


class Outer(BaseModel):
    second: Inner = Field(description="beside the reference")
    first: Annotated[list[Inner], Field(max_length=2)]


def test_what_stands_beside_a_reference_wins() -> None:
    parts = schema_of((("outer", Outer),))["properties"]["outer"]["properties"]
    assert list(parts) == ["second", "first"]
    assert parts["second"]["properties"]["title"] == {"maxLength": 5, "type": "string"}
    assert parts["second"]["properties"]["kind"]["enum"] == ["b", "a"]
    assert parts["second"]["description"] == "beside the reference"
    assert parts["first"]["items"]["description"] == "What an inner thing is."


@pytest.mark.parametrize("signature", SIGNATURES, ids=NAMES)
def test_the_form_names_every_key_with_its_description(signature: Any) -> None:
    schema = schema_of(outputs_of(signature))
    form = form_of(schema)
    place = 0
    for node in nodes(schema):
        assert node.get("description", "") in form
    for key in schema["properties"][next(iter(schema["properties"]))]["properties"]:
        place = form.index(f'"{key}":', place)
