"""Translates failed calls, from HTTP replies or DSPy's errors, into the errors of the project. The base classes in
`programs.errors` decide about retries; the subclasses here also name the kind of fault that is counted."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from dspy.utils import exceptions as dspy_errors

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
from programs.redaction import excerpt, secrets_in

Cause = TypeVar("Cause", bound=BaseException)


class CallTimeout(TransientError):
    """The reply was not complete within the timeout."""

    kind = "timeout"


class ConnectionFailed(TransientError):
    """The connection could not be made, or broke before the reply was complete."""

    kind = "connection"


class EmptyAnswer(TransientError):
    """A well-formed reply whose answer is empty."""

    kind = "empty"


class InvalidReply(TransientError):
    """A reply that holds no answer, such as a web page, an error with status 200, or an empty list of choices."""

    kind = "not an answer"


class Forbidden(AccessDenied):
    """403: the server refuses the credentials or, if it has answered other calls, this text."""


class ParameterRefused(CallError):
    """The server does not accept `parameter` in the body of a request."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.kind = "schema" if parameter == "response_format" else parameter


def fault_kind(error: BackendError) -> str:
    """The name under which `error` is counted: "429", "timeout", "empty", or the name of its class."""
    return str(getattr(error, "kind", None) or getattr(error, "status", None) or type(error).__name__)


_LENGTH_WORDS = re.compile(
    r"(?i)context_length|context_size|context (?:length|window|size|limit)|(?:prompt|input|sequence|model) length"
    r"|max_model_len|max(?:imum)? length|(?:prompt|input|request|message|content)s? (?:is |are )?too (?:long|large)"
    r"|(?:token count|number of tokens|tokens?) .{0,40}\bexceed|input_ids|too many (?:input )?tokens"
    r"|maximum number of tokens|shorter than|range of input length|reduce (?:the|your) (?:length|prompt)"
    r"|`inputs` (?:tokens|must)|overflows"
)
_EXCESS_WORDS = re.compile(
    r"(?i)exceed|shorter|max_length|too (?:long|large|many|big)|longer|larger|maximum|at most|only|must|should|reduce"
    r"|overflow|limit|greater"
)
# The model's name must be quoted: refusals also quote passages, which may say that a model was not found.
_UNKNOWN_MODEL = re.compile(
    r"(?i)model_not_found|invalid[ _]model|unknown[ _]model"
    r"|\bmodel:? ?[\"'`][^\"'`]{1,120}[\"'`] (?:was )?(?:does not exist|not found)"
)
_BILLING = re.compile(r"(?i)insufficient_quota|credit balance|exceeded your current quota")
_MODERATION = re.compile(
    r"(?i)moderation|content[ _-]?(?:policy|filter|management)|data_?inspection|flagged|safety|sensitive"
)
_SCHEMA = re.compile(r"(?i)response_format|json_schema|schema|grammar|guided_json|structured output")
_UNSUPPORTED = re.compile(
    r"(?i)unsupported|not support|unrecognized|unexpected|unknown (?:parameter|field|argument|name)|deprecated"
    r"|cannot (?:both )?be (?:used|set|specified)|not (?:permitted|allowed|enabled)|only the default"
    r"|extra (?:inputs|fields)|cannot find field|(?:invalid|bad) (?:parameter|argument|field)|must alternate"
)
_SYSTEM_ROLE = re.compile(r"(?i)(?:system|developer)[ _](?:role|message|prompt|instruction)|\broles must alternate")
# Ordinary words count only if they are marked as a name, because refusals also quote passages.
_PARAMETER_NAME = re.compile(
    r"(?i)\b(max_tokens|max_completion_tokens|reasoning_effort)\b"
    r"|[\"'`{(](temperature|seed)\b|\b(temperature|seed)[\"'`]"
    r"|(?:supplied|parameters?|arguments?|fields?|body|model|inputs?|option)[:.(s) ]{1,4}(temperature|seed)\b"
    r"|\A(temperature|seed)\b"
)
_STATUS_OF_TYPE = (
    (r"(?:invalid|bad)_?request|exceed_context_size|context_length", 400),
    (r"authentication|invalid_api_key", 401),
    (r"insufficient_quota", 402),
    (r"permission|forbidden|access_denied", 403),
    (r"(?:model_)?not_?found", 404),
    (r"rate_limit", 429),
)
"""Patterns of the types and codes of errors, and the HTTP status that usually comes with them."""


def http_error(status: int, headers: Mapping[str, str], text: str, secrets: Iterable[str] = ()) -> BackendError:
    """Returns, for the caller to raise, the error that a reply with a status other than 2xx means."""
    payload = json_in(text)
    reason = _reason_in(payload.get("error", payload)) if isinstance(payload, Mapping) else text
    message = f"HTTP {status}: {excerpt(reason, secrets) or 'no reason given'}"
    if status == 401:
        return AccessDenied(message)
    if status == 403:
        return Forbidden(message)
    if status == 402 or (status in (400, 429) and _BILLING.search(reason)):
        return FatalError(message)
    if status == 429:
        return RateLimited(message, retry_after=retry_after(headers), status=status)
    if status == 413 or _is_too_long(reason):
        return ContextTooLong(message)
    if status in (408, 425) or status >= 500:
        return TransientError(message, retry_after=retry_after(headers), status=status)
    if 300 <= status < 400:
        return FatalError(f"{message} (the server redirects: check the base URL)")
    if status == 404 or (status == 400 and _UNKNOWN_MODEL.search(reason)):
        return UnknownModel(message)
    refused = _refused_parameter(reason) if status in (400, 422) else None
    return ParameterRefused(message, refused) if refused else CallError(message)


