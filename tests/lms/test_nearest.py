"""Names near a misspelt one."""

from __future__ import annotations

from programs.errors import UnknownModel
from programs.lms.backend import ModelName, model_names, nearest_names, with_nearest

KNOWN = [
    ModelName("GPT-4.1", "gpt41"),
    ModelName("Claude Sonnet 4.5", "claudesonnet45"),
    ModelName("Gemini", "gemini25pro"),
]


def test_either_name_is_compared_and_the_one_to_send_is_told() -> None:
    assert nearest_names("claudesonnet4", KNOWN)[0] == "claudesonnet45"
    assert nearest_names("GPT 4.1", KNOWN)[0] == "gpt41"


def test_nothing_near() -> None:
    error = UnknownModel("no")
    assert with_nearest(error, "qqqq", KNOWN) is error
    assert with_nearest(error, "x", []) is error


def test_lists_of_any_form() -> None:
    assert model_names({"data": [{"id": "a"}, {"internal_id": "b"}, {"id": 3}, "c"]}) == [("a", "a"), ("b", "b")]
    assert model_names({"models": []}) == []
