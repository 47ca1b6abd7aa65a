"""Our own error out of whatever a DSPy call raised."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

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
from programs.lms.redaction import excerpt, secrets_in


def backend_error(exc: BaseException, env: Mapping[str, str] | None = None) -> BackendError | None:
    """The BackendError behind `exc`, or None where no server is to blame (a parse failure, a bug).

    Our engines' errors arrive wrapped by DSPy, as causes; they are returned as they are. DSPy's own public errors,
    from models that DSPy calls itself, are translated, with the secrets in `env` (by default the process's) removed.
    """
    ours = next((cause for cause in causes(exc) if isinstance(cause, BackendError)), None)
    return ours or _translated(exc, os.environ if env is None else env)


def causes(exc: BaseException) -> Iterator[BaseException]:
    """An error and its causes, each once: an error that several calls raise may come to be among its own."""
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        current = current.__cause__


def _translated(exc: BaseException, env: Mapping[str, str]) -> BackendError | None:
    from dspy.utils import exceptions as theirs

    if not isinstance(exc, theirs.LMError) or isinstance(exc, theirs.LMUnexpectedError):
        return None
    status = exc.status
    message = excerpt(str(exc), secrets_in(env))
    if isinstance(exc, theirs.LMRateLimitError):
        return RateLimited(message, retry_after=exc.retry_after, status=status)
    transient = (theirs.LMTimeoutError, theirs.LMServerError, theirs.LMTransportError, theirs.LMLockTimeoutError)
    if isinstance(exc, transient):
        return TransientError(message, retry_after=exc.retry_after, status=status)
    meanings: tuple[tuple[type[BaseException], type[BackendError]], ...] = (
        (theirs.LMAuthError, AccessDenied),
        (theirs.LMBillingError, FatalError),
        (theirs.ContextWindowExceededError, ContextTooLong),
        (theirs.LMUnsupportedModelError, UnknownModel),
        (theirs.LMConfigurationError, FatalError),
    )
    return next((ours for source, ours in meanings if isinstance(exc, source)), CallError)(message)
