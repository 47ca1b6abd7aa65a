"""Tuning the prompt that all judges share, on answers that people judged (`optimize.labels`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dspy
import numpy as np

from optimize.compilation import Compilation, Models, in_threads, too_few_warning
from optimize.labels import WORDS, Labelled, divided, read_labels
from optimize.measure import Measured
from optimize.metrics import Score
from optimize.optimizers import most_proposals
from optimize.program import Tunable
from optimize.proof import Failures, Figure, Proof, compared
from optimize.recording import Recorder
from optimize.settings import CompileSettings
from optimize.splits import hash_of
from optimize.stages import JUDGE
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.caller import Caller, TryRules
from programs.asking.models import concurrency_of
from programs.compiled import identity_at
from programs.lms.resolve import Model
from programs.records import Verdict
from programs.stages.judge import JUDGE_TEMPERATURE, JudgeStage, verdict_of
from programs.statistics.interval import Numbers
from programs.tracer import Tracer

PREDICTOR = "judge.predict"
BALANCED = "balanced accuracy"

Ratings = Mapping[str, Sequence[float | None]]
"""By judge: the overall rating of every answer, 1-10, in the answers' order; None where it gave no verdict."""


class JudgeStudent(Tunable):
    """Asks one of several judges, who share one prompt, about an answer. What cannot be read is an unscored verdict."""

    def __init__(
        self,
        judge: JudgeStage,
        judges: Mapping[str, Model],
        recorder: Recorder,
        adapter: PassageFirstAdapter,
        rules: TryRules,
    ) -> None:
        super().__init__((PREDICTOR,), recorder, adapter)
        self.judge = judge

        def model_of(ask: Ask) -> Model:
            model, sampler = judges[ask.judge or ""], ask.predict.lm
            if sampler is None:
                return model
            # Of an optimizer's LM only what makes the answer another one is taken: which model answers is ours to say.
            wanted = ("rollout_id", *(model.options & {"temperature"}))
            return replace(model, lm=model.lm.copy(**{n: sampler.kwargs[n] for n in wanted if n in sampler.kwargs}))

        self._caller = Caller(model_of, rules, strict=True)

    async def aforward(self, name: str, judge: str, **given: Any) -> dspy.Prediction:
        """Gives a Prediction with `verdict`; `given` is `Labelled.inputs`, `name` its id. Raises `BackendError`."""
        # Optimizers that want another answer to the same request put an LM into the predictor.
        temperature = JUDGE_TEMPERATURE if self.judge.predict.lm is None else None
        ask = self.judge.ask_about(given, name, judge, temperature)
        return dspy.Prediction(verdict=verdict_of(ask, await self._caller.answer(ask)))


class Agreement:
    """A `Measure`: 1 where a verdict and people agree whether an answer is right, else 0; None for an unscored verdict."""

    def __init__(self, correct_from: int) -> None:
        self._correct_from = correct_from

    def measured(self, example: dspy.Example, prediction: dspy.Prediction) -> Measured:
        verdict: Verdict = prediction.verdict
        if verdict.overall is None:
            return Measured(Score(None, f"The judge gave no verdict: {verdict.reason}."))
        called = verdict.overall >= self._correct_from
        words = f"The judge said {verdict.overall} of 10 ({WORDS[called]}); people said {WORDS[example.right]}."
        return Measured(Score(float(called is example.right), words))

    def said(self, predictor: str | None, measured: Measured, prediction: dspy.Prediction) -> list[str]:  # noqa: ARG002
        """In which direction the judge erred, and what it said."""
        said = [f"The judge said: {prediction.verdict.words}"] if measured.score.value == 0 else []
        return [measured.score.reason, *said]


