"""Resolves a model's name, as a user writes it, to a model that can be called.

| name               | model                                                          |
|--------------------|----------------------------------------------------------------|
| `embedded:NAME`    | a model inside this process (`programs.lms.weights.file_of`)   |
| `openai/NAME`      | NAME on an OpenAI-compatible server                            |
| `provider/NAME`    | NAME at another provider, called by DSPy's own client          |
| `NAME`             | NAME on Argo                                                   |
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dspy
import httpx

from programs.background_loop import run_in_background
from programs.cli.options import suggestion
from programs.errors import UserError
from programs.lms.addresses import read_base_url
from programs.lms.argo import argo
from programs.lms.embedded import embedded
from programs.lms.engine import DirectLM, Engine
from programs.lms.provider import Provider
from programs.lms.retry import RetryPolicy
from programs.lms.server import Effort, Server
from programs.lms.wire import SAMPLING, BodyRules

OPENAI_BASE = "https://api.openai.com/v1"
_REASONING_MODEL = re.compile(r"(?:o[134]|gpt-5)(?![a-z0-9])(?!.*-chat)")


def openai_compatible(model: str, *, api_base: str | None, env: Mapping[str, str], **settings: Any) -> Server:
    """The server of `openai/MODEL`. On OpenAI's own host, reasoning models are sent no sampling parameters and no
    `max_tokens`, other models no `reasoning_effort`. Any other server is sent everything, until it refuses a parameter.
    Raises UserError if neither a base URL nor a key is given."""
    key = env.get("OPENAI_API_KEY", "").strip() or None
    address = (api_base or env.get("OPENAI_BASE_URL") or "").strip()
    if not address and key is None:
        raise UserError(
            "openai/NAME needs a server: give --api-base URL or set OPENAI_BASE_URL (for OpenAI's own, OPENAI_API_KEY)"
        )
    base = read_base_url(address or OPENAI_BASE, default_path="/v1")
    rules = BodyRules()
    if httpx.URL(base.url).host == "api.openai.com":
        is_reasoning = _REASONING_MODEL.match(model) is not None
        rules = rules.without("max_tokens", *SAMPLING) if is_reasoning else rules.without("reasoning_effort")
    return Server(model, base=base, api_key=key, rules=rules, **settings)


SERVERS: dict[str, Callable[..., Server]] = {
    "": argo,
    "openai": openai_compatible,
}
"""Makes the server of KIND/NAME, by KIND; "" is for a bare NAME."""

OPTIONS = frozenset({"max_tokens", "seed", "temperature"})
"""The options that may differ between calls."""


@dataclass
class Model:
    """A model that can be called. `lm` is for DSPy; `engine` answers it and owns the connections; `endpoint` may be shown
    to anyone. `options` may be set per call."""

    name: str
    lm: dspy.LM = field(repr=False)
    engine: Engine = field(repr=False)
    endpoint: str
    options: frozenset[str]

    async def aclose(self) -> None:
        """Closes the running loop's connections and whatever the servers hold. Safe to call twice."""
        await self.engine.aclose()

    def close(self) -> None:
        """Like `aclose`, for a model that was called synchronously: the background loop has its connections."""
        run_in_background(self.aclose())


def resolve(
    name: str,
    *,
    api_base: str | Sequence[str] | None = None,
    timeout: float = 120.0,
    max_tokens: int | None = None,
    temperature: float | None = None,
    reasoning_effort: Effort | None = None,
    retry: RetryPolicy | None = None,
    env: Mapping[str, str] | None = None,
    download: bool = True,
) -> Model:
    """The model called `name`. Connects to no server and loads no weights. An embedded model's missing file is
    downloaded if `download`.

    Several bases are servers of the same model that share the calls (see `spread`). `env` (default: the process's) holds
    the credentials. Raises UserError for whatever the user can fix."""
    name, retry = name.strip(), retry or RetryPolicy()
    bases = [api_base] if isinstance(api_base, str) else list(api_base or ())
    kind = name.partition(":")[0]
    is_embedded = kind == "embedded"
    if not name or name.endswith("/"):
        raise UserError(f"the model name {name!r} is incomplete: NAME (Argo), openai/NAME, provider/NAME, or embedded")
    if is_embedded and bases:
        raise UserError("an embedded model has no address: leave out --api-base, or name another model")
    if not is_embedded and "/" not in kind and (hint := suggestion(kind, ["embedded"], min_similarity=85.0)):
        raise UserError(f"unknown model {name!r}{hint}")
    resolved: list[Server]
    if is_embedded:
        resolved = [embedded(name, timeout, download=download)]
    else:
        provider = name.partition("/")[0] if "/" in name else ""
        make, bare = (SERVERS[provider], name.removeprefix(f"{provider}/")) if provider in SERVERS else (Provider, name)
        given: dict[str, Any] = {"reasoning_effort": reasoning_effort, "timeout": timeout}
        given["env"] = os.environ if env is None else env
        resolved = [make(bare, api_base=base, **given) for base in bases or (None,)]
    endpoints = [server.endpoint for server in resolved]
    if duplicate := next((url for url in endpoints if endpoints.count(url) > 1), None):
        raise UserError(f"--api-base: {duplicate} is given twice")
    engine = Engine(resolved, retry)
    options = OPTIONS & engine.supported_params
    sampling = {"max_tokens": max_tokens, "temperature": temperature}
    sampling = {option: value for option, value in sampling.items() if option in options}
    # Without a slash, DSPy recognizes no model whose parameters it would check by its own rules.
    lm = DirectLM(f"{resolved[0].name}:{resolved[0].model}".replace("/", ":"), engine, **sampling)
    endpoint = "in this process" if is_embedded else ", ".join(endpoints)
    return Model(name, lm, engine, endpoint, options)
