"""`--keep`: which traces an export takes, by what was measured (`programs.exports.screening`).

1. A rule of comparisons is kept as it reads; what was not measured makes a trace no match, with the reason.
2. Whatever else could be meant is refused before any work, with one line.
"""

from pathlib import Path
from typing import Any

import pytest

from programs.exports.options import comparisons
from programs.exports.screening import not_kept
from programs.records import Record
from tests.exports.building import export_to, plain_document, record, refused, rows


def tries(rate: float | None) -> dict[str, Any]:
    return {"asked": 4, "equivalent": 0, "partial": 0, "contradicts": 0, "absent": 0, "pass_rate": rate}


def solved(number: int, solver: float, student: float | None, score: float | None = None) -> Record:
    """A trace whose solver and student pass so often with the passage, and never without."""

    def both(name: str, rate: float) -> dict[str, Any]:
        return {"solver": name, "without_passage": tries(0.0), "with_passage": tries(rate)}

    found = {"need": "needs_paper", "difficulty": 1 - solver, "difficulty_without": 1.0, **both("a", solver)}
    found |= {"compared_by": "rules", "temperature": 0.7, "student": None if student is None else both("b", student)}
    return Record.model_validate({**record(number, score=score).model_dump(mode="json"), "blind_solve": found})


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("student<0.5 and solver>0.5", True),
        ("student < 0.25", False),
        ("student<=.25", True),
        ("solver>0.5 and student>0.5", False),
        ("student<0.5 and\tjudges >= 8 and solver != 1", True),
        ("solver_without == 0 and student_without == 0", True),
        (" solver > 1. ", False),
    ],
)
def test_a_rule_is_kept_as_it_reads(rule: str, kept: bool) -> None:
    why = not_kept(rule, solved(1, solver=0.75, student=0.25, score=8.0))
    assert why == (None if kept else f"it is not {rule.strip()} (--keep)")


OTHER = ["", "student", "1 < 2", "teacher < 0.5", "student < '0.5'", "student < solver", "student < 0.5; solver > 0.5"]
OTHER += ["student < 0.5 or solver > 0.5", "not student < 0.5", "0.1 < student < 0.5", "student < 0.5 and"]
OTHER += ["student = 0.5", "(student < 0.5)", "student < \u0665", "student < nan"]


@pytest.mark.parametrize("rule", OTHER)
def test_anything_else_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule: compare student"):
        comparisons(rule)


def test_the_export_takes_what_the_rule_keeps_and_counts_the_rest(tmp_path: Path) -> None:
    made = [solved(1, 1.0, 0.0), solved(2, 1.0, 1.0), solved(3, 0.0, 0.0), solved(4, 1.0, None)]
    document = plain_document(tmp_path / "out.json", made)
    folder = export_to(document, "grpo", "--keep", "student<0.5 and solver>0.5")
    assert [row["id"] for row in rows(folder)] == [made[0].id]
    card = (folder / "README.md").read_text()
    assert "not exported: not measured of it: student" in card.replace("\\", "")
    assert "is no rule" in refused(document, "sft", "--keep", "student = 0.5", output="other")
