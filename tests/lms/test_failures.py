"""Every failure is classified in one place, and its message shows no secrets."""

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from dspy.utils import exceptions as dspy_errors
from hypothesis import given
from hypothesis import strategies as st

from programs import errors as ours
from programs.lms.failures import Forbidden, ParameterRefused, backend_error, http_error, retry_after
from programs.redaction import MAX_EXCERPT_CHARS, excerpt, redact

TOO_LONG = [
    "The decoder prompt (length 9031) is longer than the maximum model length of 8192.",
    "The input (9031 tokens) is longer than the model's context length (8192 tokens).",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    "Trying to keep the first 9000 tokens when context the overflows.",
    "Please reduce the length of the messages or completion.",
    "Range of input length should be [1, 30720]",
    "Prompt exceeds max length",
    "Input length of input_ids is 9000, but max_length is set to 4096",
]
"""Messages with which servers say that a prompt is too long."""


def error_body(message: str, **fields: Any) -> str:
    return json.dumps({"error": {"message": message, **fields}})


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (403, error_body("forbidden"), Forbidden),
        (400, error_body("x", code="model_not_found"), ours.UnknownModel),
        (400, error_body("Invalid model: gpt9"), ours.UnknownModel),
        (400, error_body("The model `gpt9` does not exist"), ours.UnknownModel),
        (400, error_body("filtered: in the cosmological model the excess is not found"), ours.CallError),
        (429, error_body("Rate limit reached. Add a payment method at account/billing to go faster"), ours.RateLimited),
        (429, error_body("You exceeded your current quota", code="insufficient_quota"), ours.FatalError),
        (402, "pay", ours.FatalError),
        (400, error_body("Your credit balance is too low"), ours.FatalError),
        (400, error_body("too long", code="context_length_exceeded"), ours.ContextTooLong),
        (400, error_body("request (9031 tokens) exceeds", type="exceed_context_size_error"), ours.ContextTooLong),
        (400, json.dumps({"object": "error", "message": "maximum context length is 8192 tokens"}), ours.ContextTooLong),
        (413, "prompt is too long: 210000 tokens", ours.ContextTooLong),
        (422, "This model's maximum context length is 4096", ours.ContextTooLong),
        (413, "<html>Request Entity Too Large</html>", ours.ContextTooLong),
        *((400, error_body(words), ours.ContextTooLong) for words in TOO_LONG),
        (400, error_body("temperature must be below 2"), ours.CallError),
        (400, error_body("flagged: temperature of the gas is not supported by context of the passage"), ours.CallError),
        (400, error_body("max_tokens is too large: 9000. This model supports at most 4096"), ours.CallError),
        (422, json.dumps({"detail": "field required"}), ours.CallError),
        (425, "", ours.TransientError),
        (302, "", ours.FatalError),
    ],
)
def test_a_reply_has_its_error_class(status: int, text: str, error: type[ours.BackendError]) -> None:
    assert type(http_error(status, {}, text)) is error


@pytest.mark.parametrize(
    ("status", "text", "parameter"),
    [
        (400, error_body("'response_format' of type json_schema is not supported with this model"), "response_format"),
        (422, error_body("grammar could not be compiled"), "response_format"),
        (400, error_body("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."), "max_tokens"),
        (400, error_body("Unsupported value: 'temperature' does not support 0.7 with this model."), "temperature"),
        (400, error_body("Unrecognized request argument supplied: seed"), "seed"),
        (400, error_body("`temperature` is deprecated for this model."), "temperature"),
        (400, error_body("temperature is not supported with this model"), "temperature"),
        (400, error_body("seed: Extra inputs are not permitted"), "seed"),
        (400, error_body('Unknown name "seed": Cannot find field.'), "seed"),
        (400, error_body("openai does not support parameters: ['seed'], for model=x"), "seed"),
        (400, error_body("Argument not supported on this model: seed"), "seed"),
        (400, error_body("System role not supported"), "system"),
        (400, error_body("Developer instruction is not enabled for this model"), "system"),
        (422, json.dumps({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}), "seed"),
    ],
)
def test_a_rejected_parameter_is_found_in_the_message(status: int, text: str, parameter: str) -> None:
    error = http_error(status, {}, text)
    assert isinstance(error, ParameterRefused)
    assert error.parameter == parameter


