"""Tuning the stages that write: texts parted by source, what a compilation of them costs, and its proof."""

import logging
from collections import Counter
from collections.abc import Sequence

import dspy

from optimize.compilation import Compilation, Models
from optimize.measure import Measure, StageMeasure, TraceMeasure
from optimize.program import Student
from optimize.settings import CompileSettings
from optimize.splits import hash_of, split_by
from optimize.stages import ALL, STAGES, WRITERS, tunable_of
from programs.asking.models import concurrency_of, passage_chars_of
from programs.errors import UserError
from programs.exports.licences import UNKNOWN, licence_of
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.lms.resolve import Model
from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")


class TextCompilation(Compilation):
    """Tunes stages one after another, or all at once, on texts that are parted by source."""

    def __init__(self, settings: CompileSettings) -> None:
        super().__init__(settings, settings.concurrency or concurrency_of(settings.model))
        self.parts, self.whole, self.weights, self.model = settings.stage, ALL, settings.weights, settings.model
        samples = _samples(settings, passage_chars_of(settings.model))
        # One text a source proves, so that what is measured on them is independent.
        splits = split_by(samples, source_key, lambda sample: sample.id, settings, each_test=1)
        self.train, self.val, self.tested = map(examples_of, splits.values())
        self.sources = [source_key(sample) for sample in splits["test"]]
        self.alone = scored_alone(settings)
        for side, samples in splits.items():
            licences = Counter(licence_of(sample.extra) or UNKNOWN for sample in samples)
            hashed = hash_of(sample.id for sample in samples)
            self.data[side] = {"texts": len(samples), "hash": hashed, "licences": dict(licences.most_common())}

    def calls_at_most(self, runs: int) -> int:
        def of_a_trace(judges: list[str]) -> int:
            return len(STAGES) + _judging(self.weights, judges)

        train, calls = len(self.train), 2 * len(self.tested) * of_a_trace(self.settings.report_judges)
        for part in self.parts:
            of_a_run = 1 if part in self.alone else of_a_trace(self.settings.judges)
            # The stages before are asked once an example, and then replayed; the threshold takes a run of each to train on.
            calls += (train + len(self.val)) * len(STAGES) + (runs + train) * of_a_run
            # What a proposer is asked.
            calls += runs + 8 * len(tunable_of(part))
        return calls

    def student(self, part: str, tracer: Tracer, models: Models) -> Student:
        until, options = part if part in self.alone else None, models.student.options
        return Student(tracer, tunable_of(part), models.recorder, options, self.rules, until)

    def measure(self, part: str, judges: dict[str, Model]) -> Measure:
        return StageMeasure(part) if part in self.alone else TraceMeasure(self.weights, judges, self.rules)

    def cautions(self) -> list[str]:
        found = judge_warnings(self.settings)
        if all(source.startswith("text:") for source in self.sources):
            found.append("no text names its source: passages of one paper may be on both sides")
        return found


def scored_alone(settings: CompileSettings) -> set[str]:
    """The stages that are scored by their own output, so that a try of one asks for that stage alone. The answer is not,
    nor is the trace where somebody judges it, or a metric is named."""
    judged = _judging(settings.weights, settings.judges) > 0 or settings.metric != "composite"
    return {*STAGES} - {*(WRITERS if judged else WRITERS[1:])}


def judge_warnings(settings: CompileSettings) -> list[str]:
    """What a reader of the report should know about its judges."""
    if not _judging(settings.weights, settings.report_judges):
        return ["no judge took part: the scores are of form, grounding and wording alone, not of truth"]
    found = []
    judged = not {*settings.stage} <= scored_alone(settings)
    if judged and {*settings.report_judges} & {*settings.judges}:
        found.append("the judges that report are those that optimised: the program may have learned to please them")
    if settings.model in settings.report_judges:
        found.append("the model judges itself")
    return found


def _judging(weights: dict[str, float], judges: list[str]) -> int:
    """Calls that judge and grade one trace."""
    return (len(judges) if "judge" in weights else 0) + (1 if judges and "grades" in weights else 0)


def _samples(settings: CompileSettings, limit: int) -> list[Sample]:
    report = ReadReport()
    samples = list(read_samples(settings.trainset, max_chars=limit, report=report))
    reasons = ", ".join(f"{why} ({report.first_examples[why]})" for why in report.skipped)
    if not samples:
        raise UserError(f"--trainset: there is no text in it{f': {reasons}' if reasons else ''}")
    if reasons:
        log.warning("--trainset: %d lines were skipped: %s", report.skipped_lines, reasons)
    return samples


def examples_of(samples: Sequence[Sample]) -> list[dspy.Example]:
    return [
        dspy.Example(
            text=sample.text,
            title=sample.title if sample.title_given else None,
            domain=sample.domain if sample.domain_given else None,
        ).with_inputs("text", "title", "domain")
        for sample in samples
    ]
