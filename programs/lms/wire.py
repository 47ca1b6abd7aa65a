"""Translates between DSPy's requests and responses and the JSON bodies of OpenAI's chat completions. Pure functions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from programs.errors import CallError, ContextTooLong, Truncated
from programs.lms.failures import EmptyAnswer, InvalidReply, ParameterRefused, json_in, raise_error_in
from programs.redaction import excerpt, make_encodable

LIMITS = ("max_tokens", "max_completion_tokens")
SAMPLING = frozenset({"temperature", "seed"})
FORMATS = frozenset({"json_schema", "json_object"})
PARAMETERS = frozenset({*LIMITS, *SAMPLING, *FORMATS, "reasoning_effort", "system"})
"""What a server may or may not accept: parameters, types of `response_format`, and system messages."""

_SENT_OPTIONS = ("max_tokens", "temperature", "seed", "response_format")
_MAX_COUNT = 2**53
_THINKING_PARTS = ("thinking", "reasoning")
# Finish reasons of OpenAI, and of others that gateways pass on.
_TOKEN_LIMIT_REASONS = ("length", "max_tokens", "model_length", "max_output_tokens")
_CONTEXT_LIMIT_REASONS = ("model_context_window_exceeded", "context_length", "context_length_exceeded")
_FILTER_REASON = re.compile(
    r"content[ _-]?filter|safety|prohibited|blocklist|recitation|spii|refus|sensitive|moderat|guardrail|flagged"
)


@dataclass(frozen=True)
class BodyRules:
    """Which parameters a model accepts, and their bounds; by default everything. The token limit is sent under the first of
    `LIMITS` that is accepted."""

    accepted: frozenset[str] = PARAMETERS
    default_token_limit: int | None = None
    max_token_limit: int | None = None
    max_temperature: float | None = None

    def without(self, *refused: str) -> "BodyRules":
        """Raises ValueError for a name that is not in `PARAMETERS`, and would change nothing."""
        if unknown := {*refused} - PARAMETERS:
            raise ValueError(f"no such parameter: {', '.join(sorted(unknown))}")
        return replace(self, accepted=self.accepted - {*refused})

    def after(self, error: Exception, body: Mapping[str, Any]) -> "BodyRules | None":
        """The rules for sending the request again if `error` refuses a parameter that `body` has: with its next simpler
        form, or without it. None: nothing would change."""
        name = error.parameter if isinstance(error, ParameterRefused) else None
        if name is None or name not in (self.accepted if name == "system" else body):
            return None
        refused = body[name]["type"] if name == "response_format" else name
        return self.without(refused) if refused in self.accepted else None


def chat_body(request: Request, *, model: str, rules: BodyRules, reasoning_effort: str | None) -> dict[str, Any]:
    """The JSON body of a chat completion. The system message comes first, and each content is a plain string. Has only the
    given parameters that `rules` allow. Raises CallError for an option that is never sent, or if a part is not text."""
    config = request.config
    given = [field.name for field in fields(config) if getattr(config, field.name)]
    if unsupported := [name for name in given if name not in _SENT_OPTIONS]:
        raise CallError(f"unsupported options: {', '.join(unsupported)}; supported: {', '.join(_SENT_OPTIONS)}")
    wanted = {
        "temperature": _at_most(config.temperature, rules.max_temperature),
        "seed": config.seed,
        "reasoning_effort": reasoning_effort,
        "response_format": _response_format(config.response_format, rules),
    }
    if limit := next((name for name in LIMITS if name in rules.accepted), None):
        wanted[limit] = _at_most(config.max_tokens or rules.default_token_limit, rules.max_token_limit)
    accepted = {*rules.accepted, "response_format"}
    chosen = {name: value for name, value in wanted.items() if value is not None and name in accepted}
    messages = [{"role": message.role, "content": _text_of(message.parts)} for message in request.messages]
    if request.system is not None:
        system = _text_of(request.system)
        if "system" in rules.accepted:
            messages.insert(0, {"role": "system", "content": system})
        else:
            messages[0]["content"] = f"{system}\n\n{messages[0]['content']}"
    return {"model": model, "messages": messages, **chosen}


def _at_most(value: Any, highest: Any) -> Any:
    return value if value is None or highest is None else min(value, highest)


def _response_format(flat: Mapping[str, Any] | None, rules: BodyRules) -> dict[str, Any] | None:
    """DSPy's flat response format in OpenAI's nested form, or in the next simpler form that the server accepts."""
    if flat is None:
        return None
    if flat.get("type") != "json_schema" or "json_schema" not in rules.accepted:
        return {"type": "json_object"} if "json_object" in rules.accepted else None
    schema = {"name": flat.get("name", "answer"), "strict": flat.get("strict", True), "schema": flat["schema"]}
    return {"type": "json_schema", "json_schema": schema}


def _text_of(parts: str | Iterable[Any]) -> str:
    texts = [parts] if isinstance(parts, str) else [getattr(part, "text", None) for part in parts]
    if None in texts:
        raise CallError("the prompt contains something other than text, which this backend does not send")
    return "\n".join(map(str, texts))


def read_json(text: str, secrets: Iterable[str] = ()) -> Mapping[str, Any]:
    """The JSON object in a reply with HTTP 200. Raises InvalidReply if there is none (a login page, half a reply), and the
    error that it holds, if any."""
    payload = json_in(text)
    if not isinstance(payload, Mapping):
        raise InvalidReply(f"the reply is not a JSON object: {excerpt(text, secrets)}")
    raise_error_in(payload, secrets)
    return payload


def read_completion(payload: Mapping[str, Any], *, model: str, secrets: Iterable[str] = ()) -> Response:
    """The answer in a chat completion (from `read_json`); reasoning, in its own field or in content parts, is a separate
    part. Raises InvalidReply without choices, EmptyAnswer without text, Truncated at the token limit (even with some text),
    ContextTooLong at the end of the context, CallError if the model or a filter refused, and any error in the choice."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    choice: Mapping[str, Any] = first if isinstance(first, Mapping) else {}
    raise_error_in(choice, secrets)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        blocked = payload.get("prompt_feedback") or payload.get("promptFeedback")
        if isinstance(blocked, Mapping) and (blocked.get("block_reason") or blocked.get("blockReason")):
            raise CallError("the server's content filter stopped the prompt")
        raise InvalidReply("the reply has no choices, or none with a message")
    refusal, content = message.get("refusal"), message.get("content")
    if isinstance(refusal, str) and refusal.strip():
        raise CallError(f"the model refused: {excerpt(refusal, secrets)}")
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    if parts:
        texts = [part["text"] for part in parts if part.get("type") == "text" and isinstance(part.get("text"), str)]
        content = "".join(texts)
    thinking = [part for part in parts if part.get("type") in _THINKING_PARTS]
    reasoning = map(_plain_text, (message.get("reasoning_content"), message.get("reasoning"), thinking))
    return response_of(
        content if isinstance(content, str) else "",
        next(filter(None, reasoning), ""),
        finish_reason=choice.get("finish_reason"),
        usage=usage_of(payload),
        model=model,
    )


