"""From a model's name, as a user writes it, to a model that can be asked.

| name               | model                                                          |
|--------------------|----------------------------------------------------------------|
| `embedded:NAME`    | a model inside this process (`programs.lms.weights.file_of`)   |
| `openai/NAME`      | NAME on an OpenAI-compatible server                            |
| `provider/NAME`    | whatever DSPy makes of it (another provider, by its own client) |
| `NAME`             | NAME on Argo                                                   |
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dspy
import httpx
from dspy.utils.exceptions import LMConfigurationError

from programs.background_loop import run
from programs.cli.options import nearest
from programs.errors import UserError
from programs.lms.addresses import read_base_url
from programs.lms.argo import argo
from programs.lms.embedded import EmbeddedServers
from programs.lms.engine import DirectLM, Engine, PatientLM
from programs.lms.retry import RetryPolicy
from programs.lms.server import Effort, Server
from programs.lms.wire import SAMPLING, BodyRules

OPENAI_BASE = "https://api.openai.com/v1"
_OPENAI_REASONS = re.compile(r"(?:o[134]|gpt-5)(?![a-z0-9])(?!.*-chat)")


def openai_compatible(model: str, *, api_base: str | None, env: Mapping[str, str], **settings: Any) -> Server:
    """The server of `openai/MODEL`. On OpenAI's own host reasoning models get no sampling parameters, the others no
    `reasoning_effort`; any other server is sent everything, and what it does not take it says. Raises UserError where
    neither a base URL nor a key says which server."""
    key = env.get("OPENAI_API_KEY", "").strip() or None
    written = (api_base or env.get("OPENAI_BASE_URL") or "").strip()
    if not written and key is None:
        raise UserError(
            "openai/NAME needs a server: give --api-base URL or set OPENAI_BASE_URL (for OpenAI's own, OPENAI_API_KEY)"
        )
    base = read_base_url(written or OPENAI_BASE, default_path="/v1")
    rules = BodyRules()
    if httpx.URL(base.url).host == "api.openai.com":
        reasons = _OPENAI_REASONS.match(model) is not None
        rules = rules.without("max_tokens", *SAMPLING) if reasons else rules.without("reasoning_effort")
    return Server(model, base=base, api_key=key, rules=rules, **settings)


SERVERS: dict[str, Callable[..., Server]] = {
    "": argo,
    "openai": openai_compatible,
}
"""What makes the server of KIND/NAME, by its kind; of a bare NAME, by ""."""

OPTIONS = frozenset({"max_tokens", "seed", "temperature"})
"""The options of a call that differ from call to call."""


@dataclass
class Model:
    """A model that can be asked, and the connections that its engine owns. `lm` is for DSPy, `engine` what it asks;
    `endpoint` may be shown to anyone. `options` are those that a call may be sent: to DSPy's own routes the temperature
    alone, since what else they cannot map makes them take a slower road. `takes_effort`: a reasoning effort is sent."""

    name: str
    lm: dspy.LM = field(repr=False)
    engine: Engine | PatientLM = field(repr=False)
    endpoint: str
    options: frozenset[str]
    takes_effort: bool

    async def aclose(self) -> None:
        """Closes the running loop's connections, and what the servers hold. Safe to call twice."""
        await self.engine.aclose()

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
    holds the credentials. `servers` is shared by those who resolve several names, so that an embedded model is loaded once.
    Raises UserError for whatever the user can mend."""
    name, retry = name.strip(), retry or RetryPolicy()
    bases = [api_base] if isinstance(api_base, str) else list(api_base or ())
    kind = name.partition(":")[0]
    embedded = kind == "embedded"
    if not name or name.endswith("/"):
        raise UserError(f"the model name {name!r} is not whole: NAME (Argo), openai/NAME, provider/NAME, or embedded")
    if embedded and bases:
        raise UserError("the embedded model has no server to reach: leave out --api-base, or name another model")
    if not embedded and "/" not in kind and (meant := nearest(kind.lower(), ["embedded"], alike=85.0)):
        raise UserError(f"unknown model {name!r}{meant}")
    sampling = {"max_tokens": max_tokens, "temperature": temperature}
    provider, slash, bare = name.partition("/")
    found: list[Server]
    if embedded:
        found = [(servers or EmbeddedServers()).get(name, timeout)]
    elif (make := SERVERS.get(provider if slash else "")) is None:
        return _left_to_dspy(name, bases, reasoning_effort, sampling, timeout=timeout, retry=retry)
    else:
        given = {"env": os.environ if env is None else env, "reasoning_effort": reasoning_effort, "timeout": timeout}
        found = [make(bare if slash else name, api_base=base, **given) for base in bases or (None,)]
    endpoints = [server.endpoint for server in found]
    if twice := next((each for each in endpoints if endpoints.count(each) > 1), None):
        raise UserError(f"--api-base: {twice} is given twice")
    engine = Engine(found, retry)
    options = OPTIONS & engine.supported_params
    if "temperature" not in options:
        sampling["temperature"] = None
    # A model string in which DSPy sees no model whose parameters it would check by its own rules.
    lm = DirectLM(f"{found[0].name}:{found[0].model}".replace("/", ":"), engine, **sampling)
    endpoint = "in this process" if embedded else ", ".join(endpoints)
    return Model(name, lm, engine, endpoint, options, "reasoning_effort" in engine.supported_params)


def _left_to_dspy(
    name: str, bases: Sequence[str], effort: Effort | None, sampling: dict[str, Any], **settings: Any
) -> Model:
    if len(bases) > 1:
        raise UserError(f"{name} is called by DSPy, which takes one --api-base: several are for openai/NAME and Argo")
    # Otherwise the first call fetches a price list from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
    if bases:
        settings["api_base"] = bases[0]
    # DSPy refuses a call with an option that it does not know the model to take.
    takes_effort = effort is not None and "reasoning_effort" in PatientLM(name, **settings).supported_params
    if takes_effort:
        settings["reasoning_effort"] = effort
    try:
        lm, taken = PatientLM(name, **sampling, **settings), frozenset({"temperature"})
    except LMConfigurationError:
        lm, taken = PatientLM(name, **settings), frozenset[str]()
    endpoint = read_base_url(bases[0]).url if bases else name.partition("/")[0]
    return Model(name, lm, lm, endpoint, taken, takes_effort)
