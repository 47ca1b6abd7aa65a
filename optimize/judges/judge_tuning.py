"""Tuning the judges' prompt: from the settings of a compilation to the folder with the program whose judges agree better
with people, if that could be done."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dspy
from rich.console import Console

from optimize.compilation import few, runs_within
from optimize.job import Job, Optimizer, in_threads, most_proposals
from optimize.judges.judge_cases import divided, examples_of
from optimize.judges.judge_measure import BALANCED, JudgeMetric, Ratings, prove_judges
from optimize.judges.judge_student import PREDICTOR, JudgeStudent
from optimize.models import Models, table_of
from optimize.optimizers import OPTIMIZERS
from optimize.proof import Proof
from optimize.recording.recorder import Recorder
from optimize.report import Report, facts_of, hash_of, verdict, warned, write_report
from optimize.settings import RUNS_A_BUDGET, CompileSettings
from optimize.splits import Splits
from optimize.stages import JUDGE
from optimize.workspace import workspace
from programs.asking.caller import TryRules
from programs.asking.models import concurrency_of
from programs.compiled import identity_at, identity_of, write_program
from programs.judges.labels import Labelled, read_labels
from programs.lms.resolve import Model
from programs.tracer import Tracer, load_tracer

WORST_DEMONSTRATION = 0.5
"""A verdict that agrees less with people is never shown as an example."""

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class JudgeCompilation:
    """A tuning of the judges that is about to begin, with so many `runs` of one judge on one answer. `skipped` says why how
    many records were left out."""

    settings: CompileSettings
    optimizer: Optimizer
    splits: Splits[Labelled]
    skipped: Mapping[str, int]
    tracer: Tracer
    runs: int
    concurrency: int

    def examples(self, answers: Sequence[Labelled]) -> list[dspy.Example]:
        """The examples of a side for the judges that optimise."""
        return examples_of(answers, self.settings.judges, self.settings.judged_correct_from)

    def student(self, tracer: Tracer, judges: Mapping[str, Model]) -> JudgeStudent:
        """The judge of a program."""
        rules = TryRules(seed=self.settings.seed, max_tokens=self.settings.max_output_tokens)
        return JudgeStudent(tracer.judge, judges, rules)


def prepared(settings: CompileSettings) -> JudgeCompilation:
    """Reads the labelled answers and divides the budget. Asks nothing. Raises `UserError`."""
    table = table_of(settings)
    labels = read_labels(*settings.trainset)
    splits = divided(labels.answers, settings)
    judges = [table.named(name) for name in (*settings.judges, *settings.report_judges)]
    compilation = JudgeCompilation(
        settings=settings,
        optimizer=OPTIMIZERS[settings.optimizer],
        splits=splits,
        skipped=labels.skipped,
        tracer=load_tracer(settings.program, prompt_order=settings.prompt_order),
        runs=RUNS_A_BUDGET[settings.budget] * len(settings.judges) * (len(splits.train) + len(splits.val)) // 2,
        concurrency=settings.concurrency or min(map(concurrency_of, judges)),
    )
    runs = runs_within(
        settings.max_calls, compilation.runs, lambda runs: calls_at_most(replace(compilation, runs=runs))
    )
    return replace(compilation, runs=runs)


def calls_at_most(compilation: JudgeCompilation) -> dict[str, int]:
    """Calls by part: the tuning, and the proof. From above, but for what is asked again."""
    settings, splits = compilation.settings, compilation.splits
    # The training answers are judged once more, since their mean score is the threshold.
    runs = compilation.runs + len(settings.judges) * len(splits.train)
    tuning = runs + most_proposals(compilation.runs, predictors=1)
    return {f"tuning {JUDGE}": tuning, "proof": 2 * len(splits.test) * len(settings.report_judges)}


def tune(compilation: JudgeCompilation, console: Console) -> Report:
    """Tunes, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    settings, splits = compilation.settings, compilation.splits
    for reason, count in compilation.skipped.items():
        console.print(f"{count} records left out: {reason}")
    with workspace(
        settings, hash_of(one.id for side in SIDES for one in getattr(splits, side)), console, compilation.concurrency
    ) as opened:
        models, recorder = opened
        compiled, unscored = _compiled(compilation, models, recorder, console)
        before, after = (_ratings(compilation, models, tracer, console) for tracer in (compilation.tracer, compiled))
        correct_from = settings.judged_correct_from
        proof = prove_judges(splits.test, before, after, correct_from=correct_from, seed=settings.seed)
        report = _report(compilation, compiled, proof, recorder, unscored)
    # The stages that write are what they were, and so is the model that they were compiled for.
    made_for = None if settings.program is None else identity_at(settings.program).model
    identity = identity_of(compiled, model=made_for, prompt_order=settings.prompt_order)
    write_program(compiled, settings.output / "program.json", identity)
    write_report(report, settings.output)
    for line in (verdict(report), *warned(report)):
        console.print(line)
    return report