def raise_error_in(payload: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
    """Raises the error, if any, in a JSON reply or choice that came with HTTP status 200. Its own status code or known type
    decides what it means. Without these, and for `{"type": "error"}`, with which gateways pass on failures from behind
    them, it is retryable (InvalidReply), unless it is about length or moderation."""
    error, passed_on = payload.get("error"), payload.get("type") == "error"
    if not (error or passed_on or payload.get("object") == "error"):
        return
    details = error or payload
    reason = _reason_in(details)
    status = None if passed_on or not isinstance(details, Mapping) else _status_in(details)
    if status is not None:
        raise http_error(status, {}, reason, secrets)
    message = f"an error with HTTP 200: {excerpt(reason, secrets)}"
    if _is_too_long(reason):
        raise ContextTooLong(message)
    raise CallError(message) if _MODERATION.search(reason) else InvalidReply(message)


def _status_in(details: Mapping[str, Any]) -> int | None:
    for value in [str(details.get(key)).lower() for key in ("status", "code", "type")]:
        if re.fullmatch(r"[45]\d\d", value):
            return int(value)
        if status := next((status for start, status in _STATUS_OF_TYPE if re.match(start, value)), None):
            return status
    return None


def json_in(text: str) -> Any:
    """The value of a JSON text, or None if it is not valid JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reason_in(details: Any) -> str:
    """The message, detail, type and code of an error in JSON; all of it if it has none of these."""
    if not isinstance(details, Mapping):
        return str(details)
    words = [str(details[key]) for key in ("message", "detail", "type", "code") if details.get(key) not in (None, "")]
    return " | ".join(words) or str(details)


def _is_too_long(text: str) -> bool:
    return any(
        _EXCESS_WORDS.search(text, max(0, hit.start() - 120), hit.end() + 120) for hit in _LENGTH_WORDS.finditer(text)
    )


def _refused_parameter(text: str) -> str | None:
    """The request parameter that an error message rejects, if any; "system" for messages with that role."""
    if _SCHEMA.search(text):
        return "response_format"
    if not _UNSUPPORTED.search(text):
        return None
    if named := _PARAMETER_NAME.search(text):
        return str(named[named.lastindex or 0]).lower()
    return "system" if _SYSTEM_ROLE.search(text) else None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks us to wait, 0 to 300, from `retry-after-ms` or `retry-after` (seconds or an HTTP date);
    None if there is no valid value."""
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    try:
        seconds = float(milliseconds) / 1000 if milliseconds else float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - (now or datetime.now(timezone.utc))).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(seconds, 300.0) if seconds >= 0 else None


_DSPY_ERRORS: tuple[tuple[Any, type[BackendError]], ...] = (
    (dspy_errors.LMRateLimitError, RateLimited),
    ((dspy_errors.LMTimeoutError, dspy_errors.LMLockTimeoutError), TransientError),
    ((dspy_errors.LMServerError, dspy_errors.LMTransportError), TransientError),
    # DSPy reports a missing key as a configuration error.
    ((dspy_errors.LMAuthError, dspy_errors.LMConfigurationError), AccessDenied),
    (dspy_errors.LMBillingError, FatalError),
    (dspy_errors.ContextWindowExceededError, ContextTooLong),
    (dspy_errors.LMUnsupportedModelError, UnknownModel),
    (dspy_errors.LMError, CallError),
)
"""Maps DSPy's errors to the project's. The first match applies."""


def backend_error(exc: BaseException) -> BackendError | None:
    """The BackendError behind an exception of a DSPy call, or None if no server is to blame (a parse failure, a bug). The
    errors of our engines are causes of DSPy's; DSPy's own are translated, without the secrets in the environment."""
    ours = find_cause(exc, BackendError)
    if ours is not None or not isinstance(exc, dspy_errors.LMError) or isinstance(exc, dspy_errors.LMUnexpectedError):
        return ours
    message = excerpt(str(exc), secrets_in(os.environ))
    meaning = next(translation for kinds, translation in _DSPY_ERRORS if isinstance(exc, kinds))
    if issubclass(meaning, TransientError):
        return meaning(message, retry_after=exc.retry_after, status=exc.status)
    return CallError(message) if meaning is AccessDenied and exc.status == 403 else meaning(message)


def find_cause(exc: BaseException, wanted: type[Cause]) -> Cause | None:
    """The first error of type `wanted` among `exc` and its causes, or None. The causes may form a cycle: an exception that
    several calls raise can become its own cause."""
    seen: list[BaseException] = []
    while exc not in seen and not isinstance(exc, wanted):
        seen.append(exc)
        exc = exc.__cause__ or exc
    return exc if isinstance(exc, wanted) else None
