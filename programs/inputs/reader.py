"""Samples of a whole input: many files, each text once, none too long."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from programs.checks.sentences import cut_at_sentence
from programs.inputs.jsonl import step_jsonl
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.seen import Seen
from programs.inputs.shard import Shard
from programs.inputs.sources import expand


def read_samples(
    patterns: Sequence[str],
    *,
    max_chars: int | None,
    report: ReadReport,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
) -> Iterator[Sample]:
    """The samples of all files that the patterns mean, lazily, each text once over the whole input.

    A text longer than `max_chars` characters (None: no limit) is cut at the end of a sentence; its id stays that of
    the uncut text. Lines whose `line_id` is in `done` are passed over unread, texts that are not of `shard` (None: all
    are) are passed over. `prefilter` leaves out what there is nothing to ask about. `report` counts while samples are
    drawn.
    Memory: one line, and 16 to 32 bytes a sample to know duplicates by (17 MB for 1,000,000).
    Raises UserError at once, not at the first sample, for files that are missing or cannot be read.
    """
    steps = step_samples(patterns, max_chars=max_chars, report=report, done=done, shard=shard, prefilter=prefilter)
    return (sample for sample in steps if sample is not None)


def step_samples(
    patterns: Sequence[str],
    *,
    max_chars: int | None,
    report: ReadReport,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
) -> Iterator[Sample | None]:
    """As `read_samples`, with a None for every line that gives no sample: between two samples there may be millions of
    lines, during which a reader can look up."""
    return _read(expand(patterns), max_chars, report, done, shard, prefilter)


def _read(
    paths: Sequence[Path],
    max_chars: int | None,
    report: ReadReport,
    done: Container[str],
    shard: Shard | None,
    prefilter: bool,
) -> Iterator[Sample | None]:
    seen = Seen()
    for path in paths:
        for sample in step_jsonl(path, report, seen=seen, done=done, shard=shard, prefilter=prefilter):
            if sample is not None and max_chars is not None and len(sample.text) > max_chars:
                report.cut += 1
                yield _cut(sample, max_chars)
            else:
                yield sample


def _cut(sample: Sample, max_chars: int) -> Sample:
    text = cut_at_sentence(sample.text, max_chars)
    return sample.model_copy(update={"text": text, "cut_from": len(sample.text)})
