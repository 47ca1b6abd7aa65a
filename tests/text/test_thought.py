"""A thought is one tagged element; removing and adding its tags again changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.thought import CLOSE, OPEN, bare_thought, checked_kind, escape_thought_tags, wrap_thought

TAGS = st.sampled_from(["<thought>", "a </think> b", "</thought>", "< thought>"])
PARAGRAPHS = st.lists(st.text() | TAGS, min_size=1).filter(lambda ps: any(p.strip() for p in ps))


@given(PARAGRAPHS)
def test_unwrapping_and_wrapping_again_changes_nothing(paragraphs: list[str]) -> None:
    wrapped = wrap_thought(paragraphs)
    kept = [p.strip() for p in paragraphs if p.strip()]
    assert bare_thought(wrapped) == escape_thought_tags("\n\n".join(kept))
    assert wrap_thought([bare_thought(wrapped)]) == wrapped
    assert wrapped.count(OPEN) == wrapped.count(CLOSE) == 1


@pytest.mark.parametrize(
    "text", ["", "plain", "<thought>open", "<thought>a</thought> b", "<thought>a</thought><thought>b</thought>"]
)
def test_text_that_is_no_thought_is_unchanged(text: str) -> None:
    assert bare_thought(f" {text}\n") == text


def test_blank_paragraphs_are_no_thought() -> None:
    with pytest.raises(ValueError, match="paragraph"):
        wrap_thought(["", " \n"])


@pytest.mark.parametrize(
    ("text", "computes"),
    [
        ("Half of the herd, then.", True),
        ("π/p ~ (u/c)², so at most 1 %.", True),
        ("So the drag grows ∝ v, and doubles.", True),
        ("The paper uses a quadratic estimator to analyse the map.", False),
        ("I calculate the expected depth from the formula given.", False),
    ],
)
def test_a_computation_without_a_figure_is_not_called_one(text: str, computes: bool) -> None:
    assert checked_kind("computes", text) == ("computes" if computes else None)
    assert checked_kind("doubts", text) == "doubts"
