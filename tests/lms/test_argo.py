"""Argo: what is sent to each family of models, and how the replies and errors of both routes are read."""

import json
from typing import Any

import pytest

from programs.errors import AccessDenied, BackendError, CallError, ContextTooLong, TransientError, Truncated
from programs.lms.addresses import BaseUrl
from programs.lms.argo import Argo
from programs.lms.server import HttpReply
from tests.lms.asking import ANSWER, FORMAT, USER, argo_model, ask, brain, request
from tests.standin.faults import ARGO_NOTICE
from tests.standin.server import StandIn

SAMPLING = "gpt4o gpt41nano claude claudesonnet35v2 claudesonnet46 claudeopus46 gemini25pro something"
NO_SAMPLING = "gpt55 gpto4mini claudeopus47 claudeopus5 claudesonnet51"


@pytest.mark.parametrize("api", ["native", "legacy"])
@pytest.mark.parametrize("name", f"{SAMPLING} {NO_SAMPLING}".split())
async def test_every_family_is_sent_only_what_it_accepts(api: str, name: str) -> None:
    full_request = request(max_tokens=30000, temperature=1.5, seed=1, response_format=FORMAT)
    with StandIn(brain, argo_user=USER) as server:
        async with argo_model(server, name, api=api, max_tokens=100, temperature=0.7) as model:
            assert (await ask(model, full_request)).text == (await ask(model)).text == ANSWER
            assert ("temperature" in model.options) is (name not in NO_SAMPLING.split())
    body, _without_options = server.bodies
    assert body["user"] == USER
    assert ("temperature" in body) is (name not in NO_SAMPLING.split())
    assert ("response_format" in body) is (api == "native" and name in ("gpt4o", "gpt41nano"))
    assert server.calls[0].path == ("/v1/chat/completions" if api == "native" else "/api/v1/resource/chat/")


def native(content: Any, finish: str = "stop") -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}, "finish_reason": finish}]}


def backend(legacy: bool) -> Argo:
    return Argo("gpt41", user=USER, base=BaseUrl("https://argo"), legacy=legacy)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (200, {"response": ARGO_NOTICE}, AccessDenied),
        (200, {"response": "ACCESS DENIED for jdoe.secret"}, AccessDenied),
        (200, native(ARGO_NOTICE), AccessDenied),
        (200, {"error": "ACCESS DENIED"}, AccessDenied),
        (200, ARGO_NOTICE, AccessDenied),
        (200, "<html>ACCESS DENIED</html>", AccessDenied),
        (500, ARGO_NOTICE, AccessDenied),
        (200, {"response": "You passed a messages field along with a prompt"}, CallError),
        (200, {"type": "error", "error": {"type": "api_error", "message": "try later"}}, TransientError),
        (200, {"type": "error", "error": {"type": "invalid_request_error", "message": "?"}}, TransientError),
        (200, {"type": "error", "error": {"message": "prompt is too long: 9 tokens"}}, ContextTooLong),
        (200, {"response": ""}, TransientError),
        (200, {"response": {"content": None}}, TransientError),
        (200, {}, TransientError),
        (200, native("", "length"), Truncated),
        (200, native(""), TransientError),
        (502, "bad gateway for jdoe.secret", TransientError),
    ],
)
def test_each_failure_has_its_error_class(legacy: bool, status: int, content: Any, error: type[BackendError]) -> None:
    with pytest.raises(error) as caught:
        backend(legacy).read(HttpReply(status, {}, content if isinstance(content, str) else json.dumps(content)))
    assert USER not in repr(caught.value)


QUOTING = '```json\n{"answer": "The telescope said ACCESS DENIED."}\n```'


@pytest.mark.parametrize("content", [{"response": QUOTING}, {"response": {"content": QUOTING}}, native(QUOTING)])
def test_an_answer_may_quote_an_access_denial(content: Any) -> None:
    assert backend(legacy=True).read(HttpReply(200, {}, json.dumps(content))).text == QUOTING