def _compiled(
    compilation: JudgeCompilation, models: Models, recorder: Recorder, console: Console
) -> tuple[Tracer, int]:
    """The tracer with the tuned judge, and how many examples had no score."""
    console.print(f"tuning {JUDGE} with {compilation.optimizer.name}")
    settings, splits = compilation.settings, compilation.splits
    metric = JudgeMetric(settings.judged_correct_from)
    student = compilation.student(compilation.tracer.deepcopy(), models.judges)
    train = compilation.examples(splits.train)
    threshold = _threshold(train, student, metric, compilation.concurrency)
    recorder.check_answered("no judge gave a rating")
    job = Job(
        student=student,
        tunable=(PREDICTOR,),
        train=train,
        val=compilation.examples(splits.val),
        metric=metric,
        feedback=metric.feedback,
        proposer=models.proposer.lm,
        runs=compilation.runs,
        threshold=threshold,
        seed=settings.seed,
        concurrency=compilation.concurrency,
        stratum=_stratum,
        # Judges are always asked with the same one.
        temperatures=False,
    )
    tuned = compilation.optimizer.compile(job)
    if recorder.failure is not None:
        # An optimizer may take an error for a score and come to its end.
        raise recorder.failure
    tracer = compilation.tracer.deepcopy()
    tracer.judge = tuned.judge
    return tracer, metric.unscored


def _stratum(example: dspy.Example) -> Hashable:
    """So that whatever an optimizer draws is balanced too, by what people said and over the judges."""
    return example.judge, example.right


def _threshold(train: Sequence[dspy.Example], student: JudgeStudent, metric: JudgeMetric, threads: int) -> float:
    """From which agreement on a verdict is shown as an example: what is usual, but no less than the worst there may be."""
    scores = in_threads(lambda example: metric.score(example, student(**example.inputs())).value, train, threads)
    known = [value for value in scores if value is not None] or [1.0]
    # The mean of equal numbers can come out above them.
    return max(WORST_DEMONSTRATION, min(max(known), sum(known) / len(known)))


def _ratings(compilation: JudgeCompilation, models: Models, tracer: Tracer, console: Console) -> Ratings:
    """What each reporting judge says of every test answer."""
    answers, settings = compilation.splits.test, compilation.settings
    console.print(f"proof: {len(answers)} answers, {'before' if tracer is compilation.tracer else 'after'}")
    student = compilation.student(tracer, models.report_judges)
    examples = examples_of(answers, settings.report_judges, settings.judged_correct_from)
    found = in_threads(lambda example: student(**example.inputs()).verdict.overall, examples, compilation.concurrency)
    return {judge: found[number :: len(settings.report_judges)] for number, judge in enumerate(settings.report_judges)}


def _report(compilation: JudgeCompilation, compiled: Tracer, proof: Proof, recorder: Recorder, unscored: int) -> Report:
    settings, splits = compilation.settings, compilation.splits
    facts = facts_of(settings, recorder, compilation.tracer, compiled)
    return Report(
        **facts,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights={BALANCED: 1.0},
        data={name: _data(getattr(splits, name), settings.judged_correct_from) for name in SIDES},
        proof=proof,
        improved=proof.improved,
        unscored=unscored,
        warnings=warnings_of(proof, splits.test),
    )


def warnings_of(proof: Proof, answers: Sequence[Labelled]) -> list[str]:
    """What a reader of the report should know about its figures."""
    bare = sum(answer.thought is None for answer in answers)
    found = [f"{bare} of {len(answers)} answers came without a thought: how the judges rate thoughts was not measured"]
    found = [*(found if bare else []), *few(len({answer.question_key for answer in answers}), "questions")]
    return found + [
        f"{name} gave no verdict on {silent.failed_after} answers after, on {silent.failed_before} before"
        for name, silent in proof.stages.items()
        if silent.failed_after > silent.failed_before
    ]


def _data(answers: Sequence[Labelled], correct_from: int) -> dict[str, Any]:
    unique = {answer.id: answer for answer in answers}
    return {
        "answers": len(unique),
        "found right": sum(answer.is_right(correct_from) for answer in unique.values()),
        "questions": len({answer.question_key for answer in answers}),
        "hash": hash_of(unique),
    }
