"""Names that models choose among and that records hold, without DSPy: documents are read without it."""

from collections.abc import Sequence
from typing import Literal, get_args

Kind = Literal[
    "tries", "recalls", "computes", "checks", "doubts", "wrong", "takes_back", "considers", "wonders", "settles"
]
"""What a paragraph of a thought does."""

KINDS: Sequence[Kind] = get_args(Kind)

OLD_KINDS: dict[str, Kind] = {
    "opening": "tries",
    "wrong_turn": "wrong",
    "doubt": "doubts",
    "correction": "takes_back",
    "weighing": "considers",
    "conclusion": "settles",
}
"""What the moves of version 0.1.0 are called now, in the order in which they stood."""

YesOrNo = Literal["yes", "no", "neither"]
"""An answer in a word, where the question asks whether something holds."""

Agreement = Literal["equivalent", "partial", "contradicts"]
"""How one answer stands to another."""

ThoughtOrigin = Literal["written", "model"]
"""Whose thought it is: composed from notes along a shape, or what a model thought before it answered."""
