"""The ladder of structured output: what each rung asks for, and how a run settles on one."""

from __future__ import annotations

import pytest

from programs.lms.meter import metered
from programs.lms.structured import Ladder, Rung, response_format, rung_of
from tests.lms.asking import ANSWER, FORMAT, SCHEMA, ask, brain, openai_model, request
from tests.standin.server import StandIn


def test_each_rung() -> None:
    full = response_format(FORMAT, Rung.FULL)
    assert full is not None
    assert full["json_schema"]["schema"] == SCHEMA
    assert response_format(FORMAT, Rung.JSON_OBJECT) == {"type": "json_object"}
    assert response_format(FORMAT, Rung.NONE) is None
    assert response_format(None, Rung.FULL) is None


def test_where_a_body_really_stands() -> None:
    assert rung_of(None, Rung.FULL) is Rung.NONE
    assert rung_of({"type": "json_object"}, Rung.FULL) is Rung.JSON_OBJECT
    assert rung_of({"type": "json_schema"}, Rung.FULL) is Rung.FULL


def test_a_ladder_only_goes_down() -> None:
    ladder = Ladder()
    ladder.settle(Rung.JSON_OBJECT)
    ladder.settle(Rung.FULL)
    assert ladder.rung is Rung.JSON_OBJECT


@pytest.mark.parametrize(("formats", "refusals"), [("all", 0), ("json_object", 1), ("none", 2)])
async def test_a_server_that_refuses_is_asked_for_less(formats: str, refusals: int) -> None:
    with StandIn(brain, formats=formats) as server:
        async with openai_model(server) as model:
            with metered() as meter:
                first = await ask(model, request(response_format=FORMAT))
                second = await ask(model, request(response_format=FORMAT))
    assert first.text == second.text == ANSWER
    assert meter.attempts == len(server.calls) == refusals + 2
    assert meter.faults.get("schema", 0) == refusals


async def test_a_call_that_fails_on_every_rung_lowers_none() -> None:
    with StandIn(brain, models=[("x", "other")]) as server:
        async with openai_model(server) as model:
            with pytest.raises(Exception, match="does not exist"):
                await ask(model, request(response_format=FORMAT))
            server.models = None
            await ask(model, request(response_format=FORMAT))
    assert server.bodies[-1]["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_a_call_without_a_schema_lowers_nothing() -> None:
    with StandIn(brain) as server:
        async with openai_model(server) as model:
            for format_ in ({"type": "json_object"}, FORMAT, None, FORMAT):
                await ask(model, request(response_format=format_))
    sent = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert sent == ["json_object", "json_schema", None, "json_schema"]
