"""Servers that speak OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, Ollama, and many a cloud.

A kind of server that differs from them is a class that says how, such as `programs.lms.argo`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import httpx
from dspy.lm15 import Request, Response
from rapidfuzz import fuzz, process, utils

from programs.errors import UnknownModel, UserError
from programs.lms.addresses import BaseUrl, read_base_url
from programs.lms.failures import http_error
from programs.lms.wire import SAMPLING, BodyRules, chat_body, read_completion, read_json
from programs.redaction import printable

Effort = Literal["low", "medium", "high"]
"""How long a model thinks, in the words of OpenAI's `reasoning_effort`."""

OPENAI_BASE = "https://api.openai.com/v1"
_OPENAI_REASONS = re.compile(r"(?:o[134]|gpt-5)(?![a-z0-9])(?!.*-chat)")


@dataclass(frozen=True)
class HttpReply:
    """A whole HTTP reply. Headers are asked for by names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


Send = Callable[[str, Mapping[str, Any]], Awaitable[HttpReply]]
"""Sends a body to a path of the server."""


class ModelName(NamedTuple):
    """A model as a server lists it: the name it shows, and the name that requests take."""

    id: str
    internal_id: str


class OpenAICompatible:
    """A model on an OpenAI-compatible server: how a request looks on its wire, and how its replies are read.

    Holds no connection and nothing that calls change. `endpoint` may be shown to anyone; `headers` and `secrets` may never
    be. `unreachable` is what to tell a user whose connection fails, `rules` what the model is known to take.
    """

    name = "openai"
    unreachable = "is the server running, and is the base URL right?"
    chat_path, models_path = "/chat/completions", "/models"

    def __init__(
        self,
        model: str,
        *,
        base: BaseUrl,
        api_key: str | None = None,
        rules: BodyRules | None = None,
        reasoning_effort: Effort | None = None,
    ) -> None:
        self.model = model
        self.rules = rules or BodyRules()
        self._effort = reasoning_effort
        self.connect(base, api_key)

    def connect(self, base: BaseUrl, api_key: str | None) -> None:
        """From now on the server is there."""
        self.endpoint = base.url
        self.secrets = tuple(secret for secret in (api_key, *base.secrets) if secret)
        credentials = f"Bearer {api_key}" if api_key else f"Basic {base.basic}" if base.basic else None
        self.headers = {} if credentials is None else {"Authorization": credentials}

    @property
    def supported_params(self) -> frozenset[str]:
        """What the model takes, by DSPy's names for it."""
        formats = {"response_format"} if "json_object" in self.rules.takes else set()
        return frozenset({"max_tokens", *formats, *(self.rules.takes & {*SAMPLING, "reasoning_effort"})})

    @property
    def running(self) -> bool:
        """Whether the server is there without a `start`."""
        return True

    def start(self) -> None:
        """Makes the server ready, before a call; may block. Safe to call twice. Raises UserError."""

    def close(self) -> None:
        """Gives back what `start` took. Safe to call twice."""

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        """The JSON body that asks for an answer by `rules`: the backend's own, or what the server has left of them."""
        return chat_body(request, model=self.model, rules=rules, reasoning_effort=self._effort)

    def slot(self, _request: Request, _send: Send) -> AbstractAsyncContextManager[dict[str, Any]]:
        """The slot in which the server is to answer a request: held while it is asked, and what the body says of it."""
        return nullcontext({})

    def read(self, reply: HttpReply) -> Response:
        """The answer in a reply. Raises a BackendError without secrets for everything that is no answer."""
        return read_completion(self.payload(reply), model=self.model, secrets=self.secrets)

    def read_models(self, reply: HttpReply) -> list[ModelName]:
        """The models in a reply to a request for their list; entries in no known form are passed over. Raises as `read`
        does."""
        entries = self.payload(reply).get("data")
        known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
        said = [(entry.get("id"), entry.get("internal_id")) for entry in known]
        pairs = [[printable(name) for name in names if isinstance(name, str)] for names in said]
        return [ModelName(names[0], names[-1]) for names in pairs if names]

    def payload(self, reply: HttpReply) -> Mapping[str, Any]:
        """The JSON object in a reply. Raises as `read` does."""
        if not 200 <= reply.status < 300:
            raise http_error(reply.status, reply.headers, reply.text, self.secrets)
        return read_json(reply.text, self.secrets)


def openai_compatible(
    model: str, *, api_base: str | None, env: Mapping[str, str], reasoning_effort: Effort | None = None
) -> OpenAICompatible:
    """The backend for `openai/MODEL`. On OpenAI's own host reasoning models get no sampling parameters, the others no
    `reasoning_effort`; any other server is sent everything, and what it does not take it says.

    Raises UserError where neither a base URL nor a key says which server.
    """
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
    return OpenAICompatible(model, base=base, api_key=key, rules=rules, reasoning_effort=reasoning_effort)


def with_nearest(error: UnknownModel, name: str, known: Iterable[ModelName]) -> UnknownModel:
    """`error` with up to three of the known names added to its message, nearest first, compared by either of a model's
    names; as it is where none is near."""
    spellings = {(model.internal_id, spelling): spelling for model in known for spelling in set(model)}
    found = process.extract(
        name, spellings, scorer=fuzz.WRatio, processor=utils.default_process, limit=None, score_cutoff=50.0
    )
    names = list(dict.fromkeys(internal_id for _, _, (internal_id, _) in found))[:3]
    return UnknownModel(f"{error} (nearest names: {', '.join(names)})") if names else error
