"""What can go wrong between us and a server, named finely enough to be counted.

The retry policy and the runner look at the classes of `programs.errors`; the finer classes here only say what is
written into the run's account of its faults.
"""

from __future__ import annotations

from programs.errors import BackendError, CallError, TransientError


class TimedOut(TransientError):
    """No whole reply within the time allowed."""


class NotConnected(TransientError):
    """The connection could not be made, or broke before the reply was whole."""


class EmptyAnswer(TransientError):
    """A reply in form whose answer is empty."""


class NotAnAnswer(TransientError):
    """HTTP 200 with something that is no answer: a web page, an error in disguise, no choices."""


class SchemaRefused(CallError):
    """The server does not take the `response_format` that was sent."""


_KINDS: dict[type[BackendError], str] = {
    TimedOut: "timeout",
    NotConnected: "connection",
    EmptyAnswer: "empty",
    NotAnAnswer: "not an answer",
    SchemaRefused: "schema",
}


def kind(error: BackendError) -> str:
    """The name under which `error` is counted: "429", "timeout", "empty", or its class's name."""
    named = _KINDS.get(type(error))
    if named is not None:
        return named
    status = getattr(error, "status", None)
    return type(error).__name__ if status is None else str(status)
