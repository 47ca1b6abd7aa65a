"""The agreement of a whole run's judges.

The document's metadata says how far they agree, over every judged attempt, those included that were turned down; made
again from the journal it says the same. (Figures: tests/statistics/test_agreement.py; without ratings there are none.)
"""

from pathlib import Path
from typing import Any

from programs.document import main as document
from programs.statistics.agreement import AgreementCount
from tests.lab import laboratory
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "min_quality_score": 7}


def by_the_answer(asked: Asked) -> dict[str, Any]:
    """A mild judge says 7 to 9 and a strict one less: by 1, 2, 3 or 4, as the answer's own number will have it."""
    number = int(asked.given("answer").partition("(case ")[2][:2], 16)
    mild = 7 + number % 3
    return verdict(mild - 1 - number % 4 if asked.body["model"] == "strict" else mild)


def test_the_metadata_says_how_far_the_judges_agree(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=8, stages={"judge": by_the_answer}, base=JUDGED) as lab:
        lab.run(traces_per_sample=2)
        lines = lab.latest_units().values()
        records = [record for line in lines for record in [*line["attempts"], line["record"]] if record]
        found = lab.document["metadata"]["judges"]
        lab.output.unlink()
        assert document([str(lab.output)]) == 0
        assert lab.document["metadata"]["judges"] == found
    count = AgreementCount()
    for record in records:
        count.add(record["verdicts"])
    expected = count.result()
    assert expected is not None
    assert found == expected.model_dump(mode="json")
    assert len(lab.records) < found["traces"] == len(records)
    assert [pair["judges"] for pair in found["pairs"]] == [["openai/mild", "openai/strict"]]
