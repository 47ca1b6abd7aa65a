"""`--judge-calibration`: ratings count less their judge's mean bias, and everything else stays as it was.

1. A rating is less its judge's bias, within 1-10, and the judge's own is kept; the score, the spread and the decision are
   those of the ratings that count.
2. A resume with another calibration, or without one, decides again from the stored replies, without a call.
3. Without a calibration nothing differs, and documents without raw ratings load.
4. A calibration is refused that lacks a judge, was measured with another prompt, or is none; before anything is done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.document_metadata import Document
from programs.errors import UserError
from programs.records import Verdict
from programs.tracer import Tracer
from programs.traces.verdicts import prompt_of
from tests.lab import Lab, called, laboratory
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}


def judge(asked: Asked) -> dict[str, Any]:
    return verdict(4 if asked.body["model"] == "strict" else 9)


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    with laboratory(tmp_path, texts=2, stages={"judge": judge}, base=JUDGED) as lab:
        yield lab


def calibration(folder: Path, name: str = "biases.json", prompt: str | None = None, **biases: float) -> Path:
    path = folder / name
    content = {
        "prompt": prompt or prompt_of(Tracer().judge, "passage-first"),
        "judges": {f"openai/{judge}": {"bias": bias, "ratings": 40} for judge, bias in biases.items()},
    }
    path.write_text(json.dumps(content))
    return path


def ratings(lab: Lab) -> set[tuple[tuple[float, int | None], ...]]:
    return {tuple((one["overall"], one.get("raw_overall")) for one in record["verdicts"]) for record in lab.records}


def test_what_counts_is_the_rating_less_the_bias(judged: Lab) -> None:
    judged.run(judge_calibration=calibration(judged.folder, strict=-1.75, mild=1.5))
    assert ratings(judged) == {((5.75, 4), (7.5, 9))}
    for record in judged.records:
        assert (record["metadata"]["quality_score"], record["metadata"]["quality_spread"]) == (6.62, 1.75)
        assert [one["coherence"] for one in record["verdicts"]] == [4, 9]
    agreement = judged.document["metadata"]["judges"]
    assert agreement["to_review"] == 0, "they differ by less than 3 once their biases are known"
    assert [one["mean"] for one in agreement["judges"].values()] == [9, 4], "agreement is of what the judges said"
    Document.model_validate(judged.document)


def test_another_calibration_decides_again_without_a_call(judged: Lab) -> None:
    """Uncalibrated the panel's score is 6.5."""
    assert judged.run().summary.traces == {"accepted": 2}
    assert ratings(judged) == {((4, None), (9, None))}
    assert judged.document["metadata"]["judges"]["to_review"] == 2
    lenient = calibration(judged.folder, strict=0.5, mild=1.5)
    finished, calls = judged.counted(judge_calibration=lenient)
    assert (finished.summary.traces, calls, judged.records) == ({"rejected": 2}, 0, [])
    (one, _) = judged.latest_units().values()
    rules = judged.lines("run")[-1]["rules"]["variation"]["judged"]
    assert rules["biases"] == {"openai/strict": 0.5, "openai/mild": 1.5}
    assert one["attempts"][0]["metadata"]["quality_score"] == 5.5
    same_again, calls = judged.counted(judge_calibration=calibration(judged.folder, "again.json", strict=0.5, mild=1.5))
    assert (calls, same_again.summary.already_done) == (0, 2), "the biases count, not the file that they stand in"
    with pytest.raises(UserError, match="says nothing of openai/mild, only of openai/strict"):
        judged.run(judge_calibration=calibration(judged.folder, "one.json", strict=1.0))
    finished, calls = judged.counted()
    assert (finished.summary.traces, calls) == ({"accepted": 2}, 0)
    assert ratings(judged) == {((4, None), (9, None))}


@settings(deadline=None)
@given(st.none() | st.integers(1, 10), st.floats(-9, 9))
def test_a_rating_stays_on_the_scale_and_the_judges_own_is_kept(rating: int | None, bias: float) -> None:
    given = Verdict(judge="a", scored=rating is not None, overall=rating, reason="thin")
    found = given.less(bias)
    if rating is None:
        assert found == given
        return
    assert found.overall is not None
    assert 1 <= found.overall <= 10
    assert found.raw_overall == rating
    assert found.overall == pytest.approx(min(10, max(1, rating - bias)), abs=0.0051)
    assert found.model_copy(update={"overall": rating, "raw_overall": None}) == given


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ("", "has no biases of programs.calibrate"),
        ('{"judges": {}}', "has no biases of programs.calibrate: prompt"),
        ('{"prompt": "p", "judges": {"openai/mild": {"bias": 1, "ratings": 29}}}', "judges.openai/mild.ratings"),
        ('{"prompt": "p", "judges": {"openai/mild": {"bias": 99, "ratings": 40}}}', "judges.openai/mild.bias"),
        ('{"prompt": "p", "judges": {}}', "measured with another prompt of the judges"),
    ],
)
def test_what_is_no_calibration_is_refused(content: str | None, said: str, judged: Lab) -> None:
    judged.run()
    before = sorted((path.name, path.read_bytes()) for path in judged.folder.iterdir())
    path = judged.folder / "wrong.json"
    if content is not None:
        path.write_text(content)
    for resume in (True, False):
        done = called(*judged.arguments(judge_calibration=path, resume=resume))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert said in done.stderr
    path.unlink(missing_ok=True)
    assert sorted((path.name, path.read_bytes()) for path in judged.folder.iterdir()) == before
