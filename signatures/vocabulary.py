"""Values that models choose from and that records store. Imports no DSPy, since documents are read without it."""

from typing import Literal

Kind = Literal[
    "tries", "recalls", "computes", "checks", "doubts", "wrong", "takes_back", "considers", "wonders", "settles"
]
"""What a paragraph of a thought does."""

OLD_KINDS: dict[str, Kind] = {
    "opening": "tries",
    "wrong_turn": "wrong",
    "doubt": "doubts",
    "correction": "takes_back",
    "weighing": "considers",
    "conclusion": "settles",
}
"""The present names of the moves of version 0.1.0, in the order in which a thought had them."""

Depth = Literal["brief", "moderate", "thorough"]
"""How thorough an answer is."""

YesOrNo = Literal["yes", "no", "neither"]
"""The answer in one word, if the question asks whether something holds."""

AnswerKind = Literal["number", "choice", "yes_no", "term"]
"""The kinds of short answers that rules can check."""

ENDINGS: dict[AnswerKind, str] = {
    "number": "End with the result alone in \\boxed{}, a number with its unit, as in \\boxed{3.2 km/s}.",
    "choice": "One of the options above is right. End with its letter in \\boxed{}, as in \\boxed{A}.",
    "yes_no": "End with \\boxed{yes} or \\boxed{no}.",
    "term": "End with the term alone in \\boxed{}.",
}
"""Added to a question whose answer is checked by rules (`programs.text.short_answers`)."""

Agreement = Literal["equivalent", "partial", "contradicts"]
"""How one answer compares with another."""

ThoughtOrigin = Literal["written", "model"]
"""Where a thought comes from: written from notes in a drawn shape, or what a model thought before it answered."""

Need = Literal["known", "needs_paper", "unanswered"]
"""known: answered without the passage; needs_paper: answered only with it; unanswered: answered neither way."""

Setting = Literal["closed", "open"]
"""closed: the question alone; open: the question and the passage."""

ASKING: dict[Setting, str] = {
    "closed": (
        "Whoever answers has only the question. It must include the facts and figures on which the answer turns, also one "
        "that speaks against the first answer that comes to mind, if there is one, and no others: seldom more than four. "
        "They are things the person has seen, measured, been told or read somewhere: those of the passage, or ordinary "
        "ones from a case of the person's own. Make up no finding on which the answer rests."
    ),
    "open": (
        "Whoever answers has the same facts in view. The question says what it is about, and need not repeat the figures."
    ),
}
"""What the question writer is told that an answerer has, and so what the question must include. In the open setting, the
passage is not mentioned: when it was, a small model mentioned it or its sentences in five questions of 16, now in one."""

NOTING: dict[Setting, str] = {
    "closed": (
        "only the question. Let no idea or test depend on a figure that the passage alone gives; where a finding of the "
        "passage bears on the question, let the notes say in which direction and how strongly, without the figure."
    ),
    "open": "the question and the passage",
}
"""What the note stages are told that the thought and the answer can use."""

THINKING: dict[Setting, str] = {
    "closed": (
        "Only the question. Nothing can be looked up while thinking and answering; anything else shown just helps to get "
        "the outcome right. A figure or finding may be used only if the question gives it, if it follows from what the "
        "question gives, or if it is general knowledge in the field. What is missing can be bounded, left open or done "
        "without. A value that is usual in the field may be used if it is named as usual; no other is assumed."
    ),
    "open": (
        "The question and the passage. Any figure in it may be used: it is in view, and may be called 'the text'. Nobody "
        "else sees the notes."
    ),
}
"""What a thought and its answer may use."""
