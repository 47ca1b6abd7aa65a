"""Tuning the prompt that all judges share, on answers that people judged: files of JSON lines.

    {"question": "...", "reference": "...", "answer": "...", "human": {"correct": 1}}
    {"question": "...", "key_passage": "...", "answer": "...", "human": {"overall": 7}}

`human` says whether the answer is right (also as a bare 0, 1, true or false), or else its rating, from 1 to 10. `thought`
may hold the reasoning that led to it. On each side as many answers are right as wrong, whichever are fewer repeated: a
judge that always says "correct" scores a half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, PlainValidator, ValidationError, model_validator

from optimize.compilation import Compilation, Models
from optimize.measure import Measure, Measured
from optimize.metrics import Score
from optimize.program import Tunable
from optimize.settings import CompileSettings
from optimize.stages import JUDGE
from optimize.texts import Splits, hash_of, split_by
from programs.asking.ask import Ask
from programs.asking.caller import Caller, TryRules
from programs.asking.models import concurrency_of
from programs.compiled import identity_at
from programs.errors import UserError
from programs.inputs.cleaning import clean
from programs.inputs.jsonl import objects_of
from programs.inputs.papers import question_key
from programs.inputs.passage import Passage
from programs.inputs.sample import content_id, sample_of
from programs.lms.resolve import Model
from programs.stages.judge import JUDGE_TEMPERATURE, JudgeStage, verdict_of
from programs.tracer import Tracer

PREDICTOR, ACCURACY = "judge.predict", "balanced accuracy"
WORDS = {True: "right", False: "wrong"}


def _label(said: Any) -> bool | int:
    given = said if isinstance(said, dict) else {"correct": said}
    if (correct := given.get("correct")) in (0, 1):
        return bool(correct)
    if correct is None and given.get("overall") in range(1, 11) and given["overall"] is not True:
        return int(given["overall"])
    raise ValueError('must be 0, 1, {"correct": 0 or 1} or {"overall": 1 to 10}')


class Labelled(BaseModel):
    """An answer that people judged, and the passage or reference answer by which it is judged. Texts are cleaned; `id` is a
    hash of them."""

    question: str
    answer: str
    human: Annotated[bool | int, PlainValidator(_label)]
    reference: str | None = None
    key_passage: str | None = None
    thought: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _cleaned(cls, record: dict[str, Any]) -> dict[str, Any]:
        texts = {name: clean(value) if isinstance(value, str) else value for name, value in record.items()}
        if not (texts.get("reference") or texts.get("key_passage")):
            raise ValueError("neither a reference nor a key_passage")
        return {name: value for name, value in texts.items() if value != ""}

    @property
    def id(self) -> str:
        return content_id(repr(self.model_dump(exclude={"human"})))

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the judges' signature. Where no passage is known the reference answer, called so, has its place."""
        title = None if self.key_passage else "Reference answer (the passage itself is not at hand)"
        passage = Passage(sample_of(self.key_passage or self.reference or "", title=title)).shown
        asked = {"passage": passage, "question": self.question, "asked_by": "a reader (level not known)"}
        return {**asked, "thought": self.thought, "answer": self.answer}

    def is_right(self, correct_from: int) -> bool:
        return self.human if isinstance(self.human, bool) else self.human >= correct_from


def read_labels(paths: Sequence[str]) -> tuple[list[Labelled], int]:
    """The labelled answers of files, each with its last label, and how many other records there are. Raises `UserError` for
    a record of another form, naming its line, and where there is no label."""
    answers, records = dict[str, Labelled](), [found for path in paths for found in objects_of(Path(path))]
    for record, place in records:
        if record.get("human") is not None:
            try:
                answer = Labelled.model_validate(record)
            except ValidationError as error:
                fault = error.errors()[0]
                raise UserError(f"{place}: {'.'.join(map(str, fault['loc']))} {fault['msg']}") from None
            answers[answer.id] = answer
    if not answers:
        raise UserError(f"--trainset: none of {len(records)} records is an answer with a label")
    return [*answers.values()], len(records) - len(answers)


