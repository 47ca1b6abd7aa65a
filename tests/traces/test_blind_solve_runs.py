"""Whole runs with `--blind-solve` against a stand-in server.

1. An option that is added later fills in what is there, a larger number extends it.
2. `--keep` turns down, `--max-traces` counts what is left, exactly, whatever was granted to a text at first.
3. The summary counts what was found over all runs, each trace once. Nothing of a trace reaches the solver.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.lab import laboratory
from tests.run.test_resume import repeated
from tests.standin import scientist
from tests.standin.scientist import Asked

SOLVING: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer"}


def reading(asked: Asked) -> dict[str, Any]:
    """An answer that says whether the passage's catalogue has an even number of galaxies."""
    [galaxies] = re.findall(r"measurements of (\d+) galaxies", asked.text)
    return {
        "text": f"{scientist.answer(asked)['text']} The catalogue is an {'odd' if int(galaxies) % 2 else 'even'} one."
    }


def known_for_even(asked: Asked) -> dict[str, Any]:
    """Knows everything about the galaxies of even catalogues."""
    agreed = "an even one" in asked.given("reference") or not asked.given("other").startswith(scientist.FROM_MEMORY)
    return {"reason": "They are about the same galaxies.", "agreement": "equivalent" if agreed else "contradicts"}


def test_keep_turns_down_and_max_traces_counts_the_rest(tmp_path: Path) -> None:
    stages: dict[str, scientist.Answer] = {"answer": reading, "compare": known_for_even}
    with laboratory(tmp_path, texts=12, stages=stages) as lab:
        options = {**SOLVING, "keep": ["needs_paper"], "max_traces": 4}
        finished = lab.run(**options)
        assert finished.summary.traces["accepted"] == len(lab.records) == 4
        assert {record["final_answer"].split()[-2] for record in lab.records} == {"odd"}
        turned_down = [line for line in lab.latest_units().values() if line["status"] == "rejected"]
        assert turned_down
        assert {line["rejection"]["detail"] for line in turned_down} == {"known"}
        assert all(line["attempts"][-1]["blind_solve"]["need"] == "known" for line in turned_down)
        found = finished.summary.findings.blind_solve
        assert found is not None
        assert (found.needs_paper, found.known) == (4, len(turned_down))
        finished = lab.run(**{**options, "max_traces": 6})
        assert finished.summary.traces["accepted"] == 6
        finished, ledger = lab.run_and_count(**{**options, "keep": ["needs_paper", "known"], "max_traces": None})
        assert finished.summary.traces == {"accepted": 12}
        assert (ledger.accepted_before, +ledger.traces) == (6, Counter(accepted=6))
        assert repeated(lab) == 0