SECONDS = {"7": 7.0, "-3": None, "nan": None, "99999": 300.0, "soon": None, "Wed, 21 Oct 2026 07:28:10 GMT": 10.0}
SECONDS |= {"Wed, 21 Oct 2026 07:27:00 GMT": None, "Wed, 21 Oct 2099 07:27:00 GMT": 300.0}


@pytest.mark.parametrize(("value", "seconds"), SECONDS.items())
def test_retry_after(value: str, seconds: float | None) -> None:
    now = datetime(2026, 10, 21, 7, 28, 0, tzinfo=timezone.utc)
    assert retry_after({"retry-after": value}, now) == seconds
    assert retry_after({"retry-after-ms": "250", "retry-after": value}, now) == 0.25


@given(st.integers(300, 599), st.text(), st.dictionaries(st.sampled_from(["retry-after"]), st.text()))
def test_any_error_reply_is_classified(status: int, text: str, headers: dict[str, str]) -> None:
    assert isinstance(http_error(status, headers, text), ours.BackendError)


def test_redaction() -> None:
    assert redact("user JDOE and jdoe", ["jdoe", ""]) == "user *** and ***"
    assert redact("key abc of abcdef", ["abc", "abcdef"]) == "key *** of ***"
    assert redact("an empty answer of http://me:pass'\"<>word@host", ["EMPTY"]) == "an empty answer of http://***@host"
    assert redact("Authorization: Bearer tok.en-1", []) == "Authorization: Bearer ***"
    assert redact("Incorrect API key provided: sk-proj-ab1234*****wxyz.", []) == "Incorrect API key provided: ***"


@pytest.mark.parametrize("character", ["\0", "\x7f", "\x9b", "\u200b", "\u200e", "\u202a", "\ufeff", "\U000e0041"])
def test_an_invisible_character_inside_a_secret_does_not_protect_it(character: str) -> None:
    assert excerpt(f"user: jdoe.se{character}cret may not", ["jdoe.secret"]) == "user: *** may not"
    assert excerpt(f"key sk-proj{character}-ab1234wxyz") == "key ***"


@given(st.text(), st.text(min_size=4, alphabet="abcdef0123"), st.text())
def test_an_excerpt_shows_no_secret(before: str, secret: str, after: str) -> None:
    shown = excerpt(f"{before} {secret * 3} {after}", [secret])
    assert len(shown) <= MAX_EXCERPT_CHARS
    assert secret not in shown or secret in f"{before} *** {after}"


TRANSLATIONS: dict[type[ours.BackendError], list[Any]] = {
    ours.AccessDenied: [dspy_errors.LMAuthError, dspy_errors.LMNotConfiguredError],
    ours.FatalError: [dspy_errors.LMBillingError],
    ours.RateLimited: [dspy_errors.LMRateLimitError],
    ours.ContextTooLong: [dspy_errors.ContextWindowExceededError],
    ours.UnknownModel: [dspy_errors.LMUnsupportedModelError],
    ours.CallError: [dspy_errors.LMInvalidRequestError, dspy_errors.LMProviderError],
    ours.TransientError: [dspy_errors.LMTimeoutError, dspy_errors.LMServerError, dspy_errors.LMTransportError],
}


@pytest.mark.parametrize(("error", "kind"), [(error, kind) for error, kinds in TRANSLATIONS.items() for kind in kinds])
def test_dspys_errors_are_translated(error: type[ours.BackendError], kind: Any) -> None:
    assert type(backend_error(kind(message="x"))) is error


def test_a_bug_is_not_a_backend_error() -> None:
    loop, first = ValueError("loop"), ValueError("first")
    loop.__cause__, first.__cause__ = first, loop
    assert [backend_error(bug) for bug in (dspy_errors.LMUnexpectedError("bug"), ValueError("bug"), loop)] == [None] * 3
