"""Tunes the prompt that all judges share, on answers that people judged. These are read from JSON lines:

    {"question": "...", "reference": "...", "answer": "...", "human": {"correct": 1}}
    {"question": "...", "key_passage": "...", "answer": "...", "human": {"overall": 7}}

`human` says whether the answer is right (also as a bare 0, 1, true or false), or gives its rating, from 1 to 10. `thought`
may hold the reasoning that led to the answer. Each side of the split has as many right as wrong answers, the rarer kind
repeated, so that a judge that always says "correct" scores one half.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import dspy
from pydantic import BaseModel, PlainValidator, ValidationError, model_validator

from optimize.compilation import Compilation
from optimize.measure import Measured
from optimize.metrics import Score
from optimize.program import Tunable
from optimize.recording import Recorder
from optimize.settings import CompileSettings
from optimize.texts import Splits, hash_of, split_by
from programs.asking.caller import Caller, ReaskRules
from programs.compiled import read_identity
from programs.errors import UserError
from programs.inputs.cleaning import clean
from programs.inputs.jsonl import read_objects
from programs.inputs.papers import question_key
from programs.inputs.passage import Passage
from programs.inputs.sample import content_id, sample_of
from programs.lms.resolve import Model
from programs.record_parts import Verdict
from programs.stages.judge import JudgeStage, verdict_of
from programs.tracer import Tracer
from signatures.stages import STAGES

PREDICTOR, ACCURACY = STAGES["judge"].predictor, "balanced accuracy"
LABELS = {True: "right", False: "wrong"}


def _parse_label(value: Any) -> bool | int:
    given = value if isinstance(value, dict) else {"correct": value}
    if (correct := given.get("correct")) in (0, 1):
        return bool(correct)
    if correct is None and given.get("overall") in range(1, 11) and given["overall"] is not True:
        return int(given["overall"])
    raise ValueError('must be 0, 1, {"correct": 0 or 1} or {"overall": 1 to 10}')


class LabelledAnswer(BaseModel):
    """An answer that people judged, and the passage or reference to judge it by. `id` is a hash of the cleaned texts."""

    question: str
    answer: str
    human: Annotated[bool | int, PlainValidator(_parse_label)]
    reference: str | None = None
    key_passage: str | None = None
    thought: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, record: dict[str, Any]) -> dict[str, Any]:
        texts = {name: clean(value) if isinstance(value, str) else value for name, value in record.items()}
        if not (texts.get("reference") or texts.get("key_passage")):
            raise ValueError("neither a reference nor a key_passage")
        return {name: value for name, value in texts.items() if value != ""}

    @property
    def id(self) -> str:
        return content_id(repr(self.model_dump(exclude={"human"})))

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the judges' signature. Without a passage, the reference answer is shown in its place."""
        title = None if self.key_passage else "Reference answer (the passage itself is not at hand)"
        passage = Passage(sample_of(self.key_passage or self.reference or "", title=title)).shown
        asked = {"passage": passage, "question": self.question, "asked_by": "a reader (level not known)"}
        return {**asked, "thought": self.thought, "answer": self.answer}

    def is_right(self, correct_from: int) -> bool:
        return self.human if isinstance(self.human, bool) else self.human >= correct_from


def read_labels(paths: Sequence[str]) -> tuple[list[LabelledAnswer], int]:
    """The labelled answers in the files, each with its last label, and the number of records left out. Raises `UserError`
    for a malformed record, naming its line, and if no record has a label."""
    answers, records = dict[str, LabelledAnswer](), [found for path in paths for found in read_objects(Path(path))]
    for record, place in records:
        if record.get("human") is not None:
            try:
                answer = LabelledAnswer.model_validate(record)
            except ValidationError as error:
                fault = error.errors()[0]
                raise UserError(f"{place}: {'.'.join(map(str, fault['loc']))} {fault['msg']}") from None
            answers[answer.id] = answer
    if not answers:
        raise UserError(f"--trainset: none of {len(records)} records is a labelled answer")
    return [*answers.values()], len(records) - len(answers)


