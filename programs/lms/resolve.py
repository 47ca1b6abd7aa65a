"""From a model's name, as a user writes it, to a model that can be asked.

| name               | model                                                          |
|--------------------|----------------------------------------------------------------|
| `embedded`         | the small model inside this process                            |
| `embedded:PATH`    | the GGUF model at PATH, inside this process                    |
| `openai/NAME`      | NAME on an OpenAI-compatible server                            |
| `provider/NAME`    | whatever DSPy makes of it (another provider, by its own client) |
| `NAME`             | NAME on Argo                                                   |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dspy
from dspy.utils.exceptions import LMConfigurationError
from rapidfuzz import fuzz

from programs.errors import UserError
from programs.lms.argo import argo
from programs.lms.backend import Backend
from programs.lms.base_url import read_base_url
from programs.lms.direct import DirectLM
from programs.lms.embedded import Embedded, EmbeddedServers, embedded
from programs.lms.engine import AsyncEngine, SyncEngine
from programs.lms.exchange import Exchange
from programs.lms.openai_compatible import openai_compatible
from programs.lms.retry import RetryPolicy

_ALIKE = 85.0
_DSPY_RETRIES = 8
_IN_PROCESS = "in this process"


@dataclass
class Model:
    """A model that can be asked, and the connections it owns.

    `lm` is for DSPy; `endpoint` may be shown to anyone. `backend` and the engines are None where DSPy calls the
    model itself: its attempts and tokens are then not metered.
    """

    name: str
    lm: dspy.LM = field(repr=False)
    endpoint: str
    takes_sampling: bool = True
    backend: Backend | None = field(default=None, repr=False)
    engine: SyncEngine | None = field(default=None, repr=False)
    async_engine: AsyncEngine | None = field(default=None, repr=False)

    async def aclose(self) -> None:
        """Close the running loop's connections, the sync ones, and what the backend holds. Safe to call twice."""
        if self.async_engine is not None:
            await self.async_engine.aclose()
        self.close()

    def close(self) -> None:
        """As `aclose`, for a model that was only asked synchronously."""
        if self.engine is not None:
            self.engine.close()
        if self.backend is not None:
            self.backend.close()


def resolve(
    name: str,
    *,
    api_base: str | None = None,
    timeout: float = 120.0,
    max_tokens: int | None = None,
    temperature: float | None = None,
    retry: RetryPolicy | None = None,
    env: Mapping[str, str] | None = None,
    servers: EmbeddedServers | None = None,
) -> Model:
    """The model called `name`. Connects to nothing yet, and loads no weights.

    `env` (by default the process's) holds the credentials. `servers` is given by those who resolve several names, so
    that an embedded model is loaded once. Raises UserError for whatever the user can mend.
    """
    env = os.environ if env is None else env
    name = name.strip()
    _check(name, api_base)
    provider, slash, _ = name.partition("/")
    if slash and provider not in ("openai", "embedded") and not name.startswith("embedded:"):
        return _left_to_dspy(name, api_base=api_base, timeout=timeout, max_tokens=max_tokens, temperature=temperature)
    backend = _backend(name, api_base=api_base, env=env, servers=servers or EmbeddedServers())
    exchange, policy = Exchange(backend), retry or RetryPolicy()
    engine = SyncEngine(exchange, retry=policy, timeout=timeout)
    async_engine = AsyncEngine(exchange, retry=policy, timeout=timeout)
    lm = DirectLM(
        _neutral(backend),
        engine=engine,
        async_engine=async_engine,
        num_retries=0,
        cache=False,
        max_tokens=max_tokens,
        temperature=temperature if backend.takes_sampling else None,
    )
    endpoint = _IN_PROCESS if isinstance(backend, Embedded) else backend.endpoint
    return Model(name, lm, endpoint, backend.takes_sampling, backend, engine, async_engine)


def _check(name: str, api_base: str | None) -> None:
    if not name or name.endswith("/"):
        raise UserError(f"the model name {name!r} is not whole: NAME (Argo), openai/NAME, provider/NAME, or embedded")
    kind = name.partition(":")[0]
    if kind == "embedded" and api_base:
        raise UserError("the embedded model has no server to reach: leave out --api-base, or name another model")
    if kind != "embedded" and "/" not in kind and fuzz.ratio(kind.lower(), "embedded") >= _ALIKE:
        raise UserError(f"unknown model {name!r}: did you mean 'embedded'?")


def _backend(name: str, *, api_base: str | None, env: Mapping[str, str], servers: EmbeddedServers) -> Backend:
    if name == "embedded":
        return embedded(None, servers)
    if name.startswith("embedded:"):
        return embedded(name.removeprefix("embedded:"), servers)
    if name.startswith("openai/"):
        return openai_compatible(name.removeprefix("openai/"), api_base=api_base, env=env)
    return argo(name, api_base=api_base, env=env)


def _neutral(backend: Backend) -> str:
    """A model string in which DSPy sees no model whose parameters it would check by its own rules."""
    return f"{backend.name}:{backend.model}".replace("/", ":")


def _left_to_dspy(
    name: str, *, api_base: str | None, timeout: float, max_tokens: int | None, temperature: float | None
) -> Model:
    # Otherwise the first call fetches a price list from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
    settings: dict[str, Any] = {"num_retries": _DSPY_RETRIES, "cache": False, "timeout": timeout}
    if api_base:
        settings["api_base"] = api_base
    endpoint = read_base_url(api_base).url if api_base else name.partition("/")[0]
    try:
        lm = dspy.LM(name, max_tokens=max_tokens, temperature=temperature, **settings)
    except LMConfigurationError:
        return Model(name, dspy.LM(name, **settings), endpoint, takes_sampling=False)
    return Model(name, lm, endpoint)
