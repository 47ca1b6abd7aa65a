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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dspy
from dspy.utils.exceptions import LMConfigurationError
from rapidfuzz import fuzz

from programs.background_loop import run
from programs.errors import UserError
from programs.lms.addresses import read_base_url
from programs.lms.argo import argo
from programs.lms.backend import Backend, Effort
from programs.lms.blocking import BlockingEngine
from programs.lms.direct import DirectLM
from programs.lms.embedded import Embedded, EmbeddedServers, embedded
from programs.lms.engine import Engine
from programs.lms.exchange import Exchange
from programs.lms.openai_compatible import openai_compatible
from programs.lms.retry import RetryPolicy
from programs.lms.spread import Spread, SpreadEngine

_ALIKE = 85.0
_DSPY_RETRIES = 8
_IN_PROCESS = "in this process"


@dataclass
class Model:
    """A model that can be asked, and the connections it owns.

    `lm` is for DSPy; `endpoint` may be shown to anyone. `takes_effort` says whether a reasoning effort is sent where one is
    given. `backend` (the first server's, where there are several) and the engine are None where DSPy calls the model
    itself: its attempts and tokens are then not metered.
    """

    name: str
    lm: dspy.LM = field(repr=False)
    endpoint: str
    takes_sampling: bool = True
    takes_effort: bool = False
    backend: Backend | None = field(default=None, repr=False)
    engine: Engine | SpreadEngine | None = field(default=None, repr=False)

    async def aclose(self) -> None:
        """Close the running loop's connections, and what the backend holds. Safe to call twice."""
        if self.engine is not None:
            await self.engine.aclose()
        if self.backend is not None:
            self.backend.close()

    def close(self) -> None:
        """As `aclose`, for a model that was called without awaiting: its connections are the background loop's."""
        run(self.aclose())


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
    servers: EmbeddedServers | None = None,
) -> Model:
    """The model called `name`. Connects to nothing yet, and loads no weights.

    Several bases are servers with the same model that share the calls (see `spread`). `env` (by default the process's)
    holds the credentials. `servers` is given by those who resolve several names, so that an embedded model is loaded
    once. Raises UserError for whatever the user can mend.
    """
    env = os.environ if env is None else env
    name = name.strip()
    bases = [api_base] if isinstance(api_base, str) else list(api_base or ())
    _check(name, bases)
    provider, slash, _ = name.partition("/")
    if slash and provider not in ("openai", "embedded") and not name.startswith("embedded:"):
        base = _only(bases, name)
        return _left_to_dspy(
            name,
            api_base=base,
            timeout=timeout,
            max_tokens=max_tokens,
            temperature=temperature,
            reasoning_effort=reasoning_effort,
        )
    servers = servers or EmbeddedServers()
    backends = [
        _backend(name, api_base=base, env=env, servers=servers, reasoning_effort=reasoning_effort)
        for base in bases or (None,)
    ]
    endpoints = [backend.endpoint for backend in backends]
    _check_twice(endpoints)
    engine = _engine(backends, retry or RetryPolicy(), timeout)
    takes_sampling = all(backend.takes_sampling for backend in backends)
    lm = DirectLM(
        _neutral(backends[0]),
        engine=BlockingEngine(engine),
        async_engine=engine,
        num_retries=0,
        cache=False,
        max_tokens=max_tokens,
        temperature=temperature if takes_sampling else None,
    )
    endpoint = _IN_PROCESS if isinstance(backends[0], Embedded) else ", ".join(endpoints)
    takes_effort = "reasoning_effort" in backends[0].supported_params
    return Model(name, lm, endpoint, takes_sampling, takes_effort, backends[0], engine)


def _engine(backends: Sequence[Backend], retry: RetryPolicy, timeout: float) -> Engine | SpreadEngine:
    engines = [Engine(Exchange(backend), retry=retry, timeout=timeout) for backend in backends]
    if len(engines) == 1:
        return engines[0]
    spread = Spread([backend.endpoint for backend in backends], retry.wait)
    return SpreadEngine(engines, spread=spread, retry=retry)


def _check(name: str, bases: Sequence[str]) -> None:
    if not name or name.endswith("/"):
        raise UserError(f"the model name {name!r} is not whole: NAME (Argo), openai/NAME, provider/NAME, or embedded")
    kind = name.partition(":")[0]
    if kind == "embedded" and bases:
        raise UserError("the embedded model has no server to reach: leave out --api-base, or name another model")
    if kind != "embedded" and "/" not in kind and fuzz.ratio(kind.lower(), "embedded") >= _ALIKE:
        raise UserError(f"unknown model {name!r}: did you mean 'embedded'?")


def _check_twice(endpoints: Sequence[str]) -> None:
    twice = next((endpoint for number, endpoint in enumerate(endpoints) if endpoint in endpoints[:number]), None)
    if twice is not None:
        raise UserError(f"--api-base: {twice} is given twice")


def _only(bases: Sequence[str], name: str) -> str | None:
    if len(bases) > 1:
        raise UserError(f"{name} is called by DSPy, which takes one --api-base: several are for openai/NAME and Argo")
    return bases[0] if bases else None


def _backend(
    name: str,
    *,
    api_base: str | None,
    env: Mapping[str, str],
    servers: EmbeddedServers,
    reasoning_effort: Effort | None,
) -> Backend:
    if name == "embedded":
        return embedded(None, servers)
    if name.startswith("embedded:"):
        return embedded(name.removeprefix("embedded:"), servers)
    if name.startswith("openai/"):
        bare = name.removeprefix("openai/")
        return openai_compatible(bare, api_base=api_base, env=env, reasoning_effort=reasoning_effort)
    return argo(name, api_base=api_base, env=env, reasoning_effort=reasoning_effort)


def _neutral(backend: Backend) -> str:
    """A model string in which DSPy sees no model whose parameters it would check by its own rules."""
    return f"{backend.name}:{backend.model}".replace("/", ":")


def _left_to_dspy(
    name: str,
    *,
    api_base: str | None,
    timeout: float,
    max_tokens: int | None,
    temperature: float | None,
    reasoning_effort: Effort | None,
) -> Model:
    # Otherwise the first call fetches a price list from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
    settings: dict[str, Any] = {"num_retries": _DSPY_RETRIES, "cache": False, "timeout": timeout}
    if api_base:
        settings["api_base"] = api_base
    endpoint = read_base_url(api_base).url if api_base else name.partition("/")[0]
    # DSPy refuses a call with an option that it does not know the model to take.
    takes_effort = reasoning_effort is not None and "reasoning_effort" in dspy.LM(name, **settings).supported_params
    if takes_effort:
        settings["reasoning_effort"] = reasoning_effort
    try:
        lm = dspy.LM(name, max_tokens=max_tokens, temperature=temperature, **settings)
    except LMConfigurationError:
        return Model(name, dspy.LM(name, **settings), endpoint, takes_sampling=False, takes_effort=takes_effort)
    return Model(name, lm, endpoint, takes_effort=takes_effort)
