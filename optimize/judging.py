"""Tuning the prompt that all judges share, on answers that people judged.

Questions are divided into the sides: none is on two, and the test side has all answers to its questions. Of the answers to
train on and to choose by as many are right as wrong, whichever are fewer repeated in turn, so that a judge that always says
"correct" scores a half while it is tuned, as it does in the proof. What is asked again costs nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import Any, NamedTuple

import dspy
import numpy as np

from optimize.compilation import MOST_EXAMPLES, MOST_TESTS, Compilation, Models, few, in_threads
from optimize.measure import Measured
from optimize.metrics import Score
from optimize.optimizers import most_proposals
from optimize.program import Tunable
from optimize.proof import Compared, Failures, Proof
from optimize.recording import Recorder
from optimize.settings import CompileSettings
from optimize.splits import Splits, hash_of, split_by
from optimize.stages import JUDGE
from programs.asking.adapter import PassageFirstAdapter, adapter_for
from programs.asking.ask import Ask
from programs.asking.caller import Caller, TryRules
from programs.asking.models import ModelTable, concurrency_of
from programs.compiled import identity_at
from programs.errors import UserError
from programs.inputs.sample import content_id
from programs.interval import Interval, Numbers, interval_of
from programs.judges.agreement import krippendorff_alpha, weighted_kappa
from programs.judges.labels import Labelled, judge_inputs, read_labels, shown
from programs.lms.resolve import Model
from programs.records import Verdict
from programs.stages.judge import JUDGE_TEMPERATURE, JudgeStage, verdict_of
from programs.tracer import Tracer

PREDICTOR = "judge.predict"
"""The judges' predictor, here and in the `Tracer`."""

BALANCED = "balanced accuracy"
LARGEST = 9
"""By how much two ratings from 1 to 10 can differ."""

_WORDS = {True: "right", False: "wrong"}

Ratings = Mapping[str, Sequence[float | None]]
"""By judge: the overall rating of every answer, 1-10, in the answers' order; None where it gave no verdict."""


class JudgeStudent(Tunable):
    """Asks one of several judges, who share one prompt, about an answer. A judge that gives nothing readable is an outcome,
    not an error: the verdict is then unscored."""

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
            wanted = ("rollout_id", "temperature") if model.takes_sampling else ("rollout_id",)
            return replace(model, lm=model.lm.copy(**{n: sampler.kwargs[n] for n in wanted if n in sampler.kwargs}))

        self._caller = Caller(model_of, rules, strict=True)

    async def aforward(
        self, passage: str, question: str, answer: str, judge: str, thought: str | None = None, **_: Any
    ) -> dspy.Prediction:
        """Gives a Prediction with `verdict`. Raises `BackendError` when the judge cannot be reached or refuses."""
        inputs = judge_inputs(passage, question, answer, thought)
        name = content_id("\0".join((passage, question, answer, *([thought] if thought else []))))
        # Optimizers that want another answer to the same request put an LM into the predictor.
        temperature = JUDGE_TEMPERATURE if self.judge.predict.lm is None else None
        ask = self.judge.ask_about(inputs, name, judge, temperature)
        return dspy.Prediction(verdict=verdict_of(ask, await self._caller.answer(ask)))


class Agreement:
    """A `Measure` of the agreement of a verdict with what people said of the answer. They said right or wrong: 1 where the
    overall rating lies on the same side of `correct_from`, else 0. They rated it: 1 less the distance of the ratings in
    ninths. Both: the mean of the two. None for an unscored verdict."""

    def __init__(self, correct_from: int) -> None:
        self._correct_from = correct_from

    def measured(self, example: dspy.Example, prediction: dspy.Prediction) -> Measured:
        verdict: Verdict = prediction.verdict
        if verdict.overall is None:
            return Measured(Score(None, f"The judge gave no verdict: {verdict.reason}."))
        called = verdict.overall >= self._correct_from
        parts = []
        if example.correct is not None:
            parts.append((float(called is example.correct), f"that the answer is {_WORDS[example.correct]}"))
        if example.rating is not None:
            parts.append((1 - abs(verdict.overall - example.rating) / LARGEST, f"{example.rating} of 10"))
        people = " and ".join(words for _, words in parts)
        words = f"The judge said {verdict.overall} of 10 ({_WORDS[called]}); people said {people}."
        return Measured(Score(sum(part for part, _ in parts) / len(parts), words))

    def said(self, predictor: str | None, measured: Measured, prediction: dspy.Prediction) -> list[str]:  # noqa: ARG002
        """In which direction the judge erred, and what it said."""
        value, words = measured.score
        wrong = value is not None and value < 1
        return [words, f"The judge said: {prediction.verdict.words}"] if wrong else [words]


