"""Machine text, repetition and text that is no prose are named; scientific prose with the same words passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.prose import degeneracy, machine_text_in
from tests.text.tables import cases, texts

MACHINE_TEXTS = [
    *cases(
        {
            "JSON schema": r"""
            {"properties": {"a": {}}} | a field of "type": "string" | resolve the $ref first | #/$defs/Question |
            with maxLength 200
        """,
            "field marker": r"""[[ ## reasoning ## ]] | The answer is 4. [[ ## completed""",
            "the form's own words": r"""
            text of at most 1900 characters: the answer, in one to four paragraphs of prose |
            the answer, in one to four paragraphs of prose
        """,
            "chat token": r"""[INST] why [/INST] | So it is.<end_of_turn> | So it is.</s> | <<SYS>> | Done.<|pad|>""",
            "placeholder": r"""The answer is {answer}. | It is \boxed{answer}. | [Insert your answer here]""",
            "access notice": r"""IMPORTANT AUTHENTICATION NOTICE FROM ARGO: register | ACCESS DENIED for user |
            Access denied.""",
            "HTML markup": r"""<script src='https://example.org/doc'></script> | <p>Science &amp; Technology</p>""",
            "HTML page": r"""<!DOCTYPE html><html> | <html lang='en'>""",
            "server error": r"""
            500 Internal Server Error | 502 Bad Gateway | HTTP 503 | {"type":"error","error":{}} |
            You passed a messages field along with system | Incorrect API key provided |
            The model is currently overloaded. | Please try again later. |
            An error occurred while processing your request. | Your session has expired. |
            The response was filtered due to the prompt. | It breaks our content management policy. |
            This model's maximum context length is 8192 tokens. | {"code": "model_not_found"}
        """,
            "rate limit": r"""
            Rate limit exceeded, try later | Error: rate limit reached for gpt | 429 Too Many Requests |
            You exceeded your current quota
        """,
            "refusal": r"""
            I'm sorry, but I can't assist with that. | I am sorry, I cannot answer. |
            I cannot help with this request. | As an AI language model, I have no view. |
            I apologize, but I cannot provide an answer to this question. | I must decline to answer this request. |
            Sorry, I can't answer that question. | As a large language model, I have no telescope. |
            I'm just a language model. | 抱歉，我无法回答这个问题。 | As an AI, I cannot feel. |
            I don't have access to the full paper.
        """,
        }
    ),
    ('{\\"type\\": \\"object\\"}', "JSON schema"),
    ("The slope is 1.4\x00 and falls.", "control character"),
    ("The slope \x1b[31mfalls.", "control character"),
    ("The slope \u202efalls.", "control character"),
    ("Done.<|im_end|>", "chat token"),
    ("Traceback (most recent call last):\n  ...", "traceback"),
    ('  File "a.py", line 3, in f', "traceback"),
]

PROSE = [
    *texts(r"""
    The error of the measurement is 3 per cent. | Access to the sky is limited by dust. |
    The accretion rate limit exceeded the Eddington value. | The rate limit of the detector is 10 kHz. |
    I'm sorry to say that the fit fails. | I cannot provide a tighter bound from these data. |
    I can't help but wonder whether the mask matters. | The type of the string is open in string theory. |
    The properties of halos depend on mass. | The 500 galaxies are internal to the cluster. |
    A neural network acts as an AI model of the foreground. | He traced back the most recent call of the bird. |
    The interval [[0, 1], [2, 3]] has two parts. | I do not have access to the distance, so I assume 10 Mpc. |
    The set {x, y} spans the plane. | So many requests for telescope time were rejected. |
    The reference frame matters ($v < c$). | I must decline in brightness faster than the model says. |
    The model is overloaded with parameters, so an error occurred in the fit. |
    A language model of the sky survey was trained on 500 characters. | The mean momentum <p> falls.
    At $R_{response}$ and \text{response} it falls.
    """),
    "|<psi|phi>| is an amplitude, <|V|> its mean.",
    "A line\nbreak and a\ttab are prose, and so is 星系。",
    "",
]


@pytest.mark.parametrize(("text", "reason"), [*MACHINE_TEXTS, *((text, None) for text in PROSE)])
def test_machine_text_is_named_and_prose_passes(text: str, reason: str | None) -> None:
    assert machine_text_in(text) == reason


@given(st.sampled_from(PROSE), st.sampled_from(["[[ ## answer ## ]]", "<|im_start|>", "$ref"]), st.sampled_from(PROSE))
def test_machine_text_is_found_anywhere_in_a_text(before: str, machine_text: str, after: str) -> None:
    assert machine_text_in(f"{before} {machine_text} {after}")


DEGENERATE = [
    *cases(
        {
            "no words": "... | ----------",
            "one character": "0000 | The value is 0000000000000000000000 | aaaaaaaa",
            "one word": "gas and and and dust | the 1, 1, 1, 1, 1, 1, 1",
            "JSON": """{"question": "Why?"} | [{"a": "b"}] | ["a", "b"] | {"question": "Why does""",
            "letters": "= 3.1 + 4.2 - 5.5 * 6.6 / 7.7 + 8.8 - 9.9 = 12.3 x",
        }
    ),
    ("", "empty"),
    (" \n\t", "empty"),
    ("The gas cools in the halo. " * 8, "4-grams"),
    ('```json\n{"a": 1}\n```', "JSON"),
]


@pytest.mark.parametrize(("text", "reason"), DEGENERATE)
def test_degenerate_text_is_named(text: str, reason: str) -> None:
    assert reason in str(degeneracy(text))


def test_prose_and_short_answers_pass() -> None:
    prose = r"""
    The dipole amplitude is 0.066, and 46 of 2,000 isotropic skies exceed it, so the probability is 2.3 per cent. |
    Space grew by 3.3 × 3.3 × 3.3. | 42 | 3.2 km/s | 299792458 | 10000000000 years | 6.62607015e-34 J s |
    The point (0, 0, 0) is the origin. |
    [12] reports a dipole. | [12] | {\\rm H}_2 forms on grains. | Very, very, very faint galaxies dominate. |
    H0 = 67.4 ± 0.5 km/s/Mpc, at odds with 73.0 ± 1.0 km/s/Mpc | Schwarzschild metric: ds² = −(1 − 2GM/r)dt² + ...
    """
    assert [text for text in texts(prose) if degeneracy(text)] == []
