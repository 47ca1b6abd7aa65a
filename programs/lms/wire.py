"""Between DSPy's requests and responses and the OpenAI-shaped bodies that servers speak. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from programs.errors import CallError, Truncated
from programs.lms.faults import EmptyAnswer, NotAnAnswer
from programs.lms.http_errors import payload_error
from programs.lms.redaction import excerpt
from programs.lms.structured import Rung, response_format

LimitKey = Literal["max_tokens", "max_completion_tokens"]

_MOST_TOKENS = 2**53


@dataclass(frozen=True)
class BodyRules:
    """Which parameters a model takes. The defaults are those of a server that takes everything."""

    limit_key: LimitKey = "max_tokens"
    default_limit: int | None = None
    highest_limit: int | None = None
    highest_temperature: float | None = None
    temperature: bool = True
    top_p: bool = True
    top_p_beside_temperature: bool = True
    seed: bool = True
    stop: bool = True
    response_format: bool = True
    reasoning_effort: bool = True


def messages_of(request: Request) -> list[dict[str, str]]:
    """The conversation with the system message first, every content a plain string."""
    messages = [{"role": message.role, "content": _text_of(message.parts)} for message in request.messages]
    system = request.system
    if system is None:
        return messages
    content = system if isinstance(system, str) else _text_of(system)
    return [{"role": "system", "content": content}, *messages]


def chat_body(
    request: Request,
    *,
    model: str,
    rules: BodyRules | None = None,
    rung: Rung = Rung.FULL,
    reasoning_effort: str | None = None,
) -> dict[str, Any]:
    """The JSON body of a chat completion: only what the request sets, or is given here, and `rules` allow."""
    rules = rules or BodyRules()
    body: dict[str, Any] = {"model": model, "messages": messages_of(request)}
    body.update(_sampling(request, rules))
    limit = request.config.max_tokens or rules.default_limit
    if limit is not None:
        body[rules.limit_key] = limit if rules.highest_limit is None else min(limit, rules.highest_limit)
    if rules.reasoning_effort and reasoning_effort is not None:
        body["reasoning_effort"] = reasoning_effort
    format_ = response_format(request.config.response_format, rung) if rules.response_format else None
    if format_ is not None:
        body["response_format"] = format_
    return body


def _sampling(request: Request, rules: BodyRules) -> dict[str, Any]:
    config, chosen = request.config, dict[str, Any]()
    if rules.temperature and config.temperature is not None:
        ceiling = rules.highest_temperature
        chosen["temperature"] = config.temperature if ceiling is None else min(config.temperature, ceiling)
    if rules.top_p and config.top_p is not None and (rules.top_p_beside_temperature or "temperature" not in chosen):
        chosen["top_p"] = config.top_p
    if rules.seed and config.seed is not None:
        chosen["seed"] = config.seed
    if rules.stop and config.stop:
        chosen["stop"] = list(config.stop)
    return chosen


def _text_of(parts: Iterable[Any]) -> str:
    texts = [getattr(part, "text", None) for part in parts]
    if any(text is None for text in texts):
        raise CallError("the prompt holds something other than text, which this backend does not send")
    return "\n".join(str(text) for text in texts)


def read_json(text: str, secrets: Iterable[str] = ()) -> Mapping[str, Any]:
    """The JSON object that a reply with HTTP 200 holds.

    Raises NotAnAnswer where it holds none (a login page, half a reply), and the error it holds where it holds that.
    """
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAnAnswer(f"the reply is not JSON: {excerpt(text, secrets)}") from None
    if not isinstance(payload, Mapping):
        raise NotAnAnswer(f"the reply is not a JSON object: {excerpt(text, secrets)}")
    error = payload_error(payload, secrets)
    if error is not None:
        raise error
    return payload


def read_completion(payload: Mapping[str, Any], *, model: str, secrets: Iterable[str] = ()) -> Response:
    """The answer in a chat completion, its reasoning apart from its text.

    Raises NotAnAnswer without a choice, EmptyAnswer without text, Truncated where the answer ran into its limit
    (even when some text came), CallError where the model or its filter refused; and whatever `payload_error` finds.
    """
    error = payload_error(payload, secrets)
    if error is not None:
        raise error
    choice = _first_choice(payload)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise NotAnAnswer("the reply's choice holds no message")
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        raise CallError(f"the model refused: {excerpt(refusal, secrets)}")
    return answer(
        _content_text(message.get("content")),
        reasoning=_reasoning_field(message),
        finish_reason=choice.get("finish_reason"),
        usage=usage_of(payload),
        model=model,
    )


_CUT_OFF = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
"""Finish reasons of answers that ran into their token limit: OpenAI's, and those that gateways pass on from others."""


