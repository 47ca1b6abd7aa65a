"""Invariants of agreement: measures give published numbers, and None where they are undefined; what a run counts as its
verdicts pass by are the figures of all ratings together, as the judges gave them, at a memory of the counts.

A document's metadata says how far the judges of a run agree, over every judged attempt, those included that were turned
down; made again from the journal it says the same."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from programs.document import main as document
from programs.schema import JudgeAgreement
from programs.statistics.agreement import MIN_TRACES, AgreementCount, krippendorff_alpha
from tests.lab import laboratory
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): four observers, twelve units, section E.
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def alpha(ratings: Sequence[Sequence[float | None]]) -> float | None:
    """Of a row for each rater and a column for each thing."""
    columns = zip(*ratings, strict=True)
    return krippendorff_alpha(Counter(tuple(one for one in column if one is not None) for column in columns))


def test_krippendorff_alpha_of_published_data() -> None:
    assert alpha(FOUR) == pytest.approx(0.849, abs=5e-4)


def test_what_is_undefined_is_none() -> None:
    assert alpha([]) is None
    assert alpha([[1, None], [None, 2]]) is None
    assert alpha([[2, 2], [2, 2]]) is None


JUDGES = ("a", "b", "c")
Rows = list[list[int | None]]


def agreement_of(traces: Rows) -> JudgeAgreement | None:
    """Of a row for each trace and a column for each judge."""
    count = AgreementCount()
    for ratings in traces:
        given = zip(JUDGES, ratings, strict=True)
        count.add([{"judge": judge, "scored": one is not None, "overall": one} for judge, one in given])
    return count.result()


def test_counted_one_by_one_they_are_the_figures_of_all() -> None:
    traces: Rows = [[1, 8, None], [6, 8, 1], [7, 4, None], [8, 10, None]] * 6
    found, columns = agreement_of(traces), [*zip(*traces, strict=True)]
    assert found is not None
    assert (found.traces, found.alpha) == (24, round(alpha(columns) or 0, 4))
    given = [(one.rated, one.unscored, one.mean) for one in found.judges.values()]
    assert given == [(24, 0, 5.5), (24, 0, 7.5), (6, 18, 1.0)]
    assert agreement_of(traces[::-1]) == found


def test_few_ratings_tell_no_agreement() -> None:
    few: Rows = [[7, None, None]] * MIN_TRACES
    few += [[2, 7, 9]] * (MIN_TRACES - 1)
    found = agreement_of(few)
    assert found is not None
    assert (found.traces, found.alpha) == (MIN_TRACES - 1, None)
    assert agreement_of([]) is None


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
