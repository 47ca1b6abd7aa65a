"""Between DSPy's requests and responses and the lines of the call journal. Pure functions."""

import hashlib
from dataclasses import replace
from typing import Any

import orjson
from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from optimize.recording.call_journal import Call
from programs.errors import CallError
from programs.lms.failures import EmptyAnswer
from programs.lms.meter import Meter
from programs.lms.wire import encodable, reasoning_of

Rollout = int | str | None


def key_of(endpoint: str, model: str, request: Request, rollout: Rollout, candidate: int) -> str:
    """The name of everything that decides an answer: 32 hexadecimal digits (128 bits) of its BLAKE2b hash."""
    parts = orjson.dumps([endpoint, model, request, rollout, candidate], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(parts, digest_size=16).hexdigest()


def reseeded(request: Request, rollout: Rollout, candidate: int) -> Request:
    """The request as it is sent: its seed, where it carries one, is another for every rollout and candidate. Without a
    rollout the first candidate keeps the request's own. 31 bits."""
    seed = request.config.seed
    if seed is None or (rollout is None and not candidate):
        return request
    digest = hashlib.blake2b(f"{seed}/{rollout}/{candidate}".encode(), digest_size=4).digest()
    return replace(request, config=replace(request.config, seed=int.from_bytes(digest, "big") & 0x7FFFFFFF))


def answer_of(response: Response) -> dict[str, Any]:
    """A response as the fields of a `Call`. Raises `EmptyAnswer` without text, `CallError` where it holds more than text
    (calls of tools), which the journal does not keep."""
    foreign = [part for part in response.message.parts if not isinstance(part, TextPart | ThinkingPart)]
    if foreign:
        raise CallError(f"the answer holds a {type(foreign[0]).__name__}: only text can be recorded")
    text = encodable(response.text or "")
    if not text.strip():
        raise EmptyAnswer("empty answer")
    return {"text": text, "reasoning": encodable(reasoning_of(response)), "finish_reason": response.finish_reason}


def tokens_of(meter: Meter, usage: Usage | None) -> dict[str, int | None]:
    """What a call's tokens are, as the fields of a `Call`: those that were metered, or those that DSPy tells of a call
    that it made itself. None is what no server counted; no prompt has zero tokens."""
    if not meter.attempts and usage is not None:
        counts = usage.input_tokens, usage.output_tokens, usage.cache_read_tokens
    elif meter.uncounted or not meter.prompt_tokens:
        counts = None, None, None
    else:
        counts = meter.prompt_tokens, meter.completion_tokens, meter.cached_tokens
    return dict(zip(("prompt_tokens", "completion_tokens", "cached_tokens"), counts, strict=True))


def response_of(call: Call, model: str, usage: Usage) -> Response:
    """The response that a recorded answer stands for."""
    thought = [ThinkingPart(text=call.reasoning)] if call.reasoning else []
    message = Message.assistant([*thought, TextPart(text=call.text or "")])
    return Response(id=None, model=model, message=message, finish_reason=call.finish_reason, usage=usage)
