"""A random sample of a run's traces for people: `python -m programs.review DOCUMENT --random N`.

1. Every judged attempt that was accepted or turned down can be drawn, once, and nothing else; without judges, every trace.
2. The draw is the seed's alone: the same again, a larger one goes on with the smaller, another seed draws others.
3. The draw does not look at what the judges said: it holds traces on which they agree.
4. What a person says of them are labels like any other, in the same file as those of the review list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from programs.judges.labels import read_labels
from programs.judges.review_list import FAR_APART
from programs.judges.review_sample import ReviewSample
from tests.lab import Lab, laboratory
from tests.reviewing import labels_in, review
from tests.run.test_review_list import JUDGED, attempts, by_the_answer

EVERYTHING = 1000


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("judged")
    with laboratory(folder, texts=6, stages={"judge": by_the_answer}, base={**JUDGED, "min_quality_score": 7}) as lab:
        lab.run(traces_per_sample=2)
        yield lab


def test_every_judged_attempt_can_be_drawn_once(judged: Lab) -> None:
    sample = ReviewSample(judged.output, EVERYTHING, 0)
    assert sorted(sample.ids) == sorted(record["id"] for record in attempts(judged))
    assert {sample[number].became for number in range(len(sample))} == {"accepted", "below"}


def test_a_larger_sample_goes_on_with_the_smaller(judged: Lab) -> None:
    every = ReviewSample(judged.output, EVERYTHING, 0).ids
    assert ReviewSample(judged.output, 3, 0).ids == every[:3]
    assert ReviewSample(judged.output, EVERYTHING, 1).ids != every
    assert sorted(ReviewSample(judged.output, EVERYTHING, 1).ids) == sorted(every)


def test_traces_on_which_judges_agree_are_drawn_too(judged: Lab) -> None:
    sample = ReviewSample(judged.output, EVERYTHING, 0)
    spreads = [sample[number].spread for number in range(len(sample))]
    assert any(spread is not None and spread < FAR_APART for spread in spreads)
    assert any(spread is not None and spread >= FAR_APART for spread in spreads)


def test_what_is_said_of_them_are_labels(judged: Lab) -> None:
    code, out, _ = review(judged.output, "a 8", "r", "q", options=("--random", "3"))
    assert code == 0
    assert "1 of 3, 3 without a label" in out
    assert "1 accepted, 1 rejected, 1 rated, 1 without a label" in out
    labels = judged.folder / "out.labels.jsonl"
    sample = ReviewSample(judged.output, 2, 0)
    assert [line["id"] for line in labels_in(labels)] == sample.ids
    assert [one.question for one in read_labels(labels).answers] == [sample[number].question for number in range(2)]
    # The list beside the document means the same document.
    code, out, _ = review(judged.folder / "out.review.jsonl", "q", options=("--random", "3"))
    assert (code, "3 of 3, 1 without a label" in out) == (0, True)


def test_without_judges_the_traces_can_be_drawn(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2) as lab:
        lab.run()
        code, out, _ = review(lab.output, "a", "r 2", options=("--random", "5"))
        assert code == 0
        assert "no judge was asked (accepted)" in out
        assert "1 accepted, 1 rejected, 1 rated, 0 without a label" in out