class JudgeCompilation(Compilation):
    """Tunes the judges' prompt. The stages stay what they were, and so does the model that they were made for."""

    temperatures = False
    least_threshold = 0.5
    worst = 0.0

    def __init__(self, settings: CompileSettings, table: ModelTable) -> None:
        judges = [table.named(name) for name in (*settings.judges, *settings.report_judges)]
        super().__init__(settings, settings.concurrency or min(map(concurrency_of, judges)))
        self.parts, self.weights = [JUDGE], {BALANCED: 1.0}
        self.model = None if settings.program is None else identity_at(settings.program).model
        self.labels = read_labels(*settings.trainset)
        self.splits = divided(self.labels.answers, settings)
        self.train, self.val = (examples_of(side, settings.judges) for side in (self.splits.train, self.splits.val))
        self.data = {side: self._side(answers) for side, answers in self.splits.sides.items()}

    def _side(self, answers: Sequence[Labelled]) -> dict[str, Any]:
        unique = {answer.id: answer for answer in answers}
        right = sum(answer.is_right(self.settings.judged_correct_from) for answer in unique.values())
        return {"answers": len(unique), "found right": right, "questions": _questions(answers), "hash": hash_of(unique)}

    def calls_at_most(self, runs: int) -> dict[str, int]:
        """The training answers are judged once more than `runs`, since their mean score is the threshold."""
        settings, splits = self.settings, self.splits
        tuning = runs + len(settings.judges) * len(splits.train) + most_proposals(runs, predictors=1)
        return {f"tuning {JUDGE}": tuning, "proof": 2 * len(splits.test) * len(settings.report_judges)}

    def student(self, part: str, tracer: Tracer, models: Models) -> JudgeStudent:  # noqa: ARG002 - there is one part
        judges, adapter = {**models.report_judges, **models.judges}, adapter_for(self.settings.prompt_order)
        return JudgeStudent(tracer.judge, judges, models.recorder, adapter, self.rules)

    def measure(self, part: str, judges: Mapping[str, Model]) -> Agreement:  # noqa: ARG002
        return Agreement(self.settings.judged_correct_from)

    def proven(self, tracer: Tracer, models: Models) -> Ratings:
        student, judges = self.student(JUDGE, tracer, models), [*models.report_judges]
        examples = examples_of(self.splits.test, judges)
        found = in_threads(lambda one: student(**one.inputs()).verdict.overall, examples, self.concurrency)
        return {judge: found[number :: len(judges)] for number, judge in enumerate(judges)}

    def proof(self, before: Ratings, after: Ratings) -> Proof:
        settings = self.settings
        return prove_judges(self.splits.test, before, after, settings.judged_correct_from, settings.seed)

    def warnings(self, proof: Proof) -> list[str]:
        answers = self.splits.test
        bare = sum(answer.thought is None for answer in answers)
        found = [f"{count} records left out: {reason}" for reason, count in self.labels.skipped.items()]
        if bare:
            found.append(
                f"{bare} of {len(answers)} answers came without a thought: how the judges rate thoughts was not measured"
            )
        return [*found, *few(_questions(answers), "questions")] + [
            f"{name} gave no verdict on {silent.failed_after} answers after, on {silent.failed_before} before"
            for name, silent in proof.stages.items()
            if silent.failed_after > silent.failed_before
        ]


def _questions(answers: Sequence[Labelled]) -> int:
    return len({answer.question_key for answer in answers})


