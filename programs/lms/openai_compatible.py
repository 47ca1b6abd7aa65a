"""Servers that speak OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, Ollama, and many a cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dspy.lm15 import Request, Response

from programs.errors import UserError
from programs.lms.addresses import BaseUrl, read_base_url
from programs.lms.backend import Effort, HttpCall, ModelName, Reply, model_names
from programs.lms.http_errors import http_error
from programs.lms.structured import Rung, rung_of
from programs.lms.wire import BodyRules, chat_body, read_completion, read_json

OPENAI_BASE = "https://api.openai.com/v1"
ALL_PARAMS = frozenset({"max_tokens", "temperature", "top_p", "seed", "stop", "response_format", "reasoning_effort"})

_REASONING = re.compile(r"(?:o[134]|gpt-5)(?![a-z0-9])(?!.*-chat)")
_REASONING_RULES = BodyRules(limit_key="max_completion_tokens", temperature=False, top_p=False, seed=False, stop=False)


class OpenAICompatible:
    """A model on an OpenAI-compatible server (see `Backend`).

    On OpenAI's own host its reasoning models get no sampling parameters, its others no `reasoning_effort`. Any other server
    is sent everything; what it does not take it says.
    """

    name = "openai"
    supports_response_schema = True
    unreachable = "is the server running, and is the base URL right?"

    def __init__(
        self, model: str, *, base: BaseUrl, api_key: str | None = None, reasoning_effort: Effort | None = None
    ) -> None:
        is_openai = base.host == "api.openai.com"
        reasons = is_openai and _REASONING.match(model) is not None
        self.model = model
        self._connect(base, api_key)
        self.takes_sampling = not reasons
        refused = {"temperature", "top_p", "seed", "stop"} if reasons else {"reasoning_effort"} if is_openai else set()
        self.supported_params = ALL_PARAMS - refused
        self._rules = _REASONING_RULES if reasons else BodyRules(reasoning_effort=not is_openai)
        self._effort = reasoning_effort

    def _connect(self, base: BaseUrl, api_key: str | None) -> None:
        self.endpoint = base.url
        self.secrets = tuple(secret for secret in (api_key, *base.secrets) if secret)
        self._headers = _authorization(base, api_key)

    def start(self) -> None:
        """Nothing to do: the server is someone else's."""

    def close(self) -> None:
        """Nothing to do: the server is someone else's."""

    def post(self, request: Request, rung: Rung) -> HttpCall:
        body = chat_body(request, model=self.model, rules=self._rules, rung=rung, reasoning_effort=self._effort)
        body.update(self.extra_body())
        return HttpCall(
            "POST", f"{self.endpoint}/chat/completions", self._headers, body, rung_of(body.get("response_format"), rung)
        )

    def extra_body(self) -> dict[str, Any]:
        """Fields added to every body, for servers that take more than OpenAI's."""
        return {}

    def read(self, reply: Reply) -> Response:
        return read_completion(self._payload(reply), model=self.model, secrets=self.secrets)

    def models_call(self) -> HttpCall:
        return HttpCall("GET", f"{self.endpoint}/models", self._headers)

    def read_models(self, reply: Reply) -> list[ModelName]:
        return model_names(self._payload(reply))

    def _payload(self, reply: Reply) -> Mapping[str, Any]:
        if not 200 <= reply.status < 300:
            raise http_error(reply.status, reply.headers, reply.text, self.secrets)
        return read_json(reply.text, self.secrets)


def openai_compatible(
    model: str, *, api_base: str | None, env: Mapping[str, str], reasoning_effort: Effort | None = None
) -> OpenAICompatible:
    """The backend for `openai/MODEL`. Raises UserError where neither a base URL nor a key says which server."""
    key = env.get("OPENAI_API_KEY", "").strip() or None
    written = (api_base or env.get("OPENAI_BASE_URL") or "").strip()
    if not written and key is None:
        raise UserError(
            "openai/NAME needs a server: give --api-base URL or set OPENAI_BASE_URL (for OpenAI's own, OPENAI_API_KEY)"
        )
    base = read_base_url(written or OPENAI_BASE, default_path="/v1")
    return OpenAICompatible(model, base=base, api_key=key, reasoning_effort=reasoning_effort)


def _authorization(base: BaseUrl, api_key: str | None) -> dict[str, str]:
    if api_key:
        return {"Authorization": f"Bearer {api_key}"}
    return {"Authorization": f"Basic {base.basic}"} if base.basic else {}
