"""Sentence spans are ordered, disjoint and stripped, and cover the text; numbering and cutting follow them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.sentences import MAX_SENTENCE_CHARS, cut_at_sentence, numbered_lines, split_sentences

# Texts that are hard to split: abbreviations, lists, decimals, and characters that are rare in prose.
HARD_TEXTS = (
    "The mass is 3.2 Msun. |See Fig. 3. |cf. Eq. 5 |et al. |(yes!) |“Why?” |1. |a) |∯ |&ᓰ& |♨|e.g. |A. B. |... |§ 4"
)
SPACES = ["\n", "\n\n", "\t", "  ", "\u2028", "\u00a0", "\u200b", "\r\n- "]
PIECES = st.sampled_from([*HARD_TEXTS.split("|"), *SPACES, "日本語。", "x" * 300, "word " * 250])
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=120)


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text)]


@given(TEXTS)
def test_spans_are_ordered_stripped_bounded_and_cover_the_text(text: str) -> None:
    spans = split_sentences(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    for span in spans:
        part = text[span.start : span.end]
        assert part == part.strip() != ""
        assert len(part) <= MAX_SENTENCE_CHARS
    covered = {i for span in spans for i in range(span.start, span.end)}
    assert all(i in covered or character.isspace() for i, character in enumerate(text))


@given(TEXTS, st.integers(1, 400))
def test_a_cut_is_a_prefix_within_the_limit(text: str, limit: int) -> None:
    cut = cut_at_sentence(text, limit)
    assert text.startswith(cut)
    assert len(cut) <= limit
    assert cut or not text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("One. Two.", ["One.", "Two."]),
        ("Smith et al. (2010), cf. Fig. 3, show it. It is.", ["Smith et al. (2010), cf. Fig. 3, show it.", "It is."]),
        ("The value is 3.2 km/s, e.g. at z = 0.5. It rises.", ["The value is 3.2 km/s, e.g. at z = 0.5.", "It rises."]),
        ("It follows from Eq. 5. The rest is easy.", ["It follows from Eq. 5.", "The rest is easy."]),
        ("1. First item. 2. Second one.", ["1. First item.", "2. Second one."]),
        ("J. Doe said so. She was right.", ["J. Doe said so.", "She was right."]),
        ("No stop here\n\nA new paragraph", ["No stop here", "A new paragraph"]),
        ("It took 24 h. A plot. Cold, at 4 K. The rest.", ["It took 24 h.", "A plot.", "Cold, at 4 K.", "The rest."]),
        ("In 2010 Dr. Meyer saw it. It fell.", ["In 2010 Dr. Meyer saw it.", "It fell."]),
        ("It fell and\nrose again. It\r\nfell.", ["It fell and\nrose again.", "It\r\nfell."]),
        ("Two causes:\n- dust\n- noise", ["Two causes:", "- dust", "- noise"]),
        ("Yes. Yes. Yes.", ["Yes.", "Yes.", "Yes."]),
    ],
)
def test_known_splits(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_each_numbered_sentence_is_one_line() -> None:
    text = "First\nsentence. Second one."
    assert numbered_lines(text, split_sentences(text)) == "[1] First sentence.\n[2] Second one."
