"""How the thoughts of a document are distributed, counted as records pass by, and what of it a user should act on.

A student copies the form of what it is trained on, so that what all thoughts have in common is what it learns first.
"""

import re
from collections import Counter
from collections.abc import Iterator

from programs.records import Record
from programs.schema import KindCount, ThoughtDistributions
from programs.statistics.counts import OTHERS, Spread, count_name
from programs.text.thought import bare_thought

OPENING_WORDS = 3
TENTHS = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_OPENINGS, MOST_SEQUENCES = 50, 20
KEPT = 20_000
"""Different openings or sequences that are told apart; what is frequent comes early."""

ADVICE = "take texts and question types of more kinds, another model, or a higher --temperature"

LEAST_TRACES = 20
"""Fewer say nothing of a distribution."""
SAME_OPENING = 0.1
SAME_FORM = 1 / 3
SAME_ANSWER = 0.75
SAME_RANK = 0.6
"""Shares from which on a student would learn to begin, to go on, and to answer so whatever it is asked."""
SPREAD = 2
"""So many times as long as the short ones the long ones are to be: the quantiles of 0.95 and 0.05."""


class ThoughtCount:
    """Counts thoughts, at a memory that does not grow with their number."""

    def __init__(self) -> None:
        self._traces = self._with_wrong_turn = self._needing_passage = 0
        self._shapes, self._sequences, self._openings = Counter[str](), Counter[str](), Counter[str]()
        self._paragraphs, self._traces_with = Counter[str](), Counter[str]()
        self._yes_or_no, self._choices = Counter[str](), Counter[str]()
        self._corrections = [0] * TENTHS
        self._words, self._answer_words = Spread(), Spread()

    def add(self, record: Record) -> None:
        thought, kinds = bare_thought(record.reasoning_trace), [step.kind for step in record.steps if step.kind]
        self._traces += 1
        self._with_wrong_turn += "wrong" in kinds
        self._needing_passage += bool(record.needs_passage)
        self._paragraphs.update(kinds)
        self._traces_with.update({*kinds})
        self._words.add(len(thought.split()))
        self._answer_words.add(len(record.final_answer.split()))
        count_name(self._openings, opening_of(record), KEPT)
        if kinds:
            count_name(self._sequences, ", ".join(kinds), KEPT)
        if record.shape:
            self._shapes[record.shape.name] += 1
        if record.yes_or_no:
            self._yes_or_no[record.yes_or_no] += 1
        if (short := record.short_answer) and short.kind == "choice":
            longer = sum(len(option) > len(short.text) for option in short.options)
            self._choices[f"number {longer + 1}"] += 1
        for place in corrections_of(record):
            self._corrections[min(int(place * TENTHS), TENTHS - 1)] += 1

    def result(self) -> ThoughtDistributions | None:
        if not self._traces:
            return None
        paragraphs = self._paragraphs.most_common()
        return ThoughtDistributions(
            traces=self._traces,
            shapes=dict(self._shapes.most_common()),
            kinds={kind: KindCount(paragraphs=count, traces=self._traces_with[kind]) for kind, count in paragraphs},
            words=quantiles(self._words),
            sequences=_most(self._sequences, MOST_SEQUENCES),
            openings=_most(self._openings, MOST_OPENINGS),
            with_wrong_turn=self._with_wrong_turn,
            corrections=self._corrections,
            yes_or_no=dict(self._yes_or_no.most_common()),
            needing_passage=self._needing_passage,
            choices=dict(self._choices.most_common()),
            answer_words=quantiles(self._answer_words),
        )


def opening_of(record: Record) -> str:
    """The first words of a thought, without their case and marks."""
    words = re.findall(r"\w+(?:['’.,-]\w+)*", bare_thought(record.reasoning_trace).lower())
    return " ".join(words[:OPENING_WORDS])


def corrections_of(record: Record) -> Iterator[float]:
    """Where each correction begins: the share of the thought's words that stand before it."""
    lengths = [len(step.text.split()) for step in record.steps]
    for at, step in enumerate(record.steps):
        if step.kind == "takes_back":
            yield sum(lengths[:at]) / max(sum(lengths), 1)


def quantiles(words: Spread) -> dict[str, int]:
    return {f"{share:.0%}": int(words.quantile(share) or 0) for share in QUANTILES}


def _most(counts: Counter[str], number: int) -> dict[str, int]:
    return dict([(name, count) for name, count in counts.most_common(number + 1) if name != OTHERS][:number])


def cautions_of(found: ThoughtDistributions) -> Iterator[str]:
    """A line for each thing that a student would copy whatever it is asked; none of few traces."""
    asked = {answer: found.yes_or_no.get(answer, 0) for answer in ("yes", "no")}
    for counts, of_all, share, about in (
        (found.openings, found.traces, SAME_OPENING, 'of the thoughts begin "{}"'),
        (found.shapes, found.traces, SAME_FORM, 'of the thoughts have the shape "{}"'),
        (found.sequences, found.traces, SAME_FORM, 'of the thoughts go "{}"'),
        (asked, sum(asked.values()), SAME_ANSWER, 'of the answers to whether something holds are "{}"'),
        (found.choices, sum(found.choices.values()), SAME_RANK, "of the right options of choices are {} by length"),
    ):
        name, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
        if of_all >= LEAST_TRACES and count > share * of_all:
            yield f"{count / of_all:.0%} {about.format(name)}, and a student would copy that: {ADVICE}"
    for what, words in (("thoughts", found.words), ("answers", found.answer_words)):
        if found.traces >= LEAST_TRACES and words and words["95%"] < SPREAD * words["5%"]:
            short, long = words["5%"], words["95%"]
            yield f"90% of the {what} have {short} to {long} words, and a student would copy that: {ADVICE}"
