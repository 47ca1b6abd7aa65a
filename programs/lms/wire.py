"""Between DSPy's requests and responses and the OpenAI-shaped bodies that servers speak. Pure functions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from programs.errors import CallError, ContextTooLong, Truncated
from programs.lms.failures import EmptyAnswer, NotAnAnswer, ParameterRefused, json_in, raise_error_in
from programs.redaction import encodable, excerpt

LIMITS = ("max_tokens", "max_completion_tokens")
SAMPLING = frozenset({"temperature", "seed"})
FORMATS = frozenset({"json_schema", "json_object"})
PARAMETERS = frozenset({*LIMITS, *SAMPLING, *FORMATS, "reasoning_effort", "system"})
"""What a server may take beside model and messages: parameters, types of `response_format`, messages of the system."""

_OPTIONS = ("max_tokens", "temperature", "seed", "response_format")
_MOST_TOKENS = 2**53
_THINKING_PARTS = ("thinking", "reasoning")
# Finish reasons: OpenAI's, and those that gateways pass on from others.
_CUT_OFF = ("length", "max_tokens", "model_length", "max_output_tokens")
_CUT_BY_CONTEXT = ("model_context_window_exceeded", "context_length", "context_length_exceeded")
_FILTERED = re.compile(
    r"content[ _-]?filter|safety|prohibited|blocklist|recitation|spii|refus|sensitive|moderat|guardrail|flagged"
)


@dataclass(frozen=True)
class BodyRules:
    """Which parameters a model takes, and within which bounds; by default everything. The limit of tokens goes by the first
    of `LIMITS` that is taken."""

    takes: frozenset[str] = PARAMETERS
    default_limit: int | None = None
    highest_limit: int | None = None
    highest_temperature: float | None = None

    def without(self, *refused: str) -> "BodyRules":
        return replace(self, takes=self.takes - {*refused})

    def after(self, error: Exception, body: Mapping[str, Any]) -> "BodyRules | None":
        """The rules by which to ask again for less, where an error refuses a parameter that was in the body: its next
        form, or else without it. None: asking again would be the same."""
        name = error.parameter if isinstance(error, ParameterRefused) else None
        if name is None or name not in (self.takes if name == "system" else body):
            return None
        return self.without(body[name]["type"] if name == "response_format" else name)


def chat_body(request: Request, *, model: str, rules: BodyRules, reasoning_effort: str | None) -> dict[str, Any]:
    """The JSON body of a chat completion, the system message first and every content a plain string; of parameters only
    what the request sets, or is given here, and `rules` allow. Raises CallError for an option that no backend is sent."""
    config = request.config
    given = [field.name for field in fields(config) if getattr(config, field.name)]
    if unsent := [name for name in given if name not in _OPTIONS]:
        raise CallError(f"options that are not sent: {', '.join(unsent)}; those that are: {', '.join(_OPTIONS)}")
    wanted = {
        "temperature": _at_most(config.temperature, rules.highest_temperature),
        "seed": config.seed,
        "reasoning_effort": reasoning_effort,
        "response_format": _response_format(config.response_format, rules),
    }
    if limit := next((name for name in LIMITS if name in rules.takes), None):
        wanted[limit] = _at_most(config.max_tokens or rules.default_limit, rules.highest_limit)
    taken = {*rules.takes, "response_format"}
    chosen = {name: value for name, value in wanted.items() if value is not None and name in taken}
    messages = [{"role": message.role, "content": _text_of(message.parts)} for message in request.messages]
    if request.system is not None:
        system = _text_of(request.system)
        if "system" in rules.takes:
            messages.insert(0, {"role": "system", "content": system})
        else:
            messages[0]["content"] = f"{system}\n\n{messages[0]['content']}"
    return {"model": model, "messages": messages, **chosen}


def _at_most(value: Any, highest: Any) -> Any:
    return value if value is None or highest is None else min(value, highest)


def _response_format(asked: Mapping[str, Any] | None, rules: BodyRules) -> dict[str, Any] | None:
    """OpenAI's nested form of the flat one that DSPy hands over, or the next one that the server takes."""
    if asked is None:
        return None
    if asked.get("type") != "json_schema" or "json_schema" not in rules.takes:
        return {"type": "json_object"} if "json_object" in rules.takes else None
    schema = {"name": asked.get("name", "answer"), "strict": asked.get("strict", True), "schema": asked["schema"]}
    return {"type": "json_schema", "json_schema": schema}


def _text_of(parts: str | Iterable[Any]) -> str:
    texts = [parts] if isinstance(parts, str) else [getattr(part, "text", None) for part in parts]
    if None in texts:
        raise CallError("the prompt holds something other than text, which this backend does not send")
    return "\n".join(map(str, texts))


def read_json(text: str, secrets: Iterable[str] = ()) -> Mapping[str, Any]:
    """The JSON object that a reply with HTTP 200 holds. Raises NotAnAnswer where it holds none (a login page, half a
    reply), and the error it holds where it holds that."""
    payload = json_in(text)
    if not isinstance(payload, Mapping):
        raise NotAnAnswer(f"the reply is not a JSON object: {excerpt(text, secrets)}")
    raise_error_in(payload, secrets)
    return payload