def response_of(
    content: str, reasoning: str = "", *, finish_reason: Any = None, usage: Usage | None = None, model: str
) -> Response:
    """A Response with `content`. Raises the errors of unusable answers (see `read_completion`)."""
    thought, text = split_thinking(make_encodable(content))
    reason = str(finish_reason).lower()
    if reason in _TOKEN_LIMIT_REASONS:
        raise Truncated("the answer ran into its token limit")
    if reason in _CONTEXT_LIMIT_REASONS:
        raise ContextTooLong("the answer ran into the end of the model's context")
    if _FILTER_REASON.search(reason):
        raise CallError(f"the server's content filter stopped the answer ({excerpt(reason)})")
    if reason == "error":
        raise InvalidReply("the server broke off the answer with an error")
    if not text.strip():
        raise EmptyAnswer("empty answer")
    reasoning = "\n".join(part for part in (make_encodable(reasoning), thought) if part)
    parts = [ThinkingPart(text=reasoning)] if reasoning else []
    message = Message.assistant([*parts, TextPart(text=text)])
    return Response(id=None, model=model, message=message, finish_reason="stop", usage=usage or Usage())


def reasoning_of(response: Response) -> str:
    """The model's own reasoning in a Response; "" if it has none."""
    return "\n".join(part.text for part in response.message.parts_of(ThinkingPart) if part.text)


