"""`--keep 'student<0.5 and solver>0.5'`: which traces an export takes, by what was measured of them.

A rule is comparisons of a name with a number, joined by `and`. A trace of which a name was not measured is no match, and
the reason names it.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from programs.records import BlindSolve, Record, StudentSolve


def _rate(student: bool, with_passage: bool) -> Callable[[Record], float | None]:
    def rate(record: Record) -> float | None:
        solved = record.blind_solve
        who: StudentSolve | BlindSolve | None = solved.student if solved and student else solved
        if who is None:
            return None
        return (who.with_passage if with_passage else who.without_passage).pass_rate

    return rate


MEASURED: dict[str, Callable[[Record], float | None]] = {
    "student": _rate(student=True, with_passage=True),
    "student_without": _rate(student=True, with_passage=False),
    "solver": _rate(student=False, with_passage=True),
    "solver_without": _rate(student=False, with_passage=False),
    "judges": lambda record: record.metadata.quality_score,
    "grades": lambda record: record.answer_grades.overall_score if record.answer_grades else None,
}
"""What may be named. Pass rates (0-1) are of the question's answers by solver and student, with the passage and without."""

_SIGNS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(rf"(\w+)\s*({'|'.join(_SIGNS)})\s*(\d+\.?\d*|\.\d+)", re.ASCII)


@dataclass(frozen=True)
class KeepRule:
    """A rule, as its comparisons: name, sign, number."""

    text: str
    comparisons: list[tuple[str, str, float]]

    @classmethod
    def parse(cls, text: str) -> "KeepRule":
        """Raises ValueError, saying what may stand there."""
        found = [_COMPARISON.fullmatch(part.strip()) for part in re.split(r"\sand\s", text)]
        parts = [(match[1], match[2], float(match[3])) for match in found if match and match[1] in MEASURED]
        if len(parts) < len(found):
            said = f"{text[:80]!r} is no rule: compare {', '.join(MEASURED)} with numbers"
            raise ValueError(f"{said}, as in 'student<0.5 and solver>0.5'")
        return cls(text.strip(), parts)

    def refusal(self, record: Record) -> str | None:
        """Why a trace is not taken; None: it is."""
        found = {name: MEASURED[name](record) for name, _, _ in self.comparisons}
        values = {name: value for name, value in found.items() if value is not None}
        if missing := [name for name in found if name not in values]:
            return f"not measured of it: {', '.join(missing)} (--keep)"
        holds = all(_SIGNS[sign](values[name], number) for name, sign, number in self.comparisons)
        return None if holds else f"it is not {self.text} (--keep)"
