"""`--keep 'student<0.5 and solver>0.5'`: which traces an export takes, by what was measured of them.

A rule is comparisons of a name with a number, joined by `and`. What was not measured of a trace does not match.
"""

import operator
import re
from functools import lru_cache
from typing import Any

from programs.records import Record

MEASURED = {
    "student": "blind_solve.student.with_passage.pass_rate",
    "student_without": "blind_solve.student.without_passage.pass_rate",
    "solver": "blind_solve.with_passage.pass_rate",
    "solver_without": "blind_solve.without_passage.pass_rate",
    "judges": "metadata.quality_score",
    "grades": "answer_grades.overall_score",
}
"""What may be named, and where a record holds it. Pass rates (0-1) are of solver and student, with the passage or not."""

_SIGNS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(rf"(\w+)\s*({'|'.join(_SIGNS)})\s*(\d+\.?\d*|\.\d+)", re.ASCII)


@lru_cache
def comparisons(rule: str) -> list[tuple[str, str, float]]:
    """A rule as name, sign and number of each comparison. Raises ValueError, saying what may stand there."""
    found = [_COMPARISON.fullmatch(part.strip()) for part in re.split(r"\sand\s", rule)]
    parts = [(match[1], match[2], float(match[3])) for match in found if match and match[1] in MEASURED]
    if len(parts) < len(found):
        said = f"{rule[:80]!r} is no rule: compare {', '.join(MEASURED)} with numbers"
        raise ValueError(f"{said}, as in 'student<0.5 and solver>0.5'")
    return parts


def not_kept(rule: str, record: Record) -> str | None:
    """Why a rule does not take a trace; None: it does."""
    parts = comparisons(rule)
    found = {name: measured(record, name) for name, _, _ in parts}
    values = {name: value for name, value in found.items() if value is not None}
    if missing := [name for name in found if name not in values]:
        return f"not measured of it: {', '.join(missing)} (--keep)"
    holds = all(_SIGNS[sign](values[name], number) for name, sign, number in parts)
    return None if holds else f"it is not {rule.strip()} (--keep)"


def measured(record: Record, name: str) -> float | None:
    """What was measured of a trace under this name; None: nothing was."""
    value: Any = record
    for field in MEASURED[name].split("."):
        value = None if value is None else getattr(value, field)
    return None if value is None else float(value)
