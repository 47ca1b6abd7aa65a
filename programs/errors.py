"""The errors of the project, grouped by the boundary at which they occur.

`UserError` is a mistake of the user: a CLI prints its one line and exits with code 2.
`BackendError` is a failure of a server or a model: the retry policy and the runner look at its class, never at its text.
"""


class SynthReasonerError(Exception):
    """Base class of the errors that this project raises on purpose."""


class UserError(SynthReasonerError):
    """A mistake that the user can fix: a missing file, a bad option, no credentials. Its one line says what to do."""


class StorageError(SynthReasonerError):
    """A file of ours (journal, index, document, page, compiled program) or standard output cannot be read or written: the
    disk is full, another process changed the file, or more of it than the last line is damaged."""


class RunStopped(SynthReasonerError):
    """The run is being stopped: no new call may start, and no more input is read."""


class BackendError(SynthReasonerError):
    """A model's server gave no answer. The message never contains a key, a token or a username."""


class TransientError(BackendError):
    """A retry may help: 408, 425, 429, 5xx, a broken connection, an empty answer.

    `retry_after` is the server's Retry-After in seconds, or None; `status` the HTTP status, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class RateLimited(TransientError):
    """429: the server asks for fewer calls."""


class CallError(BackendError):
    """This call cannot succeed as it is (a 400 about its content); others may."""


class ContextTooLong(CallError):
    """The prompt does not fit the model's context window."""


class Truncated(CallError):
    """The answer was truncated at its token limit; with a higher limit it may be complete."""


class FatalError(BackendError):
    """No call of this run can succeed: the run stops at once and can be resumed."""


class AccessDenied(FatalError):
    """The server rejects the credentials (401, 403, Argo's access notices), or those of a provider are missing."""


class UnknownModel(FatalError):
    """The server does not know the model."""
