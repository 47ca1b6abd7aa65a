"""What is counted of all traces of a run, at a memory that does not grow with their number."""

from collections import Counter
from collections.abc import Callable

from programs.records import Grades, Record
from programs.run.attempts import ReadTrace
from programs.statistics.agreement import AgreementCount
from programs.statistics.counts import OTHERS, Spread
from programs.statistics.thought_counts import ThoughtCount
from programs.text.thought import bare_thought

MOST = 500
"""Different names that are counted apart; more are counted together."""


SCORE = "judges' mean rating (1-10)"
NUMBERS: dict[str, tuple[int, Callable[[Record], float | None]]] = {
    SCORE: (2, lambda record: record.metadata.quality_score),
    "points between the judges": (1, lambda record: record.metadata.quality_spread),
    "authenticity, by the judges (0-1)": (2, lambda record: record.metadata.authenticity_score),
    "measured difficulty (0-1)": (2, lambda record: record.blind_solve.difficulty if record.blind_solve else None),
    "words of the passage": (0, lambda record: _words(record.source_paper.text)),
    "words of the question": (0, lambda record: _words(record.user_interaction.question)),
    "words of the thought": (0, lambda record: _words(bare_thought(record.reasoning_trace))),
    "words of the answer": (0, lambda record: _words(record.final_answer)),
}
"""Numbers that each accepted trace has, or may have (None), and how many digits of each count. A new one is a line here."""


def _words(text: str | None) -> int | None:
    return None if text is None else len(text.split())


class Counts:
    """`became` counts all traces by what became of them; `agreement` is over every judged one. All else is of the accepted
    traces: `types` by question type and difficulty, `steps` by kind and status (None: not judged)."""

    def __init__(self) -> None:
        self.became = Counter[str]()
        self.agreement, self.thoughts = AgreementCount(), ThoughtCount()
        self.types = Counter[tuple[str, str]]()
        self.steps = Counter[tuple[str, str | None]]()
        self.grades = {name: Spread(3) for name in Grades.model_fields if name != "reason"}
        self.numbers = {name: Spread(digits) for name, (digits, _) in NUMBERS.items()}

    def add(self, seen: ReadTrace) -> None:
        record = seen.record
        self.became[seen.became] += 1
        if record.verdicts:
            self.agreement.add([verdict.model_dump() for verdict in record.verdicts])
        if seen.became == "accepted":
            self._accepted(record)

    def _accepted(self, record: Record) -> None:
        kind = (record.user_interaction.question_type, record.user_interaction.difficulty_level)
        self.types[kind if kind in self.types or len(self.types) < MOST else (OTHERS, OTHERS)] += 1
        self.thoughts.add(record)
        self.steps.update((step.kind, step.status) for step in record.steps if step.kind is not None)
        for name, spread in self.grades.items():
            spread.add(getattr(record.answer_grades, name) if record.answer_grades else None)
        for name, spread in self.numbers.items():
            spread.add(NUMBERS[name][1](record))
