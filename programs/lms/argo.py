"""Argo, Argonne's gateway to several vendors' models, by both of its routes.

The native route speaks OpenAI's chat completions; the legacy route has a shape of its own, and tells neither the
tokens used nor why an answer ended. The credential of both is the bare username.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from dspy.lm15 import Request, Response, Usage

from programs.errors import AccessDenied, BackendError, CallError, UserError
from programs.lms.addresses import BaseUrl, read_base_url
from programs.lms.backend import Effort, HttpCall, ModelName, Reply, model_names
from programs.lms.http_errors import http_error
from programs.lms.redaction import excerpt
from programs.lms.structured import Rung, rung_of
from programs.lms.wire import BodyRules, answer, chat_body, read_completion, read_json

_CLAUDE_LIMIT = 21_000
_CLAUDE_DEFAULT = 8_192
_CLAUDE_VERSION = re.compile(r"claude([a-z]*?)v?(\d)(\d)?(?!\d)")

_REASONING = BodyRules(
    limit_key="max_completion_tokens", temperature=False, top_p=False, seed=False, stop=False, response_format=False
)
_ANYTHING = BodyRules(reasoning_effort=False)
_PLAIN = replace(_ANYTHING, seed=False, response_format=False)
_CLAUDE = replace(
    _PLAIN,
    default_limit=_CLAUDE_DEFAULT,
    highest_limit=_CLAUDE_LIMIT,
    highest_temperature=1.0,
    top_p_beside_temperature=False,
)
_NEW_CLAUDE = replace(_CLAUDE, temperature=False, top_p=False)


def rules_for(model: str) -> BodyRules:
    """What the model with this internal id takes. A name in no known family gets what every server takes."""
    model = model.lower()
    if model.startswith(("gpto", "gpt5")):
        return _REASONING
    if model.startswith(("gpt4o", "gpt41")):
        return _ANYTHING
    if model.startswith("claude"):
        return _NEW_CLAUDE if _refuses_sampling(model) else _CLAUDE
    return _PLAIN


def _refuses_sampling(claude: str) -> bool:
    found = _CLAUDE_VERSION.match(claude)
    if found is None:
        return False
    version = (int(found.group(2)), int(found.group(3) or 0))
    return version >= ((4, 7) if found.group(1) == "opus" else (5, 0))


PRODUCTION = "https://apps.inside.anl.gov/argoapi"

Route = Literal["native", "legacy"]

_NOTICE = "IMPORTANT AUTHENTICATION NOTICE FROM ARGO"
_DENIED = "ACCESS DENIED"
_MIXED_BODY = "You passed a messages field along with"


class Argo:
    """A model behind Argo (see `Backend`). Which parameters it takes is in `argo_families`."""

    name = "argo"
    unreachable = "are you on the lab's network or VPN?"

    def __init__(
        self, model: str, *, user: str, base: BaseUrl, route: Route = "native", reasoning_effort: Effort | None = None
    ) -> None:
        self.model = model
        self.endpoint = base.url
        self.secrets = (user, *base.secrets)
        self._user = user
        self._route = route
        self._rules = rules_for(model)
        self._effort = reasoning_effort if route == "native" else None
        self._headers = {"Authorization": f"Bearer {user}"}
        self.takes_sampling = self._rules.temperature
        self.supports_response_schema = route == "native" and self._rules.response_format
        self.supported_params = frozenset(self._supported())

    def _supported(self) -> list[str]:
        rules, native = self._rules, self._route == "native"
        optional = {
            "temperature": rules.temperature,
            "top_p": rules.top_p,
            "seed": rules.seed and native,
            "stop": rules.stop,
            "response_format": rules.response_format and native,
            "reasoning_effort": rules.reasoning_effort and native,
        }
        return ["max_tokens", *(name for name, taken in optional.items() if taken)]

    def start(self) -> None:
        """Nothing to do: the gateway is always there, or out of reach."""

    def close(self) -> None:
        """Nothing to do."""

    def post(self, request: Request, rung: Rung) -> HttpCall:
        asked = rung if self._route == "native" else Rung.NONE
        said = chat_body(request, model=self.model, rules=self._rules, rung=asked, reasoning_effort=self._effort)
        body = {"user": self._user, **said}
        if self._route == "legacy":
            body.pop("seed", None)
            return HttpCall("POST", f"{self.endpoint}/api/v1/resource/chat/", self._headers, body)
        sent = rung_of(body.get("response_format"), rung)
        return HttpCall("POST", f"{self.endpoint}/v1/chat/completions", self._headers, body, sent)

    def read(self, reply: Reply) -> Response:
        payload = self._payload(reply)
        if "response" in payload and "choices" not in payload:
            return self._read_legacy(payload["response"])
        response = read_completion(payload, model=self.model, secrets=self.secrets)
        self._refuse_notice(str(response.text or ""))
        return response

    def _read_legacy(self, said: Any) -> Response:
        content = _legacy_text(said)
        self._refuse_notice(content)
        if content.startswith(_MIXED_BODY):
            raise CallError(f"Argo refuses the request: {excerpt(content, self.secrets)}")
        return answer(content, reasoning="", finish_reason=None, usage=Usage(), model=self.model)

    def models_call(self) -> HttpCall:
        return HttpCall("GET", f"{self.endpoint}/v1/models", self._headers)

    def read_models(self, reply: Reply) -> list[ModelName]:
        return model_names(self._payload(reply))

    def _payload(self, reply: Reply) -> Mapping[str, Any]:
        try:
            if not 200 <= reply.status < 300:
                raise http_error(reply.status, reply.headers, reply.text, self.secrets)
            return read_json(reply.text, self.secrets)
        except BackendError:
            if _NOTICE in reply.text or _DENIED in reply.text:
                raise self._denied(reply.text) from None
            raise

    def _refuse_notice(self, answered: str) -> None:
        """Raise AccessDenied where an answer is one of Argo's notices.

        An answer in form (a JSON object) may speak of denied access; a notice is prose.
        """
        if _NOTICE in answered or (_DENIED in answered and not answered.lstrip().startswith("{")):
            raise self._denied(answered)

    def _denied(self, text: str) -> AccessDenied:
        return AccessDenied(f"Argo refuses the user in ARGO_USER: {excerpt(text, self.secrets)}")


def argo(model: str, *, api_base: str | None, env: Mapping[str, str], reasoning_effort: Effort | None = None) -> Argo:
    """The backend for a bare model name. Raises UserError without ARGO_USER, or with an ARGO_API that is none."""
    user = env.get("ARGO_USER", "").strip()
    if not user:
        raise UserError(
            f"{model!r} is a model on Argo, which needs a username: set ARGO_USER"
            " (other models: openai/NAME, embedded, provider/name)"
        )
    if not user.isascii() or not user.isprintable() or " " in user:
        raise UserError("ARGO_USER is no username: it must be plain letters, digits and signs without spaces")
    base = read_base_url(api_base or env.get("ARGO_BASE_URL", "").strip() or PRODUCTION)
    route = _route(env.get("ARGO_API", "").strip().lower() or "native")
    return Argo(model, user=user, base=base, route=route, reasoning_effort=reasoning_effort)


def _route(text: str) -> Route:
    if text == "native":
        return "native"
    if text == "legacy":
        return "legacy"
    raise UserError(f"ARGO_API={text!r} is not known: it is native or legacy")


def _legacy_text(said: Any) -> str:
    """The text of a legacy reply; "" where it is null. Newer gateways wrap it in an object."""
    if isinstance(said, Mapping):
        said = said.get("content")
    return said if isinstance(said, str) else ""
