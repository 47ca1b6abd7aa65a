"""How well judges agree with people: one verdict, which is what they are tuned by, and the proof on held-out answers."""

from collections.abc import Mapping, Sequence

import dspy

from optimize.measure import Numbers
from optimize.metrics import Score
from optimize.proof import Compared, Failures, Proof
from programs.judges.agreement import balanced_accuracy, krippendorff_alpha, weighted_kappa
from programs.judges.figures import Pair, balanced_interval
from programs.judges.labels import Labelled
from programs.records import Verdict

LARGEST = 9
"""By how much two ratings from 1 to 10 can differ."""

BALANCED = "balanced accuracy"

Ratings = Mapping[str, Sequence[float | None]]
"""By judge: the overall rating of every answer, 1-10, in the answers' order; None where it gave no verdict."""


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
    """`agreement` as DSPy's optimizers call it (see `optimize.job`): as an `ExampleMetric`, and with `feedback` as a
    `FeedbackMetric` that says in which direction the judge erred, and what it said. Safe to use from several threads."""

    def __init__(self, correct_from: int) -> None:
        # It is the judge that is tuned: one that cannot be read has failed.
        super().__init__(worst=0.0)
        self._correct_from = correct_from

    def score(self, example: dspy.Example, prediction: dspy.Prediction) -> Score:
        """The agreement of the verdict of a `JudgeStudent`."""
        return agreement(prediction.verdict, example, self._correct_from)

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> float:  # noqa: ARG002
        return self.number(self.score(example, prediction))

    def feedback(
        self,
        gold: dspy.Example,
        pred: dspy.Prediction,
        trace: object = None,  # noqa: ARG002 - DSPy names and gives them all
        pred_name: str | None = None,  # noqa: ARG002
        pred_trace: object = None,  # noqa: ARG002
    ) -> dspy.Prediction:
        score = self.score(gold, pred)
        said = f"{score.reason[:1].upper()}{score.reason[1:]}."
        if score.value is not None and score.value < 1:
            said += f" The judge said: {pred.verdict.words}"
        return dspy.Prediction(score=self.number(score), feedback=said)


def prove_judges(
    answers: Sequence[Labelled], before: Ratings, after: Ratings, *, correct_from: int, seed: int
) -> Proof:
    """Compares the judges' ratings of the same answers before and after. The composite is the mean of their balanced
    accuracies, with an interval over questions; None where one of them has none.

    A judge that gave no verdict said nothing about an answer: it is counted, and everything about a judge is measured on
    the answers that it rated both times.
    """
    metrics: dict[str, Compared] = {}
    pairs: dict[str, list[Pair]] = {}
    for judge in before:
        rated = [
            (answer, then, now)
            for answer, then, now in zip(answers, before[judge], after[judge], strict=True)
            if then is not None and now is not None
        ]
        old = _figures([(answer, then) for answer, then, _ in rated], correct_from)
        new = _figures([(answer, now) for answer, _, now in rated], correct_from)
        pairs[judge] = [
            Pair(answer.question_key, answer.is_right(correct_from), then >= correct_from, now >= correct_from)
            for answer, then, now in rated
        ]
        for name in old:
            metrics[f"{judge}: {name}"] = Compared(before=old[name], after=new[name], pairs=len(rated), interval=None)
        metrics[f"{judge}: {BALANCED}"].interval = balanced_interval([pairs[judge]], seed=seed)
    means = [metrics[f"{judge}: {BALANCED}"] for judge in before]
    composite = Compared(
        before=_mean([one.before for one in means]),
        after=_mean([one.after for one in means]),
        pairs=sum(one.pairs for one in means),
        interval=balanced_interval(list(pairs.values()), seed=seed),
    )
    if len(before) > 1:
        alphas = [krippendorff_alpha(list(ratings.values())) for ratings in (before, after)]
        metrics["between the judges: Krippendorff's alpha"] = Compared(
            before=alphas[0], after=alphas[1], pairs=len(answers), interval=None
        )
    silent = {judge: [list(ratings[judge]).count(None) for ratings in (before, after)] for judge in before}
    asked = len(answers)
    return Proof(
        composite=composite,
        metrics=metrics,
        stages={
            judge: Failures(failed_before=then, asked_before=asked, failed_after=now, asked_after=asked)
            for judge, (then, now) in silent.items()
        },
        unscored_before=sum(then for then, _ in silent.values()),
        unscored_after=sum(now for _, now in silent.values()),
        diversity_before=None,
        diversity_after=None,
    )


def _figures(rated: Sequence[tuple[Labelled, float]], correct_from: int) -> dict[str, float | None]:
    truth, said = [one.is_right(correct_from) for one, _ in rated], [rating >= correct_from for _, rating in rated]
    both = [(one.overall, rating) for one, rating in rated if one.overall is not None]
    return {
        BALANCED: balanced_accuracy(truth, said),
        "Cohen's kappa with people": weighted_kappa(truth, said),
        "weighted kappa with people's ratings": weighted_kappa([one for one, _ in both], [other for _, other in both]),
        "leniency (calls correct, less people)": _mean([float(a) - b for a, b in zip(said, truth, strict=True)]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
