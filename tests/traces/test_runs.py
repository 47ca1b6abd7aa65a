"""What is asked beyond the written traces, in whole runs against a stand-in server.

1. It costs what the dry run says, in one run or in several; a resumed run repeats no call.
2. Asked for later, it is filled in for the traces that are there, which stay as they are.
"""

from pathlib import Path
from typing import Any

import pytest

from programs.run.dry_run import calls_of
from tests.lab import Lab, laboratory
from tests.run.test_resume import repeated
from tests.standin.panel import PANEL
from tests.standin.scientist import THOUGHT

FEATURES: dict[str, dict[str, Any]] = {
    "judges and grades": {"quality_check": True, "judge_models": PANEL, "min_quality_score": 1, "grade_answers": True},
    "own thoughts": {"thought": "both"},
    "blind solve": {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer"},
    "step check": {"check_steps": True, "check_model": "openai/checker"},
}
FEATURES["all together"] = {name: value for options in FEATURES.values() for name, value in options.items()}
PLAIN: dict[str, Any] = {"traces_per_sample": 2, "traces_per_question": 2}


def expected(lab: Lab, **options: Any) -> int:
    return sum(calls_of(lab.settings(**options), texts=4).values())


@pytest.mark.parametrize("options", [FEATURES["judges and grades"], FEATURES["all together"]])
def test_it_costs_what_the_dry_run_says_and_repeats_nothing(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN, **options, max_calls=31)
        lab.run(**PLAIN, **options)
        assert lab.calls == expected(lab, **PLAIN, **options)
        finished, calls = lab.counted(**PLAIN, **options)
        assert calls == repeated(lab) == 0
        assert finished.summary.traces == {"accepted": 4 * lab.settings(**PLAIN, **options).traces_a_text}


@pytest.mark.parametrize("options", FEATURES.values(), ids=FEATURES)
def test_what_is_asked_for_later_is_filled_in(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN)
        before = {record["id"]: record["reasoning_trace"] for record in lab.records}
        lab.run(**PLAIN, **options, allow_mixed=True)
        assert before.items() <= {record["id"]: record["reasoning_trace"] for record in lab.records}.items()
        assert lab.calls == expected(lab, **PLAIN, **options)
        assert repeated(lab) == 0
