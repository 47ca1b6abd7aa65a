"""How replies are read: answers, reasoning and errors."""

import json
from typing import Any

import pytest
from dspy.lm15 import Response, ThinkingPart
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import BackendError, CallError, ContextTooLong, RateLimited, Truncated
from programs.lms.failures import EmptyAnswer, Forbidden, InvalidReply, json_in
from programs.lms.wire import read_completion, read_json, reasoning_of, usage_of


def completion(content: Any, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish}]}


def read(payload: dict[str, Any]) -> Response:
    return read_completion(read_json(json.dumps(payload)), model="m")


@pytest.mark.parametrize(
    ("content", "message_fields"),
    [
        ("yes", {"reasoning_content": ["one", {"type": "text", "text": "two"}]}),
        ("yes", {"reasoning": {"summary": [{"type": "summary_text", "text": "one"}, {"text": "two"}]}}),
        ("yes", {"reasoning_content": "", "reasoning": [{"thinking": "one"}, {"thinking": ""}, {"thinking": "two"}]}),
        ([{"type": "thinking", "thinking": [{"text": "one"}, "two"]}, {"type": "text", "text": "yes"}], {}),
    ],
)
def test_reasoning_in_parts_is_joined(content: Any, message_fields: dict[str, Any]) -> None:
    response = read(completion(content, **message_fields))
    assert (response.message.parts[-1].text, reasoning_of(response)) == ("yes", "one\n\ntwo")


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ("<think>hm</think>\n\nyes", "yes", "hm"),
        ("\n<think>\nhm\n</think>yes", "yes", "hm"),
        ("hm, so</think>\nyes", "yes", "hm, so"),
        ("<think></think>yes", "yes", ""),
        ("[THINK]hm {draft}[/THINK]yes", "yes", "hm {draft}"),
        ("<thought>hm</thought>yes", "yes", "hm"),
        ('[THINK]{"a": 1}[/THINK]{"a": 2}', '{"a": 2}', '{"a": 1}'),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes", "yes", "hm"),
        ("<|thinking|>hm<|/thinking|>yes", "yes", "hm"),
        ("<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>yes<|end_of_solution|>", "yes", "hm"),
        ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>yes<|END_RESPONSE|>", "yes", "hm"),
        ("<seed:think>hm</seed:think>yes", "yes", "hm"),
        ("◁think▷hm◁/think▷yes", "yes", "hm"),
        ("<|channel>thought\nhm<channel|>yes", "yes", "hm"),
        ("<reasoning>hm</reasoning><answer>yes</answer>", "yes", "hm"),
        ('analysis{"a": 1}assistantfinal{"a": 2}', '{"a": 2}', '{"a": 1}'),
        ("[/THINK]yes", "yes", ""),
        ("Analysis of the data shows it.", "Analysis of the data shows it.", ""),
        ('["<think>"]', '["<think>"]', ""),
        ('{"a": "<think>x</think>"}', '{"a": "<think>x</think>"}', ""),
        ("yes <b>", "yes <b>", ""),
    ],
)
def test_thinking_is_separated_from_the_answer(content: str, text: str, thought: str) -> None:
    response = read(completion(content))
    assert (response.message.parts[-1].text, reasoning_of(response)) == (text, thought)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (completion(""), EmptyAnswer),
        (completion(None), EmptyAnswer),
        (completion("<think>only thought"), EmptyAnswer),
        (completion("<|channel|>analysis<|message|>only thought"), EmptyAnswer),
        (completion("", finish="length"), Truncated),
        (completion("half an ans", finish="length"), Truncated),
        *((completion("half", finish=why), CallError) for why in ("content_filter", "SAFETY", "refusal", "sensitive")),
        (completion("half", finish="model_context_window_exceeded"), ContextTooLong),
        ({"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, CallError),
        ({"choices": [], "promptFeedback": {"safetyRatings": [{"blocked": False}]}}, InvalidReply),
        ({"error": {"message": "flagged", "code": "content_policy_violation"}}, CallError),
        ({"error": {"message": "Input was flagged by moderation"}}, CallError),
        ({"choices": [{"error": {"code": 403, "message": "flagged"}, "message": {"content": ""}}]}, Forbidden),
        (completion(None, refusal="I cannot"), CallError),
        ({}, InvalidReply),
        ({"choices": [{}]}, InvalidReply),
        ({"error": "upstream"}, InvalidReply),
        ({"error": {"message": "slow down", "code": 429}}, RateLimited),
        ({"error": {"message": "bad", "type": "invalid_request_error"}}, CallError),
        ({"error": {"message": "x", "code": "context_length_exceeded"}}, ContextTooLong),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, InvalidReply),
        ({"object": "error", "message": "broken"}, InvalidReply),
        ({**completion("yes"), "error": {"message": "late failure"}}, InvalidReply),
        (completion("half", finish="error"), InvalidReply),
        ({"choices": [{"error": {"code": 429, "message": "slow"}, "message": {"content": "half"}}]}, RateLimited),
    ],
)
def test_a_reply_without_an_answer_raises_its_error_class(payload: dict[str, Any], error: type[BackendError]) -> None:
    with pytest.raises(error) as caught:
        read(payload)
    assert type(caught.value) is error


@pytest.mark.parametrize("text", ["<html>Sign in</html>", "", "[1]", '"text"', '{"a":', "[" * 100_000])
def test_a_reply_that_is_not_a_json_object_is_an_invalid_reply(text: str) -> None:
    with pytest.raises(InvalidReply):
        read_json(text)
    assert usage_of(json_in(text)).input_tokens is None


def test_a_lone_surrogate_is_replaced() -> None:
    text = read(completion("a\ud800b")).message.text
    assert text is not None
    assert text.encode() == "a\ufffdb".encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MESSAGE = st.dictionaries(st.sampled_from(("content", "reasoning_content", "reasoning", "refusal")), JSON)
CHOICE = st.fixed_dictionaries({}, optional={"message": MESSAGE | JSON, "finish_reason": JSON})
CHOICES = st.lists(CHOICE, max_size=2) | JSON
PAYLOAD = st.fixed_dictionaries({}, optional={"choices": CHOICES, "usage": JSON, "error": JSON, "type": JSON})


@given(PAYLOAD | st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_payload_is_an_answer_or_a_backend_error(payload: dict[str, Any]) -> None:
    try:
        response = read(payload)
    except BackendError:
        return
    assert response.message.text or response.message.parts_of(ThinkingPart)


@given(st.text(min_size=1), PAYLOAD)
def test_a_reply_with_an_error_is_never_an_answer(text: str, payload: dict[str, Any]) -> None:
    with pytest.raises(BackendError):
        read({**payload, "error": {"message": text}})


@given(st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: f"{{{text}"), st.text())
def test_content_is_returned_unchanged(content: str, reasoning: str) -> None:
    response = read(completion(content, reasoning_content=reasoning))
    assert response.message.parts[-1].text == content
