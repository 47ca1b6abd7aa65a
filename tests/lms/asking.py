"""How these tests ask: a stand-in server, a model resolved against it, and one call."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from dspy.lm15 import Config, Message, Request, Response

from programs.lms.resolve import Model, resolve
from programs.lms.retry import RetryPolicy
from tests.standin.server import StandIn

USER = "jdoe.secret"
KEY = "sk-very-secret-key-123"
ANSWER = '{"answer": "Galaxies recede from us."}'
QUICK = RetryPolicy(first_wait=0.001, max_wait=0.002, patience=30)
ONCE = RetryPolicy(first_wait=0.001, max_wait=0.002, patience=0)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "maxLength": 200}, "pattern": {"enum": ["a", "b"]}},
    "required": ["answer"],
}
FORMAT: dict[str, Any] = {"type": "json_schema", "name": "Answer", "strict": True, "schema": SCHEMA}


class Clock:
    """Time that passes only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def brain(body: dict[str, Any]) -> str:
    """The stand-in's answer to what `request` asks; anything else is a surprise."""
    last = body["messages"][-1]["content"]
    if "galaxies" not in last:
        raise ValueError(f"not a question of these tests: {last!r}")
    return ANSWER


def request(text: str = "What do galaxies do?", system: str | None = "Be brief.", **config: Any) -> Request:
    return Request(model="any", messages=(Message.user(text),), system=system, config=Config(**config))


async def ask(model: Model, asked: Request | None = None) -> Response:
    return await model.engine.complete(asked or request())


def openai_model(*servers: StandIn, **given: Any) -> aclosing[Model]:
    api_base = [server.openai_base for server in servers]
    settings = {"api_base": api_base, "retry": QUICK, "timeout": 5.0, "env": {"OPENAI_API_KEY": KEY}, **given}
    return aclosing(resolve("openai/any", **settings))


@asynccontextmanager
async def served(retry: RetryPolicy = QUICK, timeout: float = 5, **given: Any) -> AsyncIterator[tuple[StandIn, Model]]:
    """A server, and a model on it."""
    with StandIn(**{"brain": brain, **given}) as server:
        async with openai_model(server, retry=retry, timeout=timeout) as model:
            yield server, model


def argo_model(server: StandIn, name: str = "gpt41", *, api: str = "native", **given: Any) -> aclosing[Model]:
    env = {"ARGO_USER": USER, "ARGO_BASE_URL": server.url, "ARGO_API": api}
    return aclosing(resolve(name, **{"retry": QUICK, "timeout": 5.0, "env": env, **given}))
