"""OpenAI-compatible servers: addresses, keys, and OpenAI's own reasoning models."""

from __future__ import annotations

import pytest

from programs.errors import UserError
from programs.lms.openai_compatible import openai_compatible
from programs.lms.structured import Rung
from tests.lms.asking import FORMAT, KEY, ask, brain, openai_model, request
from tests.standin.server import StandIn


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("http://host/v1", "http://host/v1"),
        ("http://host/v1/", "http://host/v1"),
        ("https://host/api/openai", "https://host/api/openai"),
        ("https://me:pass-word@host/v1", "https://host/v1"),
    ],
)
def test_addresses(written: str, endpoint: str) -> None:
    backend = openai_compatible("m", api_base=written, env={})
    assert backend.endpoint == endpoint
    assert backend.post(request(), Rung.FULL).url == f"{endpoint}/chat/completions"
    assert "pass-word" not in f"{backend.endpoint} {backend.post(request(), Rung.FULL)!r}"


@pytest.mark.parametrize("written", ["host:8000/v1", "ftp://host", "http://", "nonsense", "http://me:pass-word@"])
def test_what_is_no_address(written: str) -> None:
    with pytest.raises(UserError, match="API base") as caught:
        openai_compatible("m", api_base=written, env={})
    assert "pass-word" not in str(caught.value)


def test_where_the_server_is_taken_from() -> None:
    env = {"OPENAI_BASE_URL": "http://env/v1", "OPENAI_API_KEY": KEY}
    assert openai_compatible("m", api_base="http://given/v1", env=env).endpoint == "http://given/v1"
    assert openai_compatible("m", api_base=None, env=env).endpoint == "http://env/v1"
    assert openai_compatible("m", api_base=None, env={"OPENAI_API_KEY": KEY}).endpoint == "https://api.openai.com/v1"
    with pytest.raises(UserError, match="OPENAI_BASE_URL"):
        openai_compatible("m", api_base=None, env={})


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("o3", True),
        ("o4-mini", True),
        ("gpt-5", True),
        ("gpt-5.1-mini", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4.1", False),
    ],
)
def test_openais_own_models(model: str, reasons: bool) -> None:
    backend = openai_compatible(model, api_base=None, env={"OPENAI_API_KEY": KEY})
    asked = request(max_tokens=9, temperature=0.5, seed=1, response_format=FORMAT)
    body = dict(backend.post(asked, Rung.FULL).body or {})
    assert backend.takes_sampling is not reasons
    assert ("temperature" in body, "max_completion_tokens" in body) == (not reasons, reasons)


def test_the_same_name_elsewhere_is_sent_everything() -> None:
    backend = openai_compatible("gpt-5", api_base="http://host/v1", env={})
    body = dict(backend.post(request(max_tokens=9, temperature=0.5), Rung.FULL).body or {})
    assert (body["max_tokens"], body["temperature"]) == (9, 0.5)


async def test_a_key_in_the_address_is_sent_as_basic_authorization() -> None:
    with StandIn(brain) as server:
        base = server.openai_base.replace("http://", "http://me:pass-word@")
        async with openai_model(server, env={"OPENAI_BASE_URL": base}) as model:
            await ask(model)
    assert len(server.calls) == 1