class JudgeCompilation(Compilation):
    """Tunes the judges' prompt. The stages stay what they were, and so does the model that they were made for."""

    temperatures = False

    def __init__(self, settings: CompileSettings) -> None:
        judges = (*settings.judges, *settings.report_judges)
        super().__init__(settings, settings.concurrency or min(map(concurrency_of, judges)))
        self.parts, self.weights = [JUDGE], {BALANCED: 1.0}
        self.model = None if settings.program is None else identity_at(settings.program).model
        answers, self.skipped = read_labels(*settings.trainset)
        self.splits = divided(answers, settings)
        self.train, self.val = (self._examples(self.splits[side], settings.judges) for side in ("train", "val"))
        for side, answers in self.splits.items():
            unique, questions = {one.id for one in answers}, {one.question_key for one in answers}
            self.data[side] = {"answers": len(unique), "questions": len(questions), "hash": hash_of(unique)}

    def _examples(self, answers: Sequence[Labelled], judges: Sequence[str]) -> list[dspy.Example]:
        """An example for every answer and judge; `right`: people found it right."""
        correct_from = self.settings.judged_correct_from
        return [
            dspy.Example(right=one.is_right(correct_from), **inputs).with_inputs(*inputs)
            for one in answers
            for inputs in ({**one.inputs, "name": one.id, "judge": judge} for judge in judges)
        ]

    def calls_at_most(self, runs: int) -> dict[str, int]:
        """The training answers are judged once more than `runs`, since their mean score is the threshold."""
        tuning = runs + len(self.train) + most_proposals(runs, predictors=1)
        return {f"tuning {JUDGE}": tuning, "proof": 2 * len(self.splits["test"]) * len(self.settings.report_judges)}

    def student(self, part: str, tracer: Tracer, models: Models) -> JudgeStudent:  # noqa: ARG002 - there is one part
        judges = {**models.report_judges, **models.judges}
        return JudgeStudent(tracer.judge, judges, models.recorder, self.adapter, self.rules)

    def measure(self, part: str, judges: Mapping[str, Model]) -> Agreement:  # noqa: ARG002
        return Agreement(self.settings.judged_correct_from)

    def proven(self, tracer: Tracer, models: Models) -> Ratings:
        student = self.student(JUDGE, tracer, models)

        def ratings(judge: str) -> list[float | None]:
            examples = self._examples(self.splits["test"], [judge])
            return in_threads(lambda one: student(**one.inputs()).verdict.overall, examples, self.concurrency)

        return {judge: ratings(judge) for judge in models.report_judges}

    def proof(self, before: Ratings, after: Ratings) -> Proof:
        return prove_judges(self.splits["test"], before, after, self.settings.judged_correct_from, self.settings.seed)

    def warnings(self, proof: Proof) -> list[str]:  # noqa: ARG002
        found = [f"{count} records left out: {reason}" for reason, count in self.skipped.items()]
        if any(answer.thought is None for answer in self.splits["test"]):
            found.append("there are answers without a thought: how the judges rate thoughts was not measured on them")
        return [*found, *too_few_warning(self.data["test"]["questions"], "questions")]


def prove_judges(answers: Sequence[Labelled], before: Ratings, after: Ratings, correct_from: int, seed: int) -> Proof:
    """Compares the judges' ratings of the same answers, on those that a judge rated both times: one that gave no verdict
    said nothing, and is counted. Intervals are over questions. The composite is the mean of the judges' balanced
    accuracies; its pairs are the questions that every judge rated both times. None where a judge has no figure."""
    counts = [_counted(answers, ratings, after[judge], correct_from) for judge, ratings in before.items()]
    pairs = int(np.all([one.any(axis=(1, 2, 3)) for one in counts], axis=0).sum())
    return Proof(
        composite=compared(np.stack(counts, axis=1), lambda sums: _accuracy(sums).mean(axis=-2), pairs, seed),
        metrics={
            f"{judge}: {name}": compared(one, figure, int(one.sum()) // 2, seed)
            for judge, one in zip(before, counts, strict=True)
            for name, figure in FIGURES.items()
        },
        stages={
            judge: Failures.of([one is None for one in ratings], [one is None for one in after[judge]])
            for judge, ratings in before.items()
        },
    )


def _counted(
    answers: Sequence[Labelled], before: Sequence[float | None], after: Sequence[float | None], correct_from: int
) -> Numbers:
    """Of every question the answers that a judge rated both times, by when, what people said, and what the judge said."""
    place = {key: number for number, key in enumerate(sorted({answer.question_key for answer in answers}))}
    counts = np.zeros((len(place), 2, 2, 2))
    for answer, old, new in zip(answers, before, after, strict=True):
        if old is not None and new is not None:
            of_question, right = counts[place[answer.question_key]], int(answer.is_right(correct_from))
            of_question[0, right, int(old >= correct_from)] += 1
            of_question[1, right, int(new >= correct_from)] += 1
    return counts


def _accuracy(counts: Numbers) -> Numbers:
    shares = counts / counts.sum(axis=-1, keepdims=True)
    return np.asarray((shares[..., 0, 0] + shares[..., 1, 1]) / 2)


def _kappa(counts: Numbers) -> Numbers:
    total = counts.sum(axis=(-2, -1))
    agreed = (counts[..., 0, 0] + counts[..., 1, 1]) / total
    chance = (counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1) / total**2
    return np.asarray((agreed - chance) / (1 - chance))


FIGURES: dict[str, Figure] = {
    BALANCED: _accuracy,
    "Cohen's kappa with people": _kappa,
    "leniency (calls correct, less people)": lambda counts: np.asarray(
        (counts[..., 0, 1] - counts[..., 1, 0]) / counts.sum(axis=(-2, -1))
    ),
}
"""Figures of a judge, from its counts by what people and it said (the last two axes)."""
