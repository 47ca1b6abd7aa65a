"""What a server's refusal means: the one place that turns HTTP replies into the project's errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from programs.errors import (
    AccessDenied,
    BackendError,
    CallError,
    ContextTooLong,
    FatalError,
    RateLimited,
    TransientError,
    UnknownModel,
)
from programs.lms.faults import NotAnAnswer, SchemaRefused
from programs.lms.redaction import excerpt

LONGEST_RETRY_AFTER = 300.0

_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|prompt is too long"
    r"|exceeds? the (?:available |model'?s? )?(?:maximum )?context|context window|input is too long"
    r"|maximum number of tokens allowed",
    re.IGNORECASE,
)
_MODEL = re.compile(
    # A name in quotation marks: refusals also quote passages, which speak of models that are not found.
    r"model_not_found|invalid[ _]model|unknown[ _]model"
    r"|\bmodel:? ?[\"'`][^\"'`]{1,120}[\"'`] (?:was )?(?:does not exist|not found)",
    re.IGNORECASE,
)
_BILLING = re.compile(r"insufficient_quota|credit balance|exceeded your current quota", re.IGNORECASE)
_SCHEMA = re.compile(r"response_format|json_schema|schema|grammar|guided_json|structured output", re.IGNORECASE)

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "invalidrequesterror": 400,
    "badrequesterror": 400,
    "exceed_context_size_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "model_not_found": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
}


def http_error(status: int, headers: Mapping[str, str], text: str, secrets: Iterable[str] = ()) -> BackendError:
    """The error that a reply with a status other than 2xx stands for. Returns it, for the caller to raise."""
    said = _refusal_text(text)
    message = f"HTTP {status}: {excerpt(said, secrets) or 'no reason given'}"
    if status in (401, 403):
        return AccessDenied(message)
    if status == 402 or (status in (400, 429) and _BILLING.search(said)):
        return FatalError(message)
    if status == 429:
        return RateLimited(message, retry_after=retry_after(headers), status=status)
    if _CONTEXT.search(said):
        return ContextTooLong(message)
    if status in (408, 425) or status >= 500:
        return TransientError(message, retry_after=retry_after(headers), status=status)
    if 300 <= status < 400:
        return FatalError(f"{message} (the server redirects: check the base URL)")
    if status == 404 or (status == 400 and _MODEL.search(said)):
        return UnknownModel(message)
    if status in (400, 422) and _SCHEMA.search(said):
        return SchemaRefused(message)
    return CallError(message)


def payload_error(payload: Mapping[str, Any], secrets: Iterable[str] = ()) -> BackendError | None:
    """The error that a JSON reply holds although its HTTP status was 200, or None where it holds none.

    What such an error says about itself (a status code, a known type) decides; an unknown one is worth another try,
    and so is one of the form `{"type": "error"}`, by which gateways pass on what failed behind them.
    """
    error = payload.get("error")
    if not error and payload.get("type") != "error" and payload.get("object") != "error":
        return None
    details = error if isinstance(error, Mapping) else {"message": error} if error else payload
    said = _refusal_text(json.dumps({"error": details}, default=str))
    status = None if payload.get("type") == "error" else _status_in(details)
    if status is not None:
        return http_error(status, {}, said, secrets)
    message = f"an error with HTTP 200: {excerpt(said, secrets)}"
    if _CONTEXT.search(said):
        return ContextTooLong(message)
    return NotAnAnswer(message)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the server asks us to wait, 0 to 300, or None where it says nothing that makes sense.

    `Retry-After` holds seconds or an HTTP date; some servers also send `retry-after-ms`. Header names must be
    given in lower case or by a mapping that does not care.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _within_reason(milliseconds / 1000)
    value = headers.get("retry-after") or headers.get("Retry-After")
    seconds = _number(value)
    if seconds is None and value:
        seconds = _seconds_until(value, now or datetime.now(timezone.utc))
    return None if seconds is None else _within_reason(seconds)


def _within_reason(seconds: float) -> float | None:
    return None if seconds < 0 or math.isnan(seconds) else min(seconds, LONGEST_RETRY_AFTER)


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=timezone.utc)
    return (then - now).total_seconds()


def _refusal_text(text: str) -> str:
    """The words of a refusal: the message, type and code of a JSON error, otherwise the text itself."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(payload, Mapping):
        return text
    error = payload.get("error", payload)
    if not isinstance(error, Mapping):
        return str(error)
    words = [str(error[key]) for key in ("message", "detail", "type", "code") if error.get(key) not in (None, "")]
    return " | ".join(words) or text


def _status_in(details: Mapping[str, Any]) -> int | None:
    for key in ("status", "code", "type"):
        value = details.get(key)
        if isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() else _STATUS_OF_TYPE.get(value.lower())
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
            return value
    return None
