"""How well a judge's verdict agrees with people: what judges are tuned by."""

import dspy

from optimize.measure import Numbers
from optimize.metrics import Score
from programs.stages.judge import Verdict

LARGEST = 9
"""By how much two ratings from 1 to 10 can differ."""


def agreement(verdict: Verdict, example: dspy.Example, correct_from: int) -> Score:
    """The agreement of a verdict with what people said of the answer (see `optimize.judges.judge_cases.examples_of`), 0-1.

    People said right or wrong: 1 where the overall rating lies on the same side of `correct_from`, else 0. They rated
    it: 1 less the distance of the ratings in ninths. Both: the mean of the two. None for an unscored verdict.
    """
    if verdict.overall is None:
        return Score(None, f"the judge gave no verdict: {verdict.reason}")
    parts, said = [], []
    if example.correct is not None:
        parts.append(float((verdict.overall >= correct_from) is example.correct))
        said.append(f"that the answer is {_word(example.correct)}")
    if example.rating is not None:
        parts.append(1 - abs(verdict.overall - example.rating) / LARGEST)
        said.append(f"{example.rating} of 10")
    meant = _word(verdict.overall >= correct_from)
    words = f"the judge said {verdict.overall} of 10 ({meant}); people said {' and '.join(said)}"
    return Score(sum(parts) / len(parts), words)


def _word(right: bool) -> str:
    return "right" if right else "wrong"


class JudgeMetric(Numbers):
    """`agreement` as DSPy's optimizers call it (see `optimize.job.ExampleMetric`). Safe to use from several threads."""

    def __init__(self, correct_from: int) -> None:
        # It is the judge that is tuned: one that cannot be read has failed.
        super().__init__(worst=0.0)
        self._correct_from = correct_from

    def score(self, example: dspy.Example, prediction: dspy.Prediction) -> Score:
        """The agreement of the verdict of a `JudgeStudent`."""
        return agreement(prediction.verdict, example, self._correct_from)

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> float:  # noqa: ARG002
        return self.number(self.score(example, prediction))


class JudgeFeedback:
    """A `FeedbackMetric` over a `JudgeMetric`: in which direction the judge erred, and what it said."""

    def __init__(self, metric: JudgeMetric) -> None:
        self._metric = metric

    def __call__(
        self,
        gold: dspy.Example,
        pred: dspy.Prediction,
        trace: object = None,  # noqa: ARG002 - DSPy names and gives them all
        pred_name: str | None = None,  # noqa: ARG002
        pred_trace: object = None,  # noqa: ARG002
    ) -> dspy.Prediction:
        score = self._metric.score(gold, pred)
        said = f"{score.reason[:1].upper()}{score.reason[1:]}."
        if score.value is not None and score.value < 1:
            said += f" The judge said: {pred.verdict.words}"
        return dspy.Prediction(score=self._metric.number(score), feedback=said)