def divided(answers: Sequence[Labelled], settings: CompileSettings) -> Splits[Labelled]:
    """Divides the answers by their questions. `num_test` counts questions (half, at most 60, when None), `num_train` and
    `num_val` count answers (a quarter each, at most 24); an odd one is rounded down. Raises `UserError`, with the
    numbers, where there is too little, or where a side has no right or no wrong answers."""
    usual = max(2, min(MOST_EXAMPLES, len(answers) // 4))
    made = split_by(
        answers,
        lambda answer: answer.question_key,
        lambda answer: answer.id,
        num_train=settings.num_train or usual,
        num_val=settings.num_val or usual,
        num_test=settings.num_test or max(2, min(MOST_TESTS, _questions(answers) // 2)),
        seed=settings.seed,
    )
    kinds = {side: _kinds(side, some, settings.judged_correct_from) for side, some in made.sides.items()}
    return replace(made, train=_balanced(*kinds["train"]), val=_balanced(*kinds["val"]))


def _kinds(side: str, answers: Sequence[Labelled], correct_from: int) -> list[list[Labelled]]:
    """The answers that people found right, and those that they found wrong."""
    kinds = {right: [one for one in answers if one.is_right(correct_from) is right] for right in (True, False)}
    for right, kind in kinds.items():
        if not kind:
            raise UserError(
                f"no answer that people found {_WORDS[right]} belongs to the {side} questions, so that nothing can be "
                "compared; give more answers, or try another --seed or other numbers of them"
            )
    return [*kinds.values()]


def _balanced(right: list[Labelled], wrong: list[Labelled]) -> list[Labelled]:
    """As many of both in turn; so that a judge has to tell them apart, whichever are fewer are repeated."""
    half = max(1, (len(right) + len(wrong)) // 2)
    return [one for pair in islice(zip(cycle(right), cycle(wrong), strict=False), half) for one in pair]


def examples_of(answers: Sequence[Labelled], judges: Sequence[str]) -> list[dspy.Example]:
    """An example for every answer and judge. `correct` and `rating` are what people said (one of them may be None)."""
    inputs = ("passage", "question", "answer", "thought", "judge")
    return [
        dspy.Example(**said, passage=shown(one), judge=judge, rating=one.overall).with_inputs(*inputs)
        for one in answers
        for said in [one.model_dump(include={"question", "answer", "thought", "correct"})]
        for judge in judges
    ]


class Pair(NamedTuple):
    """What people said of an answer to a question, and what a judge said of it before and after."""

    question: str
    truth: bool
    before: bool
    after: bool


def balanced_interval(judges: Sequence[Sequence[Pair]], *, seed: int) -> Interval | None:
    """The interval of the difference in balanced accuracy (after - before), the mean over the judges, for all of whom the
    same questions are drawn. `pairs` of the result counts questions. None with fewer than two questions, or where a judge
    has no right or no wrong answers."""
    questions = sorted({pair.question for pairs in judges for pair in pairs})
    place = {name: number for number, name in enumerate(questions)}
    totals = np.zeros((len(place), len(judges), 2, 3))
    for judge, pairs in enumerate(judges):
        for pair in pairs:
            agreed = (1, pair.before == pair.truth, pair.after == pair.truth)
            totals[place[pair.question], judge, int(pair.truth)] += agreed

    def difference(sums: Numbers) -> Numbers:
        accuracy = (sums[..., 1:] / sums[..., :1]).mean(axis=(-3, -2))
        return np.asarray(accuracy[..., 1] - accuracy[..., 0])

    return interval_of(totals, difference, seed=seed)


def balanced_accuracy(truth: Sequence[bool | int], said: Sequence[bool | int]) -> float | None:
    """The mean of the share of the true that are said to be true and of the false that are said to be false, 0-1; always
    saying the same gives 0.5, whatever the truth. None where all are true or all are false.

    Brodersen, Ong, Stephan and Buhmann, "The balanced accuracy and its posterior distribution", ICPR 2010, 3121-3124.
    Raises ValueError for lists of unlike length.
    """
    shares = []
    for wanted in (True, False):
        agreed = [bool(answer) is wanted for right, answer in zip(truth, said, strict=True) if bool(right) is wanted]
        if not agreed:
            return None
        shares.append(sum(agreed) / len(agreed))
    return sum(shares) / 2


def prove_judges(answers: Sequence[Labelled], before: Ratings, after: Ratings, correct_from: int, seed: int) -> Proof:
    """Compares the judges' ratings of the same answers, on those that a judge rated both times: one that gave no verdict
    said nothing, and is counted. The composite is the mean of their balanced accuracies, with an interval over the
    questions that every judge rated both times; None where a judge has none."""
    proof = Proof(composite=Compared(before=None, after=None, pairs=0, interval=None), metrics={}, stages={})
    pairs: list[list[Pair]] = []
    for judge, old in before.items():
        new = after[judge]
        twice = [
            (one, (then, now))
            for one, then, now in zip(answers, old, new, strict=True)
            if then is not None and now is not None
        ]
        earlier, later = (_figures([(one, both[when]) for one, both in twice], correct_from) for when in (0, 1))
        pairs.append(
            [
                Pair(one.question_key, one.is_right(correct_from), then >= correct_from, now >= correct_from)
                for one, (then, now) in twice
            ]
        )
        for name, value in earlier.items():
            sure = balanced_interval(pairs[-1:], seed=seed) if name == BALANCED else None
            proof.metrics[f"{judge}: {name}"] = Compared(
                before=value, after=later[name], pairs=len(twice), interval=sure
            )
        proof.stages[judge] = Failures(
            failed_before=[*old].count(None),
            asked_before=len(old),
            failed_after=[*new].count(None),
            asked_after=len(new),
        )
    accuracies = [proof.metrics[f"{judge}: {BALANCED}"] for judge in before]
    proof.composite = Compared(
        before=_mean([one.before for one in accuracies]),
        after=_mean([one.after for one in accuracies]),
        pairs=min(len({pair.question for pair in some}) for some in pairs),
        interval=balanced_interval(pairs, seed=seed),
    )
    if len(before) > 1:
        columns = [zip(*ratings.values(), strict=True) for ratings in (before, after)]
        alphas = [
            krippendorff_alpha(Counter(tuple(one for one in column if one is not None) for column in each))
            for each in columns
        ]
        proof.metrics["between the judges: Krippendorff's alpha"] = Compared(
            before=alphas[0], after=alphas[1], pairs=len(answers), interval=None
        )
    return proof


def _figures(rated: Sequence[tuple[Labelled, float]], correct_from: int) -> dict[str, float | None]:
    truth, said = [one.is_right(correct_from) for one, _ in rated], [rating >= correct_from for _, rating in rated]
    peoples = [one.overall for one, _ in rated if one.overall is not None]
    return {
        BALANCED: balanced_accuracy(truth, said),
        "Cohen's kappa with people": weighted_kappa(truth, said),
        "weighted kappa with people's ratings": weighted_kappa(
            peoples, [rating for one, rating in rated if one.overall is not None]
        ),
        "leniency (calls correct, less people)": _mean([float(a) - b for a, b in zip(said, truth, strict=True)]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
