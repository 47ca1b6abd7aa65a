"""Invariants of the agreement of judges: measures reproduce published numbers, and are None if undefined. Counting verdicts
as a run goes on gives the figures of all ratings together, with memory only for the counts.

A document's metadata states the agreement of a run's judges over every judged attempt, including rejected ones; a document
that is made again from the journal states the same."""

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
from tests.standin.scientist import StageRequest

# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): four observers, twelve units, section E.
PUBLISHED_RATINGS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def alpha(ratings: Sequence[Sequence[float | None]]) -> float | None:
    """Krippendorff's alpha of ratings with a row per rater and a column per rated thing."""
    columns = zip(*ratings, strict=True)
    return krippendorff_alpha(Counter(tuple(one for one in column if one is not None) for column in columns))


def test_krippendorff_alpha_of_published_data() -> None:
    assert alpha(PUBLISHED_RATINGS) == pytest.approx(0.849, abs=5e-4)


def test_an_undefined_alpha_is_none() -> None:
    assert alpha([]) is None
    assert alpha([[1, None], [None, 2]]) is None
    assert alpha([[2, 2], [2, 2]]) is None


JUDGES = ("a", "b", "c")
Ratings = list[list[int | None]]


def agreement_of(traces: Ratings) -> JudgeAgreement | None:
    """The agreement of ratings with a row per trace and a column per judge."""
    count = AgreementCount()
    for ratings in traces:
        given = zip(JUDGES, ratings, strict=True)
        count.add([{"judge": judge, "scored": one is not None, "overall": one} for judge, one in given])
    return count.result()


def test_counting_one_by_one_gives_the_figures_of_all() -> None:
    traces: Ratings = [[1, 8, None], [6, 8, 1], [7, 4, None], [8, 10, None]] * 6
    found, columns = agreement_of(traces), [*zip(*traces, strict=True)]
    assert found is not None
    assert (found.traces, found.alpha) == (24, round(alpha(columns) or 0, 4))
    given = [(one.rated, one.unscored, one.mean) for one in found.judges.values()]
    assert given == [(24, 0, 5.5), (24, 0, 7.5), (6, 18, 1.0)]
    assert agreement_of(traces[::-1]) == found


def test_too_few_traces_give_no_agreement() -> None:
    few: Ratings = [[7, None, None]] * MIN_TRACES
    few += [[2, 7, 9]] * (MIN_TRACES - 1)
    found = agreement_of(few)
    assert found is not None
    assert (found.traces, found.alpha) == (MIN_TRACES - 1, None)
    assert agreement_of([]) is None


JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "min_quality_score": 7}


def judge_by_answer(asked: StageRequest) -> dict[str, Any]:
    """A mild judge gives 7 to 9, a strict one 1 to 4 less. The number in the answer decides both."""
    number = int(asked.input("answer").partition("(case ")[2][:2], 16)
    mild = 7 + number % 3
    return verdict(mild - 1 - number % 4 if asked.body["model"] == "strict" else mild)


def test_the_metadata_states_the_agreement_of_the_judges(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=8, stages={"judge": judge_by_answer}, base=JUDGED) as lab:
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
