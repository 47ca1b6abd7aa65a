"""Counts how the thoughts of a document are distributed, one record at a time, and warns if they are too alike.

A student copies the form of its training data, so it first learns what all thoughts have in common.
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
MAX_OPENINGS, MAX_SEQUENCES = 50, 20
MAX_COUNTED = 20_000
"""How many different openings or sequences are counted separately. Frequent ones occur early, so they are among them."""

ADVICE = "use more varied texts and question types, another model, or a higher --temperature"

MIN_TRACES = 20
"""Fewer traces say nothing about a distribution."""
MAX_OPENING_SHARE = 0.1
MAX_FORM_SHARE = 1 / 3
MAX_ANSWER_SHARE = 0.75
MAX_RANK_SHARE = 0.6
"""Above these shares, a student would learn to begin, proceed or answer in this way whatever it is asked."""
MIN_LENGTH_RATIO = 2
"""The 95% quantile of lengths should be at least this many times the 5% quantile."""


class ThoughtCount:
    """Counts thoughts in bounded memory."""

    def __init__(self) -> None:
        self._traces = self._with_wrong_turn = self._needing_passage = 0
        self._shapes, self._sequences = Counter[str](), Counter[str]()
        self._openings = Counter[str]()
        self._paragraphs, self._traces_by_kind = Counter[str](), Counter[str]()
        self._yes_or_no, self._choices = Counter[str](), Counter[str]()
        self._corrections = [0] * TENTHS
        self._words, self._answer_words = Spread(), Spread()

    def add(self, record: Record) -> None:
        thought = bare_thought(record.reasoning_trace)
        kinds = [step.kind for step in record.steps if step.kind]
        self._traces += 1
        self._with_wrong_turn += "wrong" in kinds
        self._needing_passage += bool(record.needs_passage)
        self._paragraphs.update(kinds)
        self._traces_by_kind.update({*kinds})
        self._words.add(len(thought.split()))
        self._answer_words.add(len(record.final_answer.split()))
        count_name(self._openings, opening_of(record), MAX_COUNTED)
        if kinds:
            count_name(self._sequences, ", ".join(kinds), MAX_COUNTED)
        if record.shape:
            self._shapes[record.shape.name] += 1
        if record.yes_or_no:
            self._yes_or_no[record.yes_or_no] += 1
        if (short := record.short_answer) and short.kind == "choice":
            longer = sum(len(option) > len(short.text) for option in short.options)
            self._choices[f"number {longer + 1}"] += 1
        for position in corrections_of(record):
            self._corrections[min(int(position * TENTHS), TENTHS - 1)] += 1

    def result(self) -> ThoughtDistributions | None:
        if not self._traces:
            return None
        paragraphs = self._paragraphs.most_common()
        return ThoughtDistributions(
            traces=self._traces,
            shapes=dict(self._shapes.most_common()),
            kinds={kind: KindCount(paragraphs=count, traces=self._traces_by_kind[kind]) for kind, count in paragraphs},
            words=quantiles(self._words),
            sequences=_most_common(self._sequences, MAX_SEQUENCES),
            openings=_most_common(self._openings, MAX_OPENINGS),
            with_wrong_turn=self._with_wrong_turn,
            corrections=self._corrections,
            yes_or_no=dict(self._yes_or_no.most_common()),
            needing_passage=self._needing_passage,
            choices=dict(self._choices.most_common()),
            answer_words=quantiles(self._answer_words),
        )


def opening_of(record: Record) -> str:
    """The first words of a thought, in lower case and without punctuation."""
    words = re.findall(r"\w+(?:['’.,-]\w+)*", bare_thought(record.reasoning_trace).lower())
    return " ".join(words[:OPENING_WORDS])


def corrections_of(record: Record) -> Iterator[float]:
    """The position at which each correction begins: the share of the thought's words before it."""
    lengths = [len(step.text.split()) for step in record.steps]
    for number, step in enumerate(record.steps):
        if step.kind == "takes_back":
            yield sum(lengths[:number]) / max(sum(lengths), 1)


def quantiles(words: Spread) -> dict[str, int]:
    return {f"{share:.0%}": int(words.quantile(share) or 0) for share in QUANTILES}


def _most_common(counts: Counter[str], number: int) -> dict[str, int]:
    return dict([(name, count) for name, count in counts.most_common(number + 1) if name != OTHERS][:number])


def cautions_of(thoughts: ThoughtDistributions) -> Iterator[str]:
    """A line for each habit that a student would copy whatever it is asked; none for a habit seen in too few traces."""
    yes_or_no = {answer: thoughts.yes_or_no.get(answer, 0) for answer in ("yes", "no")}
    for counts, total, share, about in (
        (thoughts.openings, thoughts.traces, MAX_OPENING_SHARE, 'of the thoughts begin "{}"'),
        (thoughts.shapes, thoughts.traces, MAX_FORM_SHARE, 'of the thoughts have the shape "{}"'),
        (thoughts.sequences, thoughts.traces, MAX_FORM_SHARE, 'of the thoughts follow the order "{}"'),
        (yes_or_no, sum(yes_or_no.values()), MAX_ANSWER_SHARE, 'of the yes-or-no answers are "{}"'),
        (thoughts.choices, sum(thoughts.choices.values()), MAX_RANK_SHARE, "of the right options rank {} by length"),
    ):
        name, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
        if total >= MIN_TRACES and count > share * total:
            yield f"{count / total:.0%} {about.format(name)}, which a student would copy: {ADVICE}"
    for texts, words in (("thoughts", thoughts.words), ("answers", thoughts.answer_words)):
        if thoughts.traces >= MIN_TRACES and words and words["95%"] < MIN_LENGTH_RATIO * words["5%"]:
            short, long = words["5%"], words["95%"]
            yield f"90% of the {texts} have {short} to {long} words, which a student would copy: {ADVICE}"