def read_completion(payload: Mapping[str, Any], *, model: str, secrets: Iterable[str] = ()) -> Response:
    """The answer in a chat completion (of `read_json`), its reasoning (in a field of its own, or in parts of the content)
    apart from its text. Raises NotAnAnswer without a choice, EmptyAnswer without text, Truncated where the answer ran into
    its limit (even when some text came), CallError where the model or its filter refused; and what its choice holds."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    choice: Mapping[str, Any] = first if isinstance(first, Mapping) else {}
    raise_error_in(choice, secrets)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        blocked = payload.get("prompt_feedback") or payload.get("promptFeedback")
        if isinstance(blocked, Mapping) and (blocked.get("block_reason") or blocked.get("blockReason")):
            raise CallError("the server's content filter stopped the prompt")
        raise NotAnAnswer("the reply holds no choices, or none with a message")
    refusal, content = message.get("refusal"), message.get("content")
    if isinstance(refusal, str) and refusal.strip():
        raise CallError(f"the model refused: {excerpt(refusal, secrets)}")
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    if parts:
        texts = [part["text"] for part in parts if part.get("type") == "text" and isinstance(part.get("text"), str)]
        content = "".join(texts)
    thinking = [part for part in parts if part.get("type") in _THINKING_PARTS]
    reasoning = map(_plain_text, (message.get("reasoning_content"), message.get("reasoning"), thinking))
    return answer(
        content if isinstance(content, str) else "",
        next(filter(None, reasoning), ""),
        finish_reason=choice.get("finish_reason"),
        usage=usage_of(payload),
        model=model,
    )


def answer(
    content: str, reasoning: str = "", *, finish_reason: Any = None, usage: Usage | None = None, model: str
) -> Response:
    """A Response of `content`, or the error that an unusable answer stands for (see `read_completion`)."""
    thought, text = split_thinking(encodable(content))
    reason = str(finish_reason).lower()
    if reason in _CUT_OFF:
        raise Truncated("the answer ran into its token limit")
    if reason in _CUT_BY_CONTEXT:
        raise ContextTooLong("the answer ran into the end of the model's context")
    if _FILTERED.search(reason):
        raise CallError(f"the server's content filter stopped the answer ({excerpt(reason)})")
    if reason == "error":
        raise NotAnAnswer("the server broke off the answer with an error")
    if not text.strip():
        raise EmptyAnswer("empty answer")
    reasoning = "\n".join(part for part in (encodable(reasoning), thought) if part)
    parts = [ThinkingPart(text=reasoning)] if reasoning else []
    message = Message.assistant([*parts, TextPart(text=text)])
    return Response(id=None, model=model, message=message, finish_reason="stop", usage=usage or Usage())


def reasoning_of(response: Response) -> str:
    """The model's own reasoning in a Response, "" where it shows none."""
    return "\n".join(part.text for part in response.message.parts_of(ThinkingPart) if part.text)


def usage_of(payload: Any) -> Usage:
    """The tokens that a reply, whatever it holds, says it used: answers of no use were paid for too. What it does not say,
    or says badly, is None, never zero."""

    def count(said: Any, name: str) -> int | None:
        value = said.get(name) if isinstance(said, Mapping) else None
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else None

    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    details = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    return Usage(
        input_tokens=count(usage, "prompt_tokens"),
        output_tokens=count(usage, "completion_tokens"),
        cache_read_tokens=count(details, "cached_tokens"),
    )


def _plain_text(value: Any) -> str:
    """The text of a string, of a part, or of a list of these, each a block of its own."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("text", *_THINKING_PARTS, "content", "summary") if value.get(key)), "")
    if isinstance(value, list):
        return "\n\n".join(text for text in map(_plain_text, value) if text)
    return value.strip() if isinstance(value, str) else ""


_NAME = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|analysis)"
# <think>, [THINK], <|thinking|>, <|begin_of_thought|>, <|START_THINKING|>, <seed:think>, ◁think▷, <|channel>thought
_OPEN_THINKING = re.compile(
    rf"(?i)\A\s*(?:[<\[◁]\|?(?:\w+:|begin_of_|start_)?{_NAME}\|?[>\]▷]|<\|?channel\|?>\s*{_NAME}\b)"
)
_CLOSE_THINKING = re.compile(rf"(?i)(?:[<\[◁](?:\|?/|\|?end_of_|\|?end_)(?:\w+:)?{_NAME}\|?[>\]▷]|<channel\|>)\s*")
# What may stand around an answer behind its thought.
_ANSWER_BRACKETS = re.compile(
    r"(?is)\A\s*(?:<\|(?:begin_of_solution|start_response)\|>|<(?:answer|output|response)>)(.*?)"
    r"(?:<\|(?:end_of_solution|end_response)\|>|</(?:answer|output|response)>|\Z)"
)
# A model that speaks in channels (harmony): the last one said is the answer, unless it is one of thought. Some servers
# take the brackets away and leave the names.
_CHANNEL = re.compile(r"(?s)<\|channel\|>\s*(\w*)[^<]*<\|message\|>(.*?)(?=<\|(?:end|start|return|call|channel)\|>|\Z)")
_THOUGHT_CHANNELS = ("analysis", "commentary")
_BARE_CHANNELS = re.compile(r"(?s)\A\s*(?:analysis|commentary)(?=[A-Z{\"'])(.*?)(?:assistant\s*final(.*))?\Z")


def split_thinking(content: str) -> tuple[str, str]:
    """(thought, text) of an answer whose thought is written before it, in brackets of any kind that models use or channels.
    Some chat templates put the opening bracket into the prompt, so that an answer may begin inside it. A thought without
    an end leaves no text. Brackets inside a JSON answer are text."""
    start = content.lstrip()
    if start.startswith(("<|channel|>", "<|start|>")):
        said = _CHANNEL.findall(content)
        thought = "\n".join(text.strip() for channel, text in said if channel in _THOUGHT_CHANNELS)
        return thought, next((text.strip() for channel, text in said[::-1] if channel not in _THOUGHT_CHANNELS), "")
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
