"""The agreement of a whole run's judges.

1. The document's metadata says how far they agree, over every judged attempt, those included that were turned
   down; made again from the journal it says the same.
2. Without judges there is none.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.document import main as document
from programs.statistics.agreement import krippendorff_alpha, weighted_kappa
from tests.lab import Lab, laboratory
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "min_quality_score": 7}


def by_the_answer(asked: Asked) -> dict[str, Any]:
    """A mild judge says 7 to 9 and a strict one less: by 1, 2, 3 or 4, as the answer's own number will have it."""
    number = int(asked.given("answer").partition("(case ")[2][:2], 16)
    mild = 7 + number % 3
    return verdict(mild - 1 - number % 4 if asked.body["model"] == "strict" else mild)


def test_1_the_metadata_says_how_far_the_judges_agree(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=8, stages={"judge": by_the_answer}, base=JUDGED) as lab:
        lab.run(traces_per_sample=2)
        lines = lab.latest_units().values()
        records = [record for line in lines for record in [*line["attempts"], line["record"]] if record]
        pairs = [tuple(verdict["overall"] for verdict in record["verdicts"]) for record in records]
        found = lab.document["metadata"]["judges"]
        lab.output.unlink()
        assert document([str(lab.output)]) == 0
        assert lab.document["metadata"]["judges"] == found
    strict = [rating for rating, _ in pairs]
    assert len(lab.records) < found["traces"] == len(pairs)
    assert found["alpha"] == pytest.approx(krippendorff_alpha(Counter(pairs)), abs=5e-5)
    (pair,) = found["pairs"]
    assert pair["judges"] == ["openai/mild", "openai/strict"]
    assert pair["weighted_kappa"] == pytest.approx(weighted_kappa(Counter(pairs)), abs=5e-5)
    assert found["judges"]["openai/strict"]["mean"] == pytest.approx(sum(strict) / len(strict), abs=5e-5)


def test_2_without_judges_there_is_nothing(lab: Lab) -> None:
    finished = lab.run()
    assert finished.document is not None
    assert finished.document.judges is None