def divided(answers: Sequence[Labelled], settings: CompileSettings) -> Splits[Labelled]:
    """Divides the answers by their questions. Raises `UserError` where there is too little, or a side has no right or no
    wrong answers."""
    made = split_by(answers, lambda one: question_key(one.question), lambda one: one.id, settings)
    for side, some in made.items():
        right, wrong = ([one for one in some if one.is_right(settings.judged_correct_from) is kind] for kind in WORDS)
        if not (right and wrong):
            raise UserError(f"no {WORDS[not right]} answer is on the {side} side: give more answers, or another --seed")
        pairs = max(len(right), len(wrong)) if side == "test" else max(1, len(some) // 2)
        made[side] = [one for pair in islice(zip(cycle(right), cycle(wrong)), pairs) for one in pair]
    return made


class JudgeStudent(Tunable):
    """Asks one of several judges, who share one prompt, about an answer. What cannot be read is an unscored verdict."""

    def __init__(self, judge: JudgeStage, models: Models, rules: TryRules) -> None:
        super().__init__((PREDICTOR,), models.recorder)
        self.judge, judges = judge, {**models.report_judges, **models.judges}

        def model_of(ask: Ask) -> Model:
            model, sampler = judges[ask.judge or ""], ask.predict.lm
            if sampler is None:
                return model
            # Of an optimizer's LM only what makes the answer another one is taken: which model answers is ours to say.
            taken = {"rollout_id", *(model.options & {"temperature"})} & {*sampler.kwargs}
            return replace(model, lm=model.lm.copy(**{name: sampler.kwargs[name] for name in taken}))

        self._caller = Caller(model_of, rules, strict=True)

    async def aforward(self, name: str, judge: str, **given: Any) -> dspy.Prediction:
        """Gives a Prediction with `verdict`; `given` is `Labelled.inputs`, `name` its id. Raises `BackendError`."""
        # Optimizers that want another answer to the same request put an LM into the predictor.
        ask = self.judge.ask_about(given, name, judge, JUDGE_TEMPERATURE if self.judge.predict.lm is None else None)
        return dspy.Prediction(verdict=verdict_of(ask, await self._caller.answer(ask)))


def agreement(example: dspy.Example, prediction: dspy.Prediction, correct_from: int) -> Measured:
    """A `Measure`: 1 where a verdict and people agree whether an answer is right, else 0; None for an unscored verdict. Of
    each judge by itself it has that too, and its leniency: 1 where it alone finds an answer right, -1 where people do."""
    verdict, judge = prediction.verdict, prediction.verdict.judge
    if verdict.overall is None:
        why = f"The judge gave no verdict: {verdict.reason}."
        return Measured(Score(None, why), {}, {judge: why}, said={PREDICTOR: [why]})
    called = verdict.overall >= correct_from
    words = f"The judge said {verdict.overall} of 10 ({WORDS[called]}); people said {WORDS[example.right]}."
    agreed, lenient = Score(float(called is example.right), words), Score(float(called) - example.right, words)
    said = [words] if agreed.value else [words, f"The judge said: {verdict.words}"]
    metrics = {f"{judge}: {ACCURACY}": agreed, f"{judge}: leniency": lenient}
    return Measured(agreed, metrics, {judge: None}, said={PREDICTOR: said})


class JudgeCompilation(Compilation):
    """Tunes the judges' prompt. The stages stay what they were, and so does the model that they were made for."""

    temperatures = False

    def __init__(self, settings: CompileSettings) -> None:
        fewest = min(map(concurrency_of, (*settings.judges, *settings.report_judges)))
        super().__init__(settings, settings.concurrency or fewest)
        self.parts, self.whole, self.weights = [JUDGE], JUDGE, {ACCURACY: 1.0}
        self.model = None if settings.program is None else identity_at(settings.program).model
        answers, self.left_out = read_labels(settings.trainset)
        splits = divided(answers, settings)
        self.train, self.val = (self._examples(splits[side], settings.judges) for side in ("train", "val"))
        self.tested = self._examples(splits["test"], settings.report_judges)
        self.sources = [question_key(one.question) for one in self.tested]
        for side, answers in splits.items():
            unique, questions = {one.id for one in answers}, {question_key(one.question) for one in answers}
            self.data[side] = {"answers": len(unique), "questions": len(questions), "hash": hash_of(unique)}

    def _examples(self, answers: Sequence[Labelled], judges: Sequence[str]) -> list[dspy.Example]:
        return [
            dspy.Example(right=one.is_right(self.settings.judged_correct_from), **inputs).with_inputs(*inputs)
            for one in answers
            for inputs in ({**one.inputs, "name": one.id, "judge": judge} for judge in judges)
        ]

    def calls_at_most(self, runs: int) -> int:
        # Twice the runs: what a proposer is asked, too. The threshold takes a run of each training example.
        return 2 * runs + 8 + len(self.train) + 2 * len(self.tested)

    def student(self, part: str, tracer: Tracer, models: Models) -> JudgeStudent:  # noqa: ARG002 - there is one part
        return JudgeStudent(tracer.judge, models, self.rules)

    def measure(self, part: str, judges: Mapping[str, Model]) -> Measure:  # noqa: ARG002
        return partial(agreement, correct_from=self.settings.judged_correct_from)

    def cautions(self) -> list[str]:
        found = [f"{self.left_out} records left out: no label, or judged again later"] if self.left_out else []
        if any(example.thought is None for example in self.tested):
            found.append("there are answers without a thought: how the judges rate thoughts was not measured on them")
        return found
