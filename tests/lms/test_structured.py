"""The ladder of structured output: what each rung asks for, and how a run settles on one."""

from __future__ import annotations

import pytest

from programs.lms.meter import metered
from programs.lms.structured import Ladder, Rung
from tests.lms.asking import ANSWER, FORMAT, SCHEMA, How, ask, brain, openai_model, request
from tests.standin.server import StandIn


def test_a_ladder_only_goes_down() -> None:
    ladder = Ladder()
    ladder.settle(Rung.JSON_OBJECT)
    ladder.settle(Rung.FULL)
    assert ladder.rung is Rung.JSON_OBJECT


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize(("formats", "refusals"), [("all", 0), ("json_object", 1), ("none", 2)])
async def test_a_server_that_refuses_is_asked_for_less(how: How, formats: str, refusals: int) -> None:
    with StandIn(brain, formats=formats) as server:
        async with openai_model(server) as model:
            with metered() as meter:
                first = await ask(model, request(response_format=FORMAT), how)
                second = await ask(model, request(response_format=FORMAT), how)
    assert first.text == second.text == ANSWER
    assert meter.attempts == len(server.calls) == refusals + 2
    assert meter.faults.get("schema", 0) == refusals


async def test_both_engines_learn_together() -> None:
    with StandIn(brain, formats="json_object") as server:
        async with openai_model(server) as model:
            await ask(model, request(response_format=FORMAT), "sync")
            await ask(model, request(response_format=FORMAT), "async")
    assert len(server.calls) == 3


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
