"""Tuning the stages that write, on texts that are parted by source: never is one paper on two sides."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

import dspy

from optimize.compilation import Compilation, Models
from optimize.measure import Measure, StageMeasure, TraceMeasure
from optimize.program import Student
from optimize.settings import CompileSettings
from optimize.stages import ALL, STAGES, WRITERS, tunable_of
from programs.asking.models import concurrency_of, passage_chars_of
from programs.errors import UserError
from programs.exports.licences import UNKNOWN, licence_of
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample, content_id
from programs.lms.resolve import Model
from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")

Item = TypeVar("Item")
Splits = dict[str, list[Item]]
"""The three sides, `train`, `val` and `test`. No source is on two of them."""

MOST_EXAMPLES, MOST_TESTS = 24, 60
"""Examples to train on, as many to choose by, and sources of the proof, when nothing is said."""


class TextCompilation(Compilation):
    """Tunes stages one after another, or all at once."""

    def __init__(self, settings: CompileSettings) -> None:
        super().__init__(settings, settings.concurrency or concurrency_of(settings.model))
        self.parts, self.whole, self.weights, self.model = settings.stage, ALL, settings.weights, settings.model
        samples = _samples(settings, passage_chars_of(settings.model))
        # One text a source proves, so that what is measured on them is independent.
        splits = split_by(samples, source_key, lambda sample: sample.id, settings, each_test=1)
        self.train, self.val, self.tested = map(examples_of, splits.values())
        self.sources = [source_key(sample) for sample in splits["test"]]
        self._of_no_source = all(source_key(sample) == f"text:{sample.id}" for sample in splits["test"])
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
            before = sum(part != ALL and stage.depth < STAGES[part].depth for stage in STAGES.values())
            of_a_run = 1 if part in self.alone else of_a_trace(self.settings.judges) - before
            # The stages before are asked once an example, and then replayed; the threshold takes a run of each to train on.
            calls += (train + len(self.val)) * before + (runs + train) * of_a_run
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
        if self._of_no_source:
            found.append("no text names its source: passages of one paper may be on both sides")
        return found


def scored_alone(settings: CompileSettings) -> set[str]:
    """The stages that are scored by their own output, so that a try of one asks for that stage alone. The answer is not,
    nor is the trace where somebody judges it, or a metric is named."""
    judged = _judging(settings.weights, settings.judges) > 0 or settings.metric != "composite"
    return {*STAGES} - {*(WRITERS if judged else WRITERS[1:])}


def judge_warnings(settings: CompileSettings) -> list[str]:
    """What a reader of the report should know about its judges."""
    reporting = {*settings.report_judges}
    if not _judging(settings.weights, settings.report_judges):
        return ["no judge took part: the scores are of form, grounding and wording alone, not of truth"]
    found = []
    if not scored_alone(settings).issuperset(settings.stage) and reporting.intersection(settings.judges):
        found.append("the judges that report are those that optimised: the program may have learned to please them")
    return [*found, "the model judges itself"] if settings.model in reporting else found


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
    def example(sample: Sample) -> dspy.Example:
        title, domain = sample.title if sample.title_given else None, sample.domain if sample.domain_given else None
        return dspy.Example(text=sample.text, title=title, domain=domain).with_inputs("text", "title", "domain")

    return [example(sample) for sample in samples]


def split_by(
    items: Sequence[Item],
    source: Callable[[Item], str],
    identity: Callable[[Item], str],
    settings: CompileSettings,
    *,
    each_test: int | None = None,
) -> Splits[Item]:
    """Splits items of any kind by what `source` says of them. `identity` is an item's content; equal ones count once.

    `--num-test` counts sources, each with at most `each_test` items (None: all of them); `--num-train` and `--num-val`
    count items, and no source gives a second before every source of its side gave one. The result depends on the seed and
    on what the items are, not on their order. Sources stand in the order of a hash of the seed and their key, and test
    takes the first, so that items which are added later never take a source from train or val into it. Raises `UserError`,
    with the numbers, where there is too little.
    """

    def place(name: str) -> bytes:
        return hashlib.blake2b(f"{settings.seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

    unique = {identity(item): item for item in sorted(items, key=source, reverse=True)}
    groups = defaultdict[str, list[Item]](list)
    for name in sorted(unique, key=place):
        groups[source(unique[name])].append(unique[name])
    sources = [groups[key] for key in sorted(groups, key=place)]
    number = settings.num_test or max(2, min(MOST_TESTS, len(sources) // 2))
    usual = max(1, min(MOST_EXAMPLES, len(unique) // 4))
    test, rest = sources[:number], sources[number:]
    train, val = settings.num_train or usual, settings.num_val or usual
    cut = max(1, min(val, len(rest) * val // (val + train)))
    while cut < len(rest) - 1 and sum(map(len, rest[:cut])) < val:
        cut += 1
    made = {"train": _spread(rest[cut:], train), "val": _spread(rest[:cut], val)}
    fewest = {"train": settings.num_train or 1, "val": settings.num_val or 1}
    if len(test) < number or any(len(made[side]) < count for side, count in fewest.items()):
        raise UserError(
            f"too little to split: there are {len(sources)} sources (papers, or questions) with {len(unique)} texts; "
            f"--num-test {number} leaves {len(rest)} sources with {sum(map(len, rest))} texts for --num-val {val} and "
            f"--num-train {train}. Ask for fewer, or give more sources."
        )
    return {**made, "test": [item for group in test for item in group[:each_test]]}


def _spread(groups: Sequence[Sequence[Item]], number: int) -> list[Item]:
    """So many items: the first of each group, then the second of each, and so on."""
    return [item for each in zip_longest(*groups) for item in each if item is not None][:number]


def hash_of(names: Iterable[str]) -> str:
    """Tells two sides of a split apart, whatever their order."""
    return content_id("\n".join(sorted(names)))