def answer(content: str, *, reasoning: str, finish_reason: Any, usage: Usage, model: str) -> Response:
    """A Response of `content`, or the error that an unusable answer stands for (see `read_completion`)."""
    thought, text = split_thinking(encodable(content))
    if isinstance(finish_reason, str) and finish_reason.lower() in _CUT_OFF:
        raise Truncated("the answer ran into its token limit")
    if finish_reason == "content_filter":
        raise CallError("the server's content filter stopped the answer")
    if not text.strip():
        raise EmptyAnswer("empty answer")
    reasoning = "\n".join(part for part in (encodable(reasoning), thought) if part)
    parts = [ThinkingPart(text=reasoning)] if reasoning else []
    message = Message.assistant([*parts, TextPart(text=text)])
    return Response(id=None, model=model, message=message, finish_reason="stop", usage=usage)


def reasoning_of(response: Response) -> str:
    """The model's own reasoning in a Response, "" where it shows none."""
    return "\n".join(part.text for part in response.message.parts_of(ThinkingPart) if part.text)


def usage_of(payload: Any) -> Usage:
    """The tokens that a reply says it used. What it does not say, or says badly, is None, never zero."""
    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    if not isinstance(usage, Mapping):
        return Usage()
    details = usage.get("prompt_tokens_details")
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cache_read_tokens=_count(details.get("cached_tokens")) if isinstance(details, Mapping) else None,
    )


def usage_in(text: str) -> Usage:
    """`usage_of` a reply's text, whatever that holds: answers of no use were paid for too."""
    try:
        return usage_of(json.loads(text))
    except (ValueError, RecursionError):
        return Usage()


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else None


def _first_choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = payload.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return choices[0]
    raise NotAnAnswer("the reply holds no choices")


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str))


_THINKING_PARTS = ("thinking", "reasoning")


def _reasoning_field(message: Mapping[str, Any]) -> str:
    """The reasoning beside the content, or in parts of the content that are called so."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    thinking = [part for part in parts if isinstance(part, Mapping) and part.get("type") in _THINKING_PARTS]
    told = (_told(value) for value in (message.get("reasoning_content"), message.get("reasoning"), thinking))
    return next((text for text in told if text), "")


def _told(value: Any) -> str:
    """The text of a string, of a part, or of a list of these, each a block of its own."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("text", *_THINKING_PARTS, "content", "summary") if value.get(key)), "")
    if isinstance(value, list):
        return "\n\n".join(text for text in map(_told, value) if text)
    return value.strip() if isinstance(value, str) else ""


_NAME = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad)"
_OPEN = rf"(?:<{_NAME}>|\[{_NAME}\])"
_CLOSE = rf"(?:</{_NAME}>|\[/{_NAME}\])"
_THINKING = re.compile(rf"\A\s*{_OPEN}?(.*?){_CLOSE}\s*", re.DOTALL | re.IGNORECASE)
_OPEN_THINKING = re.compile(rf"\A\s*{_OPEN}", re.IGNORECASE)
# A model that speaks in channels (harmony): the last one said is the answer, unless it is one of thought.
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w*)[^<]*<\|message\|>(.*?)(?=<\|(?:end|start|return|call|channel)\|>|\Z)", re.DOTALL
)
_THOUGHT_CHANNELS = ("analysis", "commentary")


def encodable(text: str) -> str:
    """`text` with surrogates paired or replaced: JSON may escape half a character, which no file can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_thinking(content: str) -> tuple[str, str]:
    """(thought, text) of an answer whose thought is written before it, in tags (`<think>`, `[THINK]`, `<thought>`) or
    channels.

    Some chat templates put the opening tag into the prompt, so that an answer may begin inside it. A thought
    without an end leaves no text. Tags inside a JSON answer are text.
    """
    if content.lstrip().startswith("<|channel|>"):
        return _by_channel(content)
    if content.lstrip().startswith(("{", "[")) and not _OPEN_THINKING.match(content):
        return "", content
    found = _THINKING.match(content)
    if found:
        return found.group(1).strip(), content[found.end() :]
    if _OPEN_THINKING.match(content):
        return _OPEN_THINKING.sub("", content).strip(), ""
    return "", content


def _by_channel(content: str) -> tuple[str, str]:
    said = _CHANNEL.findall(content)
    thought = "\n".join(text.strip() for channel, text in said if channel in _THOUGHT_CHANNELS)
    answers = [text.strip() for channel, text in said if channel not in _THOUGHT_CHANNELS]
    return thought, answers[-1] if answers else ""
