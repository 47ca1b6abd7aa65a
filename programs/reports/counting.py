"""What is counted of all traces of a run, at a memory that does not grow with their number."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from programs.judges.agreement import AgreementCount, rating_of
from programs.records import Grades, Record
from programs.statistics.counts import OTHERS, Spread
from programs.statistics.thought_counts import ThoughtCount
from programs.text.thought import bare_thought

MOST = 500
"""Different names that are counted apart; more are counted together."""
TENTHS = [number / 10 for number in range(11)]
WORDS = [0, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1200, 2000, 5000, 1_000_000]
HALVES = [1 + number / 2 for number in range(19)]


class ReadTrace(NamedTuple):
    """One trace as it was read. `became` is as in `programs.traces.unit_line.attempts_of`; `unit` names the unit that it
    is an attempt at, None where no journal says."""

    record: Record
    became: str = "accepted"
    unit: str | None = None


@dataclass(frozen=True)
class Number:
    """A number that each accepted trace has, or may have (`of` gives None): it is counted, and has a chart over the bins
    between its `edges`."""

    title: str
    about: str
    axis: str
    of: Callable[[Record], float | None]
    edges: Sequence[float]
    digits: int = 0


def _words(name: str, text_of: Callable[[Record], str | None]) -> Number:
    def words(record: Record) -> float | None:
        text = text_of(record)
        return None if text is None else len(text.split())

    return Number(f"Length of the {name}", "In accepted traces.", "words", words, WORDS)


NUMBERS: dict[str, Number] = {
    "score": Number(
        "Judges' scores",
        "Mean of the judges' overall ratings.",
        "score (1-10)",
        lambda record: record.metadata.quality_score,
        HALVES,
        2,
    ),
    "difference": Number(
        "Difference between judges",
        "Highest overall rating less the lowest.",
        "points",
        lambda record: record.metadata.quality_spread,
        range(10),
        1,
    ),
    "authenticity": Number(
        "Authenticity",
        "How far the thought reads like thinking, by its judges.",
        "score (0-1)",
        lambda record: record.metadata.authenticity_score,
        TENTHS,
        3,
    ),
    "difficulty": Number(
        "Measured difficulty",
        "1 less the pass rate of another model that has the passage.",
        "difficulty (0-1)",
        lambda record: record.blind_solve.difficulty if record.blind_solve else None,
        TENTHS,
        3,
    ),
    "thought": _words("thought", lambda record: bare_thought(record.reasoning_trace)),
    "answer": _words("answer", lambda record: record.final_answer),
    "question": _words("question", lambda record: record.user_interaction.question),
    "passage": _words("passage", lambda record: record.source_paper.text),
}
"""A new one is a new entry here."""


@dataclass
class Counts:
    """`became` counts all traces by what became of them; `ratings` are by judge, over every judged one. All else is of the
    accepted traces: `types` by question type and difficulty, `steps` by kind and status (None: not judged)."""

    became: Counter[str] = field(default_factory=Counter)
    ratings: dict[str, Spread] = field(default_factory=dict)
    agreement: AgreementCount = field(default_factory=AgreementCount)
    thoughts: ThoughtCount = field(default_factory=ThoughtCount)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    needs: Counter[str] = field(default_factory=Counter)
    grades: dict[str, Spread] = field(
        default_factory=lambda: {name: Spread(3) for name in Grades.model_fields if name != "reason"}
    )
    numbers: dict[str, Spread] = field(
        default_factory=lambda: {name: Spread(number.digits) for name, number in NUMBERS.items()}
    )

    def add(self, seen: ReadTrace) -> None:
        record = seen.record
        self.became[seen.became] += 1
        if record.verdicts:
            verdicts: list[dict[str, Any]] = [verdict.model_dump() for verdict in record.verdicts]
            self.agreement.add(verdicts)
            for verdict in verdicts:
                self.ratings.setdefault(verdict["judge"], Spread()).add(rating_of(verdict))
        if seen.became == "accepted":
            self._accepted(record)

    def _accepted(self, record: Record) -> None:
        kind = (record.user_interaction.question_type, record.user_interaction.difficulty_level)
        self.types[kind if kind in self.types or len(self.types) < MOST else (OTHERS, OTHERS)] += 1
        self.thoughts.add(record)
        self.steps.update((step.kind, step.status) for step in record.steps if step.kind is not None)
        if record.blind_solve is not None:
            self.needs[record.blind_solve.need or "undecided"] += 1
        for name, spread in self.grades.items():
            spread.add(getattr(record.answer_grades, name) if record.answer_grades else None)
        for name, spread in self.numbers.items():
            spread.add(NUMBERS[name].of(record))
