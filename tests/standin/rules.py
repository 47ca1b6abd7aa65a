"""Which requests a stand-in server rejects: the servers' own rules, independent of our client's code."""

import re
from typing import Any

_LEGACY_FIELDS = "user model messages system prompt stop temperature top_p max_tokens max_completion_tokens"


def rejected_format(body: dict[str, Any], formats: str) -> str | None:
    """Why a server that accepts `formats` ("all", "json_object", "none") as response_format rejects this body, or None."""
    requested = body.get("response_format")
    if requested is not None and formats == "none":
        return "response_format is not supported"
    if requested is not None and requested["type"] != "json_object" and formats == "json_object":
        return "response_format of type json_schema is not supported"
    return None


def broken_argo_rule(body: dict[str, Any], *, legacy: bool) -> str | None:
    """Which of Argo's rules this body breaks, or None."""
    model = str(body.get("model"))
    unknown = sorted(set(body) - {*_LEGACY_FIELDS.split()}) if legacy else []
    if unknown:
        return f"unknown fields: {unknown}"
    if "messages" in body and ("system" in body or "prompt" in body):
        return "messages together with system or prompt"
    sampling: list[str] = [name for name in ("temperature", "top_p") if name in body]
    if "response_format" in body and not model.startswith(("gpt4o", "gpt41")):
        return f"{model} takes no response_format"
    if "reasoning_effort" in body and not model.startswith(("gpto", "gpt5")):
        return f"{model} takes no reasoning_effort"
    if model.startswith("gpto"):
        extra = set(body) - {"user", "model", "messages", "max_completion_tokens", "reasoning_effort"}
        return f"{model} takes max_completion_tokens only, not {sorted(extra)}" if extra else None
    if model.startswith("gpt5"):
        return f"{model} takes no {sampling or 'max_tokens'}" if sampling or "max_tokens" in body else None
    if model.startswith("claude"):
        return _broken_claude_rule(model, body, sampling)
    if model.startswith("gemini"):
        system = [message["content"] for message in body.get("messages", []) if message["role"] == "system"]
        return None if all(isinstance(text, str) for text in system) else "system content must be a plain string"
    return None


def _broken_claude_rule(model: str, body: dict[str, Any], sampling: list[str]) -> str | None:
    if not 0 < body.get("max_tokens", 0) <= 21000:
        return f"{model} needs max_tokens, at most 21000"
    if len(sampling) == 2:
        return f"{model} takes temperature or top_p, not both"
    if sampling and re.match(r"claude(opus(4[7-9]|[5-9])|sonnet[5-9])", model):
        return f"{model} takes no {sampling[0]}"
    return f"{model} takes a temperature up to 1" if body.get("temperature", 0) > 1 else None


def count_prompt_words(body: dict[str, Any]) -> int:
    """The number of words in a request's messages, which the stand-in reports as prompt tokens."""
    return sum(len(str(message["content"]).split()) for message in body.get("messages", []))
