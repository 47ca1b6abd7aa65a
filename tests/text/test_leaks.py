"""Machine text is named; science prose with the same words passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.leaks import RULES, leaked

LEAKS = [
    ('{"properties": {"a": {}}}', "JSON schema"),
    ('a field of "type": "string"', "JSON schema"),
    ('{\\"type\\": \\"object\\"}', "JSON schema"),
    ("resolve the $ref first", "JSON schema"),
    ("#/$defs/Question", "JSON schema"),
    ("with maxLength 200", "JSON schema"),
    ("[[ ## reasoning ## ]]", "field marker"),
    ("The answer is 4. [[ ## completed", "field marker"),
    ("The slope is 1.4\x00 and falls.", "control character"),
    ("The slope \x1b[31mfalls.", "control character"),
    ("The slope \u202efalls.", "control character"),
    ("text of at most 1900 characters: the answer, in one to four paragraphs of prose", "the form's own words"),
    ("the answer, in one to four paragraphs of prose", "the form's own words"),
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
    ("The model is currently overloaded. Please try again later.", "server error"),
    ("An error occurred while processing your request.", "server error"),
    ("Your session has expired. Please log in again to continue.", "server error"),
    ("The response was filtered due to the prompt triggering a content management policy.", "server error"),
    ("Rate limit exceeded, try later", "rate limit"),
    ("Error: rate limit reached for gpt", "rate limit"),
    ("429 Too Many Requests", "rate limit"),
    ("You exceeded your current quota", "rate limit"),
    ("I'm sorry, but I can't assist with that.", "refusal"),
    ("I am sorry, I cannot answer.", "refusal"),
    ("I cannot help with this request.", "refusal"),
    ("As an AI language model, I have no view.", "refusal"),
    ("I apologize, but I cannot provide an answer to this question.", "refusal"),
    ("Sorry, I can't answer that question.", "refusal"),
    ("I must decline to answer this request.", "refusal"),
    ("As a large language model, I have no telescope.", "refusal"),
    ("I'm just a language model.", "refusal"),
    ("抱歉，我无法回答这个问题。", "refusal"),
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
    "I must decline in brightness faster than the model says.",
    "The model is overloaded with parameters, so an error occurred in the fit.",
    "A line\nbreak and a\ttab are prose, and so is 星系。",
    "A language model of the sky survey was trained on 500 characters.",
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
