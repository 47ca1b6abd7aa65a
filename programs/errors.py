"""The errors of the project, each named for the boundary where it happens.

`UserError` is a mistake in the user's hands: a CLI prints its one line and exits with code 2.
`BackendError` is what a server or a model did: the retry policy and the runner look at its class, never at its text.
"""


class SynthReasonerError(Exception):
    """Base of every error that this project raises on purpose."""


class UserError(SynthReasonerError):
    """The user can mend it: a missing file, a bad option, no credentials. One line that says what to do."""


class StorageError(SynthReasonerError):
    """A file of ours (journal, index, document, page, compiled program), or standard output, cannot be read or written: the
    disk is full, another process changed it, or it is damaged beyond its last line."""


class RunStopped(SynthReasonerError):
    """The run is being stopped: no new call may start, and nothing more is read."""


class BackendError(SynthReasonerError):
    """A model's server did not give an answer. Never holds a key, a token or a username."""


class TransientError(BackendError):
    """Trying again may help: 408, 425, 429, 5xx, a broken connection, an empty answer.

    `retry_after` is the server's Retry-After in seconds, or None; `status` the HTTP status, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class RateLimited(TransientError):
    """429: the server asks for fewer calls."""


class CallError(BackendError):
    """This one call cannot succeed as it stands (a 400 about its content); others may."""


class ContextTooLong(CallError):
    """The prompt does not fit the model's context."""


class Truncated(CallError):
    """The answer ran into its token limit; asked again with more tokens it may be whole."""


class FatalError(BackendError):
    """No call of this run can succeed: the run stops at once, resumable."""


class AccessDenied(FatalError):
    """The server refuses the credentials (401, 403, Argo's access notices), or a provider's are not there."""


class UnknownModel(FatalError):
    """The server does not know the model."""
