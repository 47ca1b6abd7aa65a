"""Tuning the stages that write: from the settings of a compilation to the folder with the compiled program."""

from collections.abc import Iterable
from typing import Any

import dspy
from rich.console import Console

from optimize.compilation import Compilation, doubts_of, tunable_of, warnings_of
from optimize.feedback import Feedback
from optimize.job import Job
from optimize.measure import Measure, Measured, Measuring, OptimizerMetric, StageMeasure
from optimize.models import Models
from optimize.proof import measure_all, prove
from optimize.recording.recorder import Recorder
from optimize.report import Report, facts_of, hash_of, verdict, warned, write_report
from optimize.stages import STAGES, WRITERS
from optimize.student import Student
from optimize.workspace import workspace
from programs.asking.caller import TryRules, options_of
from programs.compiled import identity_of, write_program
from programs.inputs.sample import Sample
from programs.tracer import Tracer

SIDES = ("train", "val", "test")


def tune(compilation: Compilation, console: Console) -> Report:
    """Compiles, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    settings = compilation.settings
    texts = hash_of(sample.id for side in SIDES for sample in getattr(compilation.splits, side))
    with workspace(settings, texts, console, compilation.concurrency) as (models, recorder):
        before = proven(compilation, models, compilation.tracer, console)
        recorder.check_answered(before[0].score.reason)
        compiled, unscored = _compiled(compilation, models, recorder, console)
        after = proven(compilation, models, compiled, console)
        report = _report(compilation, compiled, (before, after), recorder, unscored)
    identity = identity_of(compiled, model=settings.model, prompt_order=settings.prompt_order)
    write_program(compiled, settings.output / "program.json", identity)
    write_report(report, settings.output)
    for line in (verdict(report), *warned(report)):
        console.print(line)
    return report


def _compiled(compilation: Compilation, models: Models, recorder: Recorder, console: Console) -> tuple[Tracer, int]:
    """The tracer with every stage tuned, one after another, and how many examples had no score."""
    tracer, unscored = compilation.tracer, 0
    for stage in compilation.settings.stage:
        console.print(f"tuning {stage} with {compilation.optimizer.name}")
        local = stage in STAGES and stage not in WRITERS
        measure = StageMeasure(stage) if local else _measure(compilation, models.judges)
        student = _student(compilation, models, tracer.deepcopy(), until=stage if local else None)
        usual = _usual_scores(compilation, student, measure)
        metric = OptimizerMetric(measure, worst=min(usual, default=0.0))
        tuned = compilation.optimizer.compile(_job(compilation, stage, student, metric, models, usual))
        if recorder.failure is not None:
            # An optimizer may take an error for a score and come to its end.
            raise recorder.failure
        tracer = Tracer(tuned.questions, tuned.strands, tuned.writer)
        tracer.judge, tracer.grader = compilation.tracer.judge, compilation.tracer.grader
        unscored += metric.unscored
    return tracer, unscored


def _usual_scores(compilation: Compilation, student: Student, measure: Measuring) -> list[float]:
    """What the unchanged program scores on the training texts, as far as it can be measured."""
    found = measure_all(student, _examples(compilation.splits.train), measure, compilation.concurrency)
    return [measured.score.value for measured in found if measured.score.value is not None]


def _job(
    compilation: Compilation, stage: str, student: Student, metric: OptimizerMetric, models: Models, usual: list[float]
) -> Job:
    known = usual or [1.0]
    return Job(
        student=student,
        tunable=tunable_of(stage),
        train=_examples(compilation.splits.train),
        val=_examples(compilation.splits.val),
        metric=metric,
        feedback=Feedback(metric),
        proposer=models.proposer.lm,
        runs=compilation.runs,
        # Better than usual is good enough to be shown, whatever is usual for a model.
        threshold=min(max(known), sum(known) / len(known)),
        seed=compilation.settings.seed,
        concurrency=compilation.concurrency,
    )


def proven(compilation: Compilation, models: Models, tracer: Tracer, console: Console) -> list[Measured]:
    """What a program makes of the texts of the proof. Raises `BackendError` when a model is gone."""
    which = "before" if tracer is compilation.tracer else "after"
    console.print(f"proof: {len(compilation.splits.test)} texts, {which}")
    student = _student(compilation, models, tracer)
    return measure_all(
        student,
        _examples(compilation.splits.test),
        _measure(compilation, models.report_judges),
        compilation.concurrency,
    )


def _student(compilation: Compilation, models: Models, tracer: Tracer, until: str | None = None) -> Student:
    return Student(tracer, options_of(models.student), _rules(compilation), until)


def _rules(compilation: Compilation) -> TryRules:
    return TryRules(seed=compilation.settings.seed, max_tokens=compilation.settings.max_output_tokens)


def _measure(compilation: Compilation, judges: dict[str, Any]) -> Measure:
    return Measure(compilation.settings.weights, judges, next(iter(judges.values()), None), _rules(compilation))


def _examples(samples: Iterable[Sample]) -> list[dspy.Example]:
    return [
        dspy.Example(
            text=sample.text,
            title=sample.title if sample.title_given else None,
            domain=sample.domain if sample.domain_given else None,
        ).with_inputs("text", "title", "domain")
        for sample in samples
    ]


def _report(
    compilation: Compilation,
    compiled: Tracer,
    measured: tuple[list[Measured], list[Measured]],
    recorder: Recorder,
    unscored: int,
) -> Report:
    settings = compilation.settings
    proof = prove(*measured, seed=settings.seed, weights=settings.weights)
    facts = facts_of(settings, recorder, compilation.tracer, compiled)
    changed = any(tuned.changed for tuned in facts["predictors"].values())
    return Report(
        **facts,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights=settings.weights,
        data={side: _data(getattr(compilation.splits, side)) for side in SIDES},
        proof=proof,
        improved=changed and proof.improved,
        unscored=unscored,
        warnings=[*warnings_of(compilation), *doubts_of(compilation, proof)],
    )


def _data(samples: list[Sample]) -> dict[str, Any]:
    return {"texts": len(samples), "hash": hash_of(sample.id for sample in samples)}
