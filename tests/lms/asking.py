"""Helpers of these tests: a stand-in server, a model that uses it, and one call."""

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
QUICK_RETRIES = RetryPolicy(first_wait=0.001, max_wait=0.002, patience=30)
NO_RETRIES = RetryPolicy(first_wait=0.001, max_wait=0.002, patience=0)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "maxLength": 200}, "pattern": {"enum": ["a", "b"]}},
    "required": ["answer"],
}
FORMAT: dict[str, Any] = {"type": "json_schema", "name": "Answer", "strict": True, "schema": SCHEMA}


class ManualClock:
    """A clock whose time is set by the test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def brain(body: dict[str, Any]) -> str:
    """Answers what `request` asks. Raises on anything else."""
    last = body["messages"][-1]["content"]
    if "galaxies" not in last:
        raise ValueError(f"not a question of these tests: {last!r}")
    return ANSWER


def request(text: str = "What do galaxies do?", system: str | None = "Be brief.", **config: Any) -> Request:
    return Request(model="any", messages=(Message.user(text),), system=system, config=Config(**config))


async def ask(model: Model, call: Request | None = None) -> Response:
    return await model.engine.complete(call or request())


def openai_model(*servers: StandIn, **options: Any) -> aclosing[Model]:
    api_base = [server.openai_base for server in servers]
    settings = {"api_base": api_base, "retry": QUICK_RETRIES, "timeout": 5.0, "env": {"OPENAI_API_KEY": KEY}, **options}
    return aclosing(resolve("openai/any", **settings))


@asynccontextmanager
async def serving(
    retry: RetryPolicy = QUICK_RETRIES, timeout: float = 5, **options: Any
) -> AsyncIterator[tuple[StandIn, Model]]:
    """Yields a server, which has these options, and a model that uses it."""
    with StandIn(**{"brain": brain, **options}) as server:
        async with openai_model(server, retry=retry, timeout=timeout) as model:
            yield server, model


def argo_model(server: StandIn, name: str = "gpt41", *, api: str = "native", **options: Any) -> aclosing[Model]:
    env = {"ARGO_USER": USER, "ARGO_BASE_URL": server.url, "ARGO_API": api}
    return aclosing(resolve(name, **{"retry": QUICK_RETRIES, "timeout": 5.0, "env": env, **options}))
