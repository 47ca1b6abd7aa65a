"""What is counted of all traces of a run, at a memory that does not grow with their number."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from programs.counts import OTHERS, count_name
from programs.judges.judge_agreement import AgreementCount, rating_of
from programs.records import Grades, Record
from programs.reports.origin import Seen
from programs.thought import thought_of

GRADES = tuple(name for name in Grades.model_fields if name != "reason")
MOST = 500
"""Different names that are counted apart; more are counted together."""


class Spread:
    """How a number is distributed over the traces: counted by its value, rounded to `digits`. `missing` have none."""

    def __init__(self, digits: int = 0) -> None:
        self.counts: Counter[float] = Counter()
        self.missing = 0
        self._digits = digits

    def add(self, value: float | None) -> None:
        if value is None:
            self.missing += 1
        else:
            self.counts[round(value, self._digits)] += 1

    @property
    def known(self) -> int:
        return self.counts.total()

    @property
    def mean(self) -> float | None:
        return sum(value * count for value, count in self.counts.items()) / self.known if self.known else None

    @property
    def median(self) -> float | None:
        """The lower of the two in the middle, where there are two."""
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed * 2 >= self.known:
                return value
        return None


@dataclass
class Statistics:
    """`became` counts all traces by what became of them; `ratings` are by judge, over every judged one. All else is of the
    accepted traces: `kinds` by question type and difficulty, `steps` by kind and status (None: not judged)."""

    became: Counter[str] = field(default_factory=Counter)
    ratings: dict[str, Spread] = field(default_factory=dict)
    agreement: AgreementCount = field(default_factory=AgreementCount)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    steps: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    needs: Counter[str | None] = field(default_factory=Counter)
    score: Spread = field(default_factory=lambda: Spread(2))
    difference: Spread = field(default_factory=lambda: Spread(1))
    grades: dict[str, Spread] = field(default_factory=lambda: {name: Spread(3) for name in GRADES})
    difficulty: Spread = field(default_factory=lambda: Spread(3))
    words: dict[str, Spread] = field(
        default_factory=lambda: {name: Spread() for name in ("passage", "question", "thought", "answer")}
    )

    def add(self, seen: Seen) -> None:
        record = seen.record
        self.became[seen.became] += 1
        if record.verdicts:
            self._judged(record)
        if seen.became == "accepted":
            self._accepted(record)

    @property
    def accepted(self) -> int:
        return self.became["accepted"]

    def _judged(self, record: Record) -> None:
        verdicts: list[dict[str, Any]] = [verdict.model_dump() for verdict in record.verdicts]
        self.agreement.add(verdicts)
        for verdict in verdicts:
            self.ratings.setdefault(verdict["judge"], Spread()).add(rating_of(verdict))

    def _accepted(self, record: Record) -> None:
        asked, found = record.user_interaction, record.metadata
        kind = (asked.question_type, asked.difficulty_level)
        self.kinds[kind if kind in self.kinds or len(self.kinds) < MOST else (OTHERS, OTHERS)] += 1
        count_name(self.domains, record.source_paper.domain, MOST)
        count_name(self.models, record.generation.model if record.generation else "not said", MOST)
        self.steps.update((step.kind, step.status) for step in record.steps if step.kind is not None)
        if record.blind_solve is not None:
            self.needs[record.blind_solve.need] += 1
            self.difficulty.add(record.blind_solve.difficulty)
        self.score.add(found.quality_score)
        self.difference.add(found.quality_spread)
        for name, spread in self.grades.items():
            spread.add(getattr(record.answer_grades, name) if record.answer_grades else None)
        texts = (record.source_paper.text, asked.question, thought_of(record), record.final_answer)
        for spread, text in zip(self.words.values(), texts, strict=True):
            spread.add(None if text is None else len(text.split()))


def in_bins(spread: Spread, edges: Iterable[float]) -> list[int]:
    """How many values are from each edge up to below the next; the last bin has its end as well."""
    marks = list(edges)
    counts = [0] * (len(marks) - 1)
    for value, count in spread.counts.items():
        place = sum(value >= mark for mark in marks[1:-1])
        counts[place] += count
    return counts
