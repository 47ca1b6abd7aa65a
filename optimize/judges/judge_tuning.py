"""Tuning the judges' prompt: from the settings of a compilation to the folder with the program whose judges agree better
with people, if that could be done."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dspy
from rich.console import Console

from optimize.compilation import few, runs_within
from optimize.job import Job, Optimizer, in_threads, most_proposals
from optimize.judges.judge_cases import Sides, divided, examples_of
from optimize.judges.judge_measure import JudgeFeedback, JudgeMetric
from optimize.judges.judge_proof import JudgeProof, Ratings, prove_judges
from optimize.judges.judge_report import JudgeReport, judge_markdown, judge_verdict
from optimize.judges.judge_student import PREDICTOR, JudgeStudent
from optimize.models import Models, table_of
from optimize.optimizers import OPTIMIZERS
from optimize.recording.recorder import Recorder
from optimize.report import facts_of, hash_of, warned, write_files
from optimize.settings import RUNS_A_BUDGET, CompileSettings
from optimize.stages import JUDGE
from optimize.workspace import workspace
from programs.asking.models import concurrency_of
from programs.asking.tries import TryRules
from programs.compiled import identity_of, write_program
from programs.judges.labels import Labelled, read_answers
from programs.lms.resolve import Model
from programs.load import identity_at, load_tracer
from programs.stages.judge import JudgeStage
from programs.tracer import Tracer

WORST_DEMONSTRATION = 0.5
"""A verdict that agrees less with people is never shown as an example."""


@dataclass(frozen=True)
class JudgeCourse:
    """A tuning of the judges that is about to begin, with so many `runs` of one judge on one answer. `skipped` says why how
    many records were left out."""

    settings: CompileSettings
    optimizer: Optimizer
    sides: Sides
    skipped: Mapping[str, int]
    tracer: Tracer
    runs: int
    concurrency: int

    def examples(self, answers: Sequence[Labelled]) -> list[dspy.Example]:
        """The examples of a side for the judges that optimise."""
        return examples_of(answers, self.settings.judges, self.settings.judged_correct_from)


def course_of(settings: CompileSettings) -> JudgeCourse:
    """Reads the labelled answers and divides the budget. Asks nothing. Raises `UserError`."""
    table = table_of(settings)
    labels = read_answers(settings.trainset)
    sides = divided(
        labels.answers,
        num_train=settings.num_train,
        num_val=settings.num_val,
        num_test=settings.num_test,
        seed=settings.seed,
        correct_from=settings.judged_correct_from,
    )
    judges = [table.named(name) for name in (*settings.judges, *settings.report_judges)]
    course = JudgeCourse(
        settings=settings,
        optimizer=OPTIMIZERS[settings.optimizer],
        sides=sides,
        skipped=labels.skipped,
        tracer=load_tracer(settings.program, prompt_order=settings.prompt_order),
        runs=RUNS_A_BUDGET[settings.budget] * len(settings.judges) * (len(sides.train) + len(sides.val)) // 2,
        concurrency=settings.concurrency or min(map(concurrency_of, judges)),
    )
    return replace(
        course, runs=runs_within(settings.max_calls, course.runs, lambda runs: estimate(replace(course, runs=runs)))
    )


def estimate(course: JudgeCourse) -> dict[str, int]:
    """Calls by part: the tuning, and the proof. From above, but for what is asked again."""
    # The training answers are judged once more, since their mean score is the threshold.
    runs = course.runs + len(course.settings.judges) * len(course.sides.train)
    tuning = runs + most_proposals(course.runs, predictors=1)
    return {f"tuning {JUDGE}": tuning, "proof": 2 * len(course.sides.test) * len(course.settings.report_judges)}


def tune(course: JudgeCourse, console: Console) -> JudgeReport:
    """Tunes, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    settings = course.settings
    for reason, count in course.skipped.items():
        console.print(f"{count} records left out: {reason}")
    answers = hash_of(
        answer.id for side in (course.sides.train, course.sides.val, course.sides.test) for answer in side
    )
    with workspace(settings, answers, console, course.concurrency) as (models, recorder):
        compiled, unscored = _compiled(course, models, recorder, console)
        before, after = (_ratings(course, models, tracer, console) for tracer in (course.tracer, compiled))
        correct_from = settings.judged_correct_from
        proof = prove_judges(course.sides.test, before, after, correct_from=correct_from, seed=settings.seed)
        report = _report(course, compiled, proof, recorder, unscored)
    # The stages that write are what they were, and so is the model that they were compiled for.
    made_for = None if settings.program is None else identity_at(settings.program).model
    identity = identity_of(compiled, model=made_for, prompt_order=settings.prompt_order)
    write_program(compiled, settings.output / "program.json", identity)
    write_files(report, judge_markdown(report), settings.output)
    for line in (judge_verdict(report), *warned(report)):
        console.print(line)
    return report


