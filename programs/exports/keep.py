"""`--keep 'student<0.5 and solver>0.5'`: which traces an export takes, by what was measured of them.

A rule compares names with numbers, joined by `and`, `or`, `not` and brackets. It is read as Python's grammar has it and
never run. A name that was not measured of a trace makes the trace no match, whatever the rule, and the reason names it.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass

from programs.records import BlindSolve, Record, StudentSolve

LONGEST = 1000


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

_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True)
class KeepRule:
    """A rule, and the names in it."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "KeepRule":
        """Raises ValueError, saying what may stand there."""
        try:
            if len(text) > LONGEST:
                raise ValueError
            tree = ast.parse(text.strip(), mode="eval").body
            _holds(tree, dict.fromkeys(MEASURED, 0.0))
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
            raise ValueError(
                f"{text[:80]!r} is no rule: compare {', '.join(MEASURED)} with numbers, as in 'student<0.5 and solver>0.5'"
            ) from None
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return cls(text.strip(), tree, tuple(name for name in MEASURED if name in names))

    def refusal(self, record: Record) -> str | None:
        """Why a trace is not taken; None: it is."""
        values = {name: MEASURED[name](record) for name in self.names}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            return f"not measured of it: {', '.join(missing)} (--keep)"
        known = {name: value for name, value in values.items() if value is not None}
        return None if _holds(self.tree, known) else f"it is not {self.text} (--keep)"


def _holds(node: ast.expr, values: dict[str, float]) -> bool:
    """Raises ValueError for whatever is no rule, wherever in it."""
    if isinstance(node, ast.BoolOp):
        parts = [_holds(part, values) for part in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _holds(node.operand, values)
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    if not isinstance(node, ast.Compare) or not any(isinstance(side, ast.Name) for side in sides):
        raise ValueError
    numbers = [_value(side, values) for side in sides]
    if not {type(sign) for sign in node.ops} <= _COMPARE.keys():
        raise ValueError
    pairs = zip(node.ops, numbers, numbers[1:], strict=False)
    return all(_COMPARE[type(sign)](one, other) for sign, one, other in pairs)


def _value(node: ast.expr, values: dict[str, float]) -> float:
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    raise ValueError
