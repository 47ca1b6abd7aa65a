"""Argo, Argonne's gateway to the models of several vendors. Its native route speaks OpenAI's chat completions; its legacy
route has its own format and reports neither token counts nor finish reasons. Both take the bare username as credential."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dspy.lm15 import Request, Response

from programs.errors import AccessDenied, BackendError, CallError, UserError
from programs.lms.addresses import BaseUrl, read_base_url
from programs.lms.server import HttpReply, Server
from programs.lms.wire import FORMATS, SAMPLING, BodyRules, read_completion, response_of
from programs.redaction import excerpt

PRODUCTION = "https://apps.inside.anl.gov/argoapi"

_PLAIN = BodyRules().without("seed", "reasoning_effort", *FORMATS)
_CLAUDE = replace(_PLAIN, default_token_limit=8_192, max_token_limit=21_000, max_temperature=1.0)

FAMILIES: tuple[tuple[str, BodyRules], ...] = (
    (r"gpto|gpt5", BodyRules().without("max_tokens", *SAMPLING, *FORMATS)),
    (r"gpt4o|gpt41", BodyRules().without("reasoning_effort")),
    # Opus from 4.7 on, every other Claude family from 5 on. The gateway may add a version of its own ("35v2").
    (r"claudeopus(?:4[7-9]|[5-9])|claude(?!opus)[a-z]*[5-9]", _CLAUDE.without(*SAMPLING)),
    (r"claude", _CLAUDE),
    (r"", _PLAIN),
)
"""What each family of models accepts. The first pattern that matches the beginning of a model's internal id applies."""

_NOTICE = "IMPORTANT AUTHENTICATION NOTICE FROM ARGO"
_DENIED = "ACCESS DENIED"
_JSON_START = re.compile(r"\s*(?:```\w*\s*)?\{")


class Argo(Server):
    """A model on Argo's native route, or on its legacy route, which supports neither JSON schemas nor JSON mode."""

    name = "argo"
    unreachable = "are you on the lab's network or VPN?"
    chat_path, models_path = "/v1/chat/completions", "/v1/models"

    def __init__(self, model: str, *, user: str, base: BaseUrl, legacy: bool = False, **settings: Any) -> None:
        rules = next(rules for start, rules in FAMILIES if re.match(start, model.lower()))
        if legacy:
            self.chat_path = "/api/v1/resource/chat/"
            rules = rules.without("seed", "reasoning_effort", *FORMATS)
        super().__init__(model, base=base, api_key=user, rules=rules, **settings)
        self._user = user

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        return {"user": self._user, **super().body(request, rules)}

    def read(self, reply: HttpReply) -> Response:
        payload = self.payload(reply)
        if "response" in payload and "choices" not in payload:
            content = payload["response"]
            # Newer gateways wrap the text in an object.
            content = content.get("content") if isinstance(content, Mapping) else content
            response = response_of(content if isinstance(content, str) else "", model=self.model)
        else:
            response = read_completion(payload, model=self.model, secrets=self.secrets)
        text = str(response.text or "")
        # A JSON answer, fenced or not, may mention denied access in its text; Argo's notices are prose.
        if _NOTICE in text or (_DENIED in text and not _JSON_START.match(text)):
            raise self._denied(text)
        if text.startswith("You passed a messages field along with"):
            raise CallError(f"Argo refuses the request: {excerpt(text, self.secrets)}")
        return response

    def payload(self, reply: HttpReply) -> Mapping[str, Any]:
        try:
            return super().payload(reply)
        except BackendError:
            if _NOTICE in reply.text or _DENIED in reply.text:
                raise self._denied(reply.text) from None
            raise

    def _denied(self, text: str) -> AccessDenied:
        return AccessDenied(f"Argo refuses the user in ARGO_USER: {excerpt(text, self.secrets)}")


def argo(model: str, *, api_base: str | None, env: Mapping[str, str], **settings: Any) -> Argo:
    """The server of a bare model name. Raises UserError if ARGO_USER is missing, or if a setting is invalid."""
    user = env.get("ARGO_USER", "").strip()
    if not user:
        raise UserError(
            f"{model!r} is a model on Argo, which needs a username: set ARGO_USER"
            " (other models: openai/NAME, embedded, provider/name)"
        )
    if not user.isascii() or not user.isprintable() or " " in user:
        raise UserError("ARGO_USER is not a username: it must be printable ASCII characters without spaces")
    base = read_base_url(api_base or env.get("ARGO_BASE_URL", "").strip() or PRODUCTION)
    route = env.get("ARGO_API", "").strip().lower() or "native"
    if route not in ("native", "legacy"):
        raise UserError(f"ARGO_API={route!r} is unknown: use native or legacy")
    return Argo(model, user=user, base=base, legacy=route == "legacy", **settings)