def _compiled(course: JudgeCourse, models: Models, recorder: Recorder, console: Console) -> tuple[Tracer, int]:
    """The tracer with the tuned judge, and how many examples had no score."""
    console.print(f"tuning {JUDGE} with {course.optimizer.name}")
    metric = JudgeMetric(course.settings.judged_correct_from)
    student = _student(course, models.judges, course.tracer.deepcopy().judge)
    threshold = _threshold(course, student, metric)
    recorder.check_answered("no judge gave a rating")
    tuned = course.optimizer.compile(_job(course, student, metric, models.proposer.lm, threshold))
    if recorder.failure is not None:
        # An optimizer may take an error for a score and come to its end.
        raise recorder.failure
    tracer = course.tracer.deepcopy()
    tracer.judge = tuned.judge
    return tracer, metric.unscored


def _threshold(course: JudgeCourse, student: JudgeStudent, metric: JudgeMetric) -> float:
    """From which agreement on a verdict is shown as an example: what is usual, but no less than the worst there may be."""

    def score(example: dspy.Example) -> float | None:
        return metric.score(example, student(**example.inputs())).value

    scores = in_threads(score, course.examples(course.sides.train), course.concurrency)
    known = [value for value in scores if value is not None] or [1.0]
    # The mean of equal numbers can come out above them.
    return max(WORST_DEMONSTRATION, min(max(known), sum(known) / len(known)))


def _job(course: JudgeCourse, student: JudgeStudent, metric: JudgeMetric, proposer: dspy.LM, threshold: float) -> Job:
    return Job(
        student=student,
        tunable=(PREDICTOR,),
        train=course.examples(course.sides.train),
        val=course.examples(course.sides.val),
        metric=metric,
        feedback=JudgeFeedback(metric),
        proposer=proposer,
        runs=course.runs,
        threshold=threshold,
        seed=course.settings.seed,
        concurrency=course.concurrency,
        stratum=_stratum,
        # Judges are always asked with the same one.
        temperatures=False,
    )


def _stratum(example: dspy.Example) -> Hashable:
    """So that whatever an optimizer draws is balanced too, by what people said and over the judges."""
    return example.judge, example.right


def _student(course: JudgeCourse, judges: Mapping[str, Model], judge: JudgeStage) -> JudgeStudent:
    rules = TryRules(seed=course.settings.seed, max_tokens=course.settings.max_output_tokens)
    return JudgeStudent(judge, judges, rules)


def _ratings(course: JudgeCourse, models: Models, tracer: Tracer, console: Console) -> Ratings:
    """What each reporting judge says of every test answer."""
    answers, judges = course.sides.test, course.settings.report_judges
    console.print(f"proof: {len(answers)} answers, {'before' if tracer is course.tracer else 'after'}")
    student = _student(course, models.report_judges, tracer.judge)
    examples = examples_of(answers, judges, course.settings.judged_correct_from)

    def overall(example: dspy.Example) -> int | None:
        rating: int | None = student(**example.inputs()).verdict.overall
        return rating

    found = in_threads(overall, examples, course.concurrency)
    return {judge: found[number :: len(judges)] for number, judge in enumerate(judges)}


def _report(course: JudgeCourse, compiled: Tracer, proof: JudgeProof, recorder: Recorder, unscored: int) -> JudgeReport:
    settings, sides = course.settings, course.sides
    return JudgeReport(
        **facts_of(settings, recorder, course.tracer, compiled),
        judges=settings.judges,
        report_judges=settings.report_judges,
        data={
            name: _data(answers, settings.judged_correct_from)
            for name, answers in (("train", sides.train), ("val", sides.val), ("test", sides.test))
        },
        proof=proof,
        improved=proof.improved,
        unscored=unscored,
        warnings=warnings_of(proof, sides.test),
    )


def warnings_of(proof: JudgeProof, answers: Sequence[Labelled]) -> list[str]:
    """What a reader of the report should know about its figures."""
    bare = sum(answer.thought is None for answer in answers)
    found = [f"{bare} of {len(answers)} answers came without a thought: how the judges rate thoughts was not measured"]
    found = [*(found if bare else []), *few(proof.questions, "questions")]
    for name, judge in proof.judges.items():
        if judge.after.unscored > judge.before.unscored:
            found.append(
                f"{name} gave no verdict on {judge.after.unscored} answers after, on {judge.before.unscored} before"
            )
    return found


def _data(answers: Sequence[Labelled], correct_from: int) -> dict[str, Any]:
    unique = {answer.id: answer for answer in answers}
    return {
        "answers": len(unique),
        "found right": sum(answer.is_right(correct_from) for answer in unique.values()),
        "questions": len({answer.question_key for answer in answers}),
        "hash": hash_of(unique),
    }