def usage_of(payload: Any) -> Usage:
    """The token counts in a reply, whatever else it holds, since unusable answers are paid for too. Missing or malformed
    counts are None, never zero."""

    def count(counts: Any, name: str) -> int | None:
        value = counts.get(name) if isinstance(counts, Mapping) else None
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT else None

    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    details = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    return Usage(
        input_tokens=count(usage, "prompt_tokens"),
        output_tokens=count(usage, "completion_tokens"),
        cache_read_tokens=count(details, "cached_tokens"),
    )


def _plain_text(value: Any) -> str:
    """The text of a string, of a part, or of a list of these, separated by blank lines."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("text", *_THINKING_PARTS, "content", "summary") if value.get(key)), "")
    if isinstance(value, list):
        return "\n\n".join(text for text in map(_plain_text, value) if text)
    return value.strip() if isinstance(value, str) else ""


_TAG = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|analysis)"
# <think>, [THINK], <|thinking|>, <|begin_of_thought|>, <|START_THINKING|>, <seed:think>, ◁think▷, <|channel>thought
_OPEN_THINKING = re.compile(
    rf"(?i)\A\s*(?:[<\[◁]\|?(?:\w+:|begin_of_|start_)?{_TAG}\|?[>\]▷]|<\|?channel\|?>\s*{_TAG}\b)"
)
_CLOSE_THINKING = re.compile(rf"(?i)(?:[<\[◁](?:\|?/|\|?end_of_|\|?end_)(?:\w+:)?{_TAG}\|?[>\]▷]|<channel\|>)\s*")
# Tags that may enclose the answer after the thought.
_ANSWER_BRACKETS = re.compile(
    r"(?is)\A\s*(?:<\|(?:begin_of_solution|start_response)\|>|<(?:answer|output|response)>)(.*?)"
    r"(?:<\|(?:end_of_solution|end_response)\|>|</(?:answer|output|response)>|\Z)"
)
# OpenAI's harmony format: the last channel that is not one of thought is the answer. Some servers strip the special tokens
# and leave the names of the channels.
_CHANNEL = re.compile(r"(?s)<\|channel\|>\s*(\w*)[^<]*<\|message\|>(.*?)(?=<\|(?:end|start|return|call|channel)\|>|\Z)")
_THOUGHT_CHANNELS = ("analysis", "commentary")
_BARE_CHANNELS = re.compile(r"(?s)\A\s*(?:analysis|commentary)(?=[A-Z{\"'])(.*?)(?:assistant\s*final(.*))?\Z")


def split_thinking(content: str) -> tuple[str, str]:
    """Splits an answer into (thought, text), if it starts with a thought in any of the tags or channels that models use.
    Some chat templates put the opening tag into the prompt, so that the answer starts inside the thought. A thought that
    never ends leaves no text. Tags inside a JSON answer are text."""
    start = content.lstrip()
    if start.startswith(("<|channel|>", "<|start|>")):
        parts = _CHANNEL.findall(content)
        thought = "\n".join(text.strip() for channel, text in parts if channel in _THOUGHT_CHANNELS)
        return thought, next((text.strip() for channel, text in parts[::-1] if channel not in _THOUGHT_CHANNELS), "")
    if bare := _BARE_CHANNELS.match(content):
        return bare[1].strip(), (bare[2] or "").strip()
    opened = _OPEN_THINKING.match(content)
    if opened is None and start.startswith(("{", "[")) and not _CLOSE_THINKING.match(start):
        return "", content
    inside = content[opened.end() :] if opened else content
    closed = _CLOSE_THINKING.search(inside)
    if closed is None:
        return (inside.strip(), "") if opened else ("", content)
    text = inside[closed.end() :]
    bracketed = _ANSWER_BRACKETS.match(text)
    return inside[: closed.start()].strip(), bracketed[1].strip() if bracketed else text
