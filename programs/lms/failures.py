"""What a failed call means: the one place that turns HTTP replies and DSPy's errors into the project's. The retry policy
and the runner look at the classes of `programs.errors`; the finer ones here say what is counted."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from dspy.utils import exceptions as theirs

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


class TimedOut(TransientError):
    """No whole reply within the time allowed."""

    kind = "timeout"


class NotConnected(TransientError):
    """The connection could not be made, or broke before the reply was whole."""

    kind = "connection"


class EmptyAnswer(TransientError):
    """A reply in form whose answer is empty."""

    kind = "empty"


class NotAnAnswer(TransientError):
    """A reply that is no answer: a web page, an error in disguise, no choices."""

    kind = "not an answer"


class Forbidden(AccessDenied):
    """403: the credentials are refused, or, by a server that has answered others, this text."""


class ParameterRefused(CallError):
    """The server does not take `parameter` of the body that was sent."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.kind = "schema" if parameter == "response_format" else parameter


def kind(error: BackendError) -> str:
    """The name under which `error` is counted: "429", "timeout", "empty", or its class's name."""
    return str(getattr(error, "kind", None) or getattr(error, "status", None) or type(error).__name__)


_CONTEXT = re.compile(
    r"(?i)context_length|context_size|context (?:length|window|size|limit)|(?:prompt|input|sequence|model) length"
    r"|max_model_len|max(?:imum)? length|(?:prompt|input|request|message|content)s? (?:is |are )?too (?:long|large)"
    r"|(?:token count|number of tokens|tokens?) .{0,40}\bexceed|input_ids|too many (?:input )?tokens"
    r"|maximum number of tokens|shorter than|range of input length|reduce (?:the|your) (?:length|prompt)"
    r"|`inputs` (?:tokens|must)|overflows"
)
_TOO_LONG = re.compile(
    r"(?i)exceed|shorter|max_length|too (?:long|large|many|big)|longer|larger|maximum|at most|only|must|should|reduce"
    r"|overflow|limit|greater"
)
# A model's name in quotation marks: refusals also quote passages, which speak of models that are not found.
_MODEL = re.compile(
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
_SYSTEM = re.compile(r"(?i)(?:system|developer)[ _](?:role|message|prompt|instruction)|\broles must alternate")
# Ordinary words only where they are marked as a name: refusals quote passages.
_PARAMETER = re.compile(
    r"(?i)\b(max_tokens|max_completion_tokens|reasoning_effort)\b"
    r"|[\"'`{(](temperature|seed)\b|\b(temperature|seed)[\"'`]"
    r"|(?:supplied|parameters?|arguments?|fields?|body|model|inputs?|option)[:.(s) ]{1,4}(temperature|seed)\b"
    r"|\A(temperature|seed)\b"
)
_STATUSES = (
    (r"(?:invalid|bad)_?request|exceed_context_size|context_length", 400),
    (r"authentication|invalid_api_key", 401),
    (r"insufficient_quota", 402),
    (r"permission|forbidden|access_denied", 403),
    (r"(?:model_)?not_?found", 404),
    (r"rate_limit", 429),
)
"""How the types of errors begin, and the statuses that they come with elsewhere."""


def http_error(status: int, headers: Mapping[str, str], text: str, secrets: Iterable[str] = ()) -> BackendError:
    """The error that a reply with a status other than 2xx stands for. Returns it, for the caller to raise."""
    said = _words_of(text)
    message = f"HTTP {status}: {excerpt(said, secrets) or 'no reason given'}"
    if status == 401:
        return AccessDenied(message)
    if status == 403:
        return Forbidden(message)
    if status == 402 or (status in (400, 429) and _BILLING.search(said)):
        return FatalError(message)
    if status == 429:
        return RateLimited(message, retry_after=retry_after(headers), status=status)
    if status == 413 or _is_too_long(said):
        return ContextTooLong(message)
    if status in (408, 425) or status >= 500:
        return TransientError(message, retry_after=retry_after(headers), status=status)
    if 300 <= status < 400:
        return FatalError(f"{message} (the server redirects: check the base URL)")
    if status == 404 or (status == 400 and _MODEL.search(said)):
        return UnknownModel(message)
    refused = _refused_parameter(said) if status in (400, 422) else None
    return ParameterRefused(message, refused) if refused else CallError(message)


def raise_error_in(payload: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
    """Raises the error that a JSON reply, or its choice, holds although its HTTP status was 200. What such an error says
    about itself (a status code, a known type) decides; an unknown one is worth another try, and so is one of the form
    `{"type": "error"}`, by which gateways pass on what failed behind them."""
    error, passed_on = payload.get("error"), payload.get("type") == "error"
    if not (error or passed_on or payload.get("object") == "error"):
        return
    details = error if isinstance(error, Mapping) else {"message": error} if error else payload
    said = _words_of(json.dumps({"error": details}, default=str))
    status = None if passed_on else _status_in(details)
    if status is not None:
        raise http_error(status, {}, said, secrets)
    message = f"an error with HTTP 200: {excerpt(said, secrets)}"
    if _is_too_long(said):
        raise ContextTooLong(message)
    raise CallError(message) if _MODERATION.search(said) else NotAnAnswer(message)


def _status_in(details: Mapping[str, Any]) -> int | None:
    for value in [str(details.get(key)).lower() for key in ("status", "code", "type")]:
        if re.fullmatch(r"[45]\d\d", value):
            return int(value)
        if status := next((status for start, status in _STATUSES if re.match(start, value)), None):
            return status
    return None


def json_in(text: str) -> Any:
    """What a text holds as JSON; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _words_of(text: str) -> str:
    """The words of a refusal: the message, type and code of a JSON error, otherwise the text itself."""
    payload = json_in(text)
    error = payload.get("error", payload) if isinstance(payload, Mapping) else text
    if not isinstance(error, Mapping):
        return str(error)
    words = [str(error[key]) for key in ("message", "detail", "type", "code") if error.get(key) not in (None, "")]
    return " | ".join(words) or text


def _is_too_long(said: str) -> bool:
    return any(
        _TOO_LONG.search(said, max(0, found.start() - 120), found.end() + 120) for found in _CONTEXT.finditer(said)
    )


def _refused_parameter(said: str) -> str | None:
    """The parameter of a body that a refusal says is not taken; "system" for messages of that role."""
    if _SCHEMA.search(said):
        return "response_format"
    if not _UNSUPPORTED.search(said):
        return None
    if named := _PARAMETER.search(said):
        return str(named[named.lastindex or 0]).lower()
    return "system" if _SYSTEM.search(said) else None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks us to wait, 0 to 300, from `retry-after-ms` or `retry-after` (seconds or an HTTP date);
    None where it says nothing that makes sense."""
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    try:
        seconds = float(milliseconds) / 1000 if milliseconds else float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - (now or datetime.now(timezone.utc))).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(seconds, 300.0) if seconds >= 0 else None


_THEIRS: tuple[tuple[Any, type[BackendError]], ...] = (
    (theirs.LMRateLimitError, RateLimited),
    ((theirs.LMTimeoutError, theirs.LMServerError, theirs.LMTransportError, theirs.LMLockTimeoutError), TransientError),
    # A key that is missing is an error of the configuration.
    ((theirs.LMAuthError, theirs.LMConfigurationError), AccessDenied),
    (theirs.LMBillingError, FatalError),
    (theirs.ContextWindowExceededError, ContextTooLong),
    (theirs.LMUnsupportedModelError, UnknownModel),
    (theirs.LMError, CallError),
)
"""What DSPy's errors mean: the first that fits."""


def backend_error(exc: BaseException) -> BackendError | None:
    """The BackendError behind what a DSPy call raised, or None where no server is to blame (a parse failure, a bug). Our
    engines' arrive as causes of DSPy's; DSPy's own are translated, with the secrets in the environment removed."""
    ours = cause_of(exc, BackendError)
    if ours is not None or not isinstance(exc, theirs.LMError) or isinstance(exc, theirs.LMUnexpectedError):
        return ours
    message = excerpt(str(exc), secrets_in(os.environ))
    meaning = next(ours for kinds, ours in _THEIRS if isinstance(exc, kinds))
    if issubclass(meaning, TransientError):
        return meaning(message, retry_after=exc.retry_after, status=exc.status)
    return CallError(message) if meaning is AccessDenied and exc.status == 403 else meaning(message)


def cause_of(exc: BaseException, wanted: type[Cause]) -> Cause | None:
    """The first of a kind among an error and its causes. One that several calls raise may come to be among its own."""
    seen: list[BaseException] = []
    while exc not in seen and not isinstance(exc, wanted):
        seen.append(exc)
        exc = exc.__cause__ or exc
    return exc if isinstance(exc, wanted) else None