def split_answers(answers: Sequence[LabelledAnswer], settings: CompileSettings) -> Splits[LabelledAnswer]:
    """Splits the answers by question. Raises `UserError` if there are too few, or a side lacks right or wrong ones."""
    sides = split_by(answers, lambda answer: question_key(answer.question), lambda answer: answer.id, settings)
    for side, found in sides.items():
        right, wrong = ([a for a in found if a.is_right(settings.judged_correct_from) is kind] for kind in LABELS)
        if not (right and wrong):
            raise UserError(f"the {side} side has no {LABELS[not right]} answer: add some, or try another --seed")
        pairs = max(len(right), len(wrong)) if side == "test" else max(1, len(found) // 2)
        sides[side] = [answer for pair in islice(zip(cycle(right), cycle(wrong)), pairs) for answer in pair]
    return sides


class JudgeStudent(Tunable):
    """Asks one of several judges, which share one prompt, about an answer. An unreadable reply is an unscored verdict."""

    tunes_temperatures = False

    def __init__(
        self, judge: JudgeStage, judges: Mapping[str, Model], recorder: Recorder, rules: ReaskRules, correct_from: int
    ) -> None:
        super().__init__((PREDICTOR,), recorder)
        self.judge, self._correct_from = judge, correct_from
        self._caller = Caller(lambda ask: judges[ask.model or ""], rules, strict=True)

    async def aforward(self, name: str, judge: str, right: bool, **given: Any) -> dspy.Prediction:
        """`given` is the answer's fields, `name` its id, `right` whether people find it right. Raises `BackendError`."""
        ask = self.judge.ask_about(given, (name,), judge)
        reply = await self._caller.answer(ask)
        measured = agreement(verdict_of(ask, reply), right, self._correct_from)
        return dspy.Prediction(measured=measured, asked=[(ask, reply)])


def agreement(verdict: Verdict, right: bool, correct_from: int) -> Measured:
    """Scores 1 if a verdict and people agree whether an answer is right, 0 if not, None for an unscored verdict. The
    metrics are the judge's own agreement, and its leniency: 1 if only it finds the answer right, -1 if only people do."""
    judge = verdict.judge
    if verdict.overall is None:
        why = f"The judge gave no verdict: {verdict.reason}."
        return Measured(Score(None, why), {}, {judge: why}, feedback={PREDICTOR: [why]})
    says_right = verdict.overall >= correct_from
    words = f"The judge said {verdict.overall} of 10 ({LABELS[says_right]}); people said {LABELS[right]}."
    agreed = Score(float(says_right is right), words)
    lenient = Score(float(says_right) - right, words)
    lines = [words] if agreed.value else [words, f"The judge said: {verdict.comments}"]
    metrics = {f"{judge}: {ACCURACY}": agreed, f"{judge}: leniency": lenient}
    return Measured(agreed, metrics, {judge: None}, feedback={PREDICTOR: lines})


class JudgeCompilation(Compilation):
    """Tunes the judges' prompt. The stages, and the model that they were compiled for, stay as they are."""

    def __init__(self, settings: CompileSettings) -> None:
        super().__init__(settings)
        self.weights = {ACCURACY: 1.0}
        self.model = None if settings.program is None else read_identity(settings.program).model
        answers, self.left_out = read_labels(settings.trainset)
        splits = split_answers(answers, settings)
        self.train, self.val = (self._examples(splits[side], settings.judges) for side in ("train", "val"))
        self.tested = self._examples(splits["test"], settings.report_judges)
        self.sources = [question_key(example.question) for example in self.tested]
        for side, answers in splits.items():
            unique, questions = {a.id for a in answers}, {question_key(a.question) for a in answers}
            self.data[side] = {"answers": len(unique), "questions": len(questions), "hash": hash_of(unique)}

    def _examples(self, answers: Sequence[LabelledAnswer], judges: Sequence[str]) -> list[dspy.Example]:
        correct_from = self.settings.judged_correct_from
        given = [{**answer.inputs, "name": answer.id, "right": answer.is_right(correct_from)} for answer in answers]
        inputs = ({**each, "judge": judge} for each in given for judge in judges)
        return [dspy.Example(**each).with_inputs(*each) for each in inputs]

    def max_calls_for(self, runs: int) -> int:
        # Twice the runs, for the proposer's calls. The threshold takes one run of each training example.
        return 2 * runs + 8 + len(self.train) + 2 * len(self.tested)

    def student(self, _part: str, tracer: Tracer, recorder: Recorder, judges: Mapping[str, Model]) -> JudgeStudent:
        return JudgeStudent(tracer.judge, judges, recorder, self.rules, self.settings.judged_correct_from)

    def report_warnings(self) -> list[str]:
        warnings = [f"{self.left_out} records left out: no label, or labelled again later"] if self.left_out else []
        if any(example.thought is None for example in self.tested):
            warnings.append("some answers have no thought: how the judges rate thoughts was not measured on them")
        return warnings
