"""Tunes the stages that write, on texts that are split by source: no paper is on two sides."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

import dspy

from optimize.compilation import Compilation
from optimize.measure import TraceMeasure
from optimize.program import Student
from optimize.recording import Recorder
from optimize.settings import CompileSettings
from optimize.stages import ALL, TUNABLE, tunable_of
from programs.asking.models import passage_chars_of
from programs.errors import UserError
from programs.exports.licences import UNKNOWN, licence_of
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample, content_id
from programs.lms.resolve import Model
from programs.settings import TracerOptions
from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")

Item = TypeVar("Item")
Splits = dict[str, list[Item]]
"""The three sides, `train`, `val` and `test`. No source is on two of them."""

MAX_EXAMPLES, MAX_TEST_SOURCES = 24, 60
"""The default limits of the examples to train on, of those to validate with, and of the sources in the proof."""


class TextCompilation(Compilation):
    """Tunes stages one after another, or all at once."""

    def __init__(self, settings: CompileSettings) -> None:
        super().__init__(settings)
        self.weights, self.model = settings.weights, settings.model
        samples = _read_trainset(settings, passage_chars_of(settings.model))
        # The proof takes one text per source, so that its measurements are independent.
        splits = split_by(samples, source_key, lambda sample: sample.id, settings, per_test_source=1)
        self.train, self.val, self.tested = map(examples_of, splits.values())
        self.sources = [source_key(sample) for sample in splits["test"]]
        self._sources_unknown = all(source_key(sample) == f"text:{sample.id}" for sample in splits["test"])
        for side, samples in splits.items():
            licences = Counter(licence_of(sample.extra) or UNKNOWN for sample in samples)
            hashed = hash_of(sample.id for sample in samples)
            self.data[side] = {"texts": len(samples), "hash": hashed, "licences": dict(licences.most_common())}

    def max_calls_for(self, runs: int) -> int:
        def per_trace(judges: list[str]) -> int:
            return len(TUNABLE) + _judge_calls(self.weights, judges)

        train, calls = len(self.train), 2 * len(self.tested) * per_trace(self.settings.report_judges)
        for part in self.settings.stage:
            depth = -1 if part == ALL else TUNABLE[part].depth
            replayed = sum(name != part and stage.depth <= depth for name, stage in TUNABLE.items())
            per_run = per_trace(self.settings.judges) - replayed
            # Stages that do not depend on the part are asked once per example and then replayed. The threshold takes one
            # run per training example.
            calls += (train + len(self.val)) * replayed + (runs + train) * per_run
            calls += runs + 8 * len(tunable_of(part))  # by the proposer
        return calls

    def student(self, part: str, tracer: Tracer, recorder: Recorder, judges: Mapping[str, Model]) -> Student:
        measure = TraceMeasure(self.weights, judges, self.rules)
        options = TracerOptions(setting=self.settings.setting)
        return Student(tracer, tunable_of(part), recorder, options, self.table.main.options, self.rules, measure)

    def report_warnings(self) -> list[str]:
        warnings = judge_warnings(self.settings)
        if self._sources_unknown:
            warnings.append("no text names its source: passages of one paper may be on several sides of the split")
        return warnings


def judge_warnings(settings: CompileSettings) -> list[str]:
    """Warnings about the judges for the reader of the report."""
    reporting = {*settings.report_judges}
    if not _judge_calls(settings.weights, settings.report_judges):
        return ["no judge took part: the scores measure form, grounding and wording, not truth"]
    warnings = []
    if reporting.intersection(settings.judges):
        warnings.append("judges of the proof also judged while tuning: the program may have learned to please them")
    return [*warnings, "the model judges itself"] if settings.model in reporting else warnings


def _judge_calls(weights: dict[str, float], judges: list[str]) -> int:
    return (len(judges) if "judge" in weights else 0) + (1 if judges and "grades" in weights else 0)


def _read_trainset(settings: CompileSettings, limit: int) -> list[Sample]:
    report = ReadReport()
    samples = list(read_samples(settings.trainset, max_chars=limit, report=report))
    reasons = ", ".join(f"{why} ({report.first_examples[why]})" for why in report.skipped)
    if not samples:
        raise UserError(f"--trainset has no usable text{f': {reasons}' if reasons else ''}")
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
    per_test_source: int | None = None,
) -> Splits[Item]:
    """Splits items of any kind by their `source`. Items with the same `identity` (by their content) count once.

    `--num-test` counts sources, each with at most `per_test_source` items (None: all). `--num-train` and `--num-val`
    count items, and no source gives a second one before every source of its side has given one. The result depends on the
    seed and on the items, not on their order. Sources are ordered by a hash of the seed and their key, and test takes the
    first ones, so that with the same `--num-test` items added later never move a source from train or val to test. Raises
    `UserError`, with the numbers, if there are too few.
    """

    def hashed(name: str) -> bytes:
        return hashlib.blake2b(f"{settings.seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

    unique = {identity(item): item for item in sorted(items, key=source, reverse=True)}
    groups = defaultdict[str, list[Item]](list)
    for name in sorted(unique, key=hashed):
        groups[source(unique[name])].append(unique[name])
    sources = [groups[key] for key in sorted(groups, key=hashed)]
    num_test = settings.num_test or max(2, min(MAX_TEST_SOURCES, len(sources) // 2))
    default = max(1, min(MAX_EXAMPLES, len(unique) // 4))
    test, rest = sources[:num_test], sources[num_test:]
    train, val = settings.num_train or default, settings.num_val or default
    cut = max(1, min(val, len(rest) * val // (val + train)))
    while cut < len(rest) - 1 and sum(map(len, rest[:cut])) < val:
        cut += 1
    sides = {"train": _round_robin(rest[cut:], train), "val": _round_robin(rest[:cut], val)}
    minimum = {"train": settings.num_train or 1, "val": settings.num_val or 1}
    if len(test) < num_test or any(len(sides[side]) < count for side, count in minimum.items()):
        raise UserError(
            f"too few to split: there are {len(sources)} sources (papers, or questions) with {len(unique)} texts; "
            f"--num-test {num_test} leaves {len(rest)} sources with {sum(map(len, rest))} texts for --num-val {val} and "
            f"--num-train {train}. Ask for fewer, or add sources."
        )
    return {**sides, "test": [item for group in test for item in group[:per_test_source]]}


def _round_robin(groups: Sequence[Sequence[Item]], number: int) -> list[Item]:
    return [item for turn in zip_longest(*groups) for item in turn if item is not None][:number]


def hash_of(names: Iterable[str]) -> str:
    """A hash of the names, whatever their order."""
    return content_id("\n".join(sorted(names)))
