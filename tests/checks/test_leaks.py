"""Machine text is named; science prose with the same words passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.leaks import RULES, leaked

LEAKS = [
    ('{"properties": {"a": {}}}', "JSON schema"),
    ('a field of "type": "string"', "JSON schema"),
    ('{\\"type\\": \\"object\\"}', "JSON schema"),
    ("resolve the $ref first", "JSON schema"),
    ("#/$defs/Question", "JSON schema"),
    ("with maxLength 200", "JSON schema"),
    ("[[ ## reasoning ## ]]", "field marker"),
    ("The answer is 4. [[ ## completed", "field marker"),
    ("the value you produce must adhere to the JSON schema", "adapter prompt"),
    ("Respond with the corresponding output fields", "adapter prompt"),
    ("Done.<|im_end|>", "chat token"),
    ("[INST] why [/INST]", "chat token"),
    ("The answer is {answer}.", "placeholder"),
    ("[Insert your answer here]", "placeholder"),
    ("IMPORTANT AUTHENTICATION NOTICE FROM ARGO: register", "access notice"),
    ("ACCESS DENIED for user", "access notice"),
    ("Access denied.", "access notice"),
    ("<script src='https://example.org/doc'></script>", "HTML markup"),
    ("<p>Science &amp; Technology</p>", "HTML markup"),
    ("<!DOCTYPE html><html>", "HTML page"),
    ("<html lang='en'>", "HTML page"),
    ("Traceback (most recent call last):\n  ...", "traceback"),
    ('  File "a.py", line 3, in f', "traceback"),
    ("500 Internal Server Error", "server error"),
    ("502 Bad Gateway", "server error"),
    ("HTTP 503", "server error"),
    ('{"type":"error","error":{}}', "server error"),
    ("You passed a messages field along with system", "server error"),
    ("Incorrect API key provided", "server error"),
    ("Rate limit exceeded, try later", "rate limit"),
    ("Error: rate limit reached for gpt", "rate limit"),
    ("429 Too Many Requests", "rate limit"),
    ("You exceeded your current quota", "rate limit"),
    ("I'm sorry, but I can't assist with that.", "refusal"),
    ("I am sorry, I cannot answer.", "refusal"),
    ("I cannot help with this request.", "refusal"),
    ("As an AI language model, I have no view.", "refusal"),
    ("As an AI, I cannot feel.", "refusal"),
    ("I don't have access to the full paper.", "refusal"),
]

PROSE = [
    "The error of the measurement is 3 per cent.",
    "Access to the sky is limited by dust.",
    "Entry to the inner zone is denied to slow particles: access denied by the barrier.",
    "The accretion rate limit exceeded the Eddington value.",
    "The rate limit of the detector is 10 kHz.",
    "I'm sorry to say that the fit fails.",
    "I cannot provide a tighter bound from these data.",
    "I can't help but wonder whether the mask matters.",
    "The type of the string is open in string theory.",
    "The properties of halos depend on mass.",
    "The 500 galaxies are internal to the cluster.",
    "A neural network acts as an AI model of the foreground.",
    "He traced back the most recent call of the bird.",
    "The interval [[0, 1], [2, 3]] has two parts.",
    "|<psi|phi>| is an amplitude, <|V|> its mean.",
    "I do not have access to the distance, so I assume 10 Mpc.",
    "The set {x, y} spans the plane.",
    "So many requests for telescope time were rejected.",
    "The reference frame matters ($v < c$).",
    "",
]


@pytest.mark.parametrize(("text", "reason"), LEAKS)
def test_leaks_are_named(text: str, reason: str) -> None:
    assert leaked(text) == reason


@pytest.mark.parametrize("text", PROSE)
def test_prose_passes(text: str) -> None:
    assert leaked(text) is None


def test_every_rule_is_in_the_truth_table() -> None:
    assert {name for name, _ in RULES} == {reason for _, reason in LEAKS}


@given(st.sampled_from(PROSE), st.sampled_from(["[[ ## answer ## ]]", "<|im_start|>", "$ref"]), st.sampled_from(PROSE))
def test_a_leak_is_found_wherever_it_stands(before: str, leak: str, after: str) -> None:
    assert leaked(f"{before} {leak} {after}")
