"""Whose fault an exception from a DSPy call is."""

from __future__ import annotations

from typing import Any

import pytest
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
from programs.lms.dspy_errors import backend_error


def test_our_own_error_is_found_under_others() -> None:
    ours = CallError("x")
    middle, outer = theirs.LMUnexpectedError("y"), RuntimeError("z")
    middle.__cause__, outer.__cause__ = ours, middle
    assert backend_error(outer) is ours
    assert backend_error(ours) is ours


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (theirs.LMAuthError("x"), AccessDenied),
        (theirs.LMBillingError("x"), FatalError),
        (theirs.LMRateLimitError("x", retry_after=3.0), RateLimited),
        (theirs.ContextWindowExceededError(), ContextTooLong),
        (theirs.LMUnsupportedModelError("x"), UnknownModel),
        (theirs.LMInvalidRequestError("x"), CallError),
        (theirs.LMUnsupportedFeatureError("x"), CallError),
        (theirs.LMTimeoutError("x"), TransientError),
        (theirs.LMServerError("x"), TransientError),
        (theirs.LMTransportError("x"), TransientError),
        (theirs.LMNotConfiguredError("x"), FatalError),
        (theirs.LMProviderError("x"), CallError),
    ],
)
def test_dspys_errors_are_translated(error: Any, meaning: type[BackendError]) -> None:
    assert type(backend_error(error)) is meaning


def test_the_wait_and_no_secret_come_through() -> None:
    error = backend_error(theirs.LMRateLimitError("key hunter2000", retry_after=3.0), {"X_API_KEY": "hunter2000"})
    assert isinstance(error, RateLimited)
    assert (error.retry_after, "hunter2000" in str(error)) == (3.0, False)


def test_a_bug_is_nobody_elses_fault() -> None:
    assert backend_error(theirs.LMUnexpectedError("bug")) is None
    assert backend_error(ValueError("bug")) is None
    loop = ValueError("loop")
    loop.__cause__ = loop
    assert backend_error(loop) is None
