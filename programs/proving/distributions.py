"""Tier 0: how the traces are distributed, without a model. What all have in common is what a student learns first.

Diversity is measured on a seeded sample of a fixed size, since it depends on the size, and so that memory is bounded.
"""

import contextlib
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel

from programs.errors import UserError
from programs.exports.benchmarks import Benchmarks
from programs.proving.examples import sampled
from programs.records import Record
from programs.statistics.counts import Spread
from programs.statistics.thought_counts import QUANTILES, ThoughtCount, cautions_of
from programs.text.copying import copied_share
from programs.text.thought import bare_thought
from programs.text.words import runs

SAMPLE = 500
DIMENSIONS = 4096
_WORD = re.compile(r"\w+")


class GivenAway(BaseModel):
    """A trace that has a question of a given file in its words: which part of it, and where that question stands."""

    id: str
    part: str
    file: str
    line: int
    question: str


class Distributions(BaseModel):
    """Tier 0. Shares are of all traces; `distinct` (by n) and `vendi` are over `sampled` thoughts; `words` holds quantiles
    of lengths; `copied` is the mean share of a thought's words that stand in its passage twelve in a row; `contaminated`
    is None where no file was given."""

    traces: int
    papers: int
    types: dict[str, int]
    levels: dict[str, int]
    shapes: dict[str, int]
    kinds: dict[str, int]
    openings: dict[str, int]
    sequences: dict[str, int]
    words: dict[str, dict[str, int]]
    needs_passage: float
    copied: float | None
    sampled: int
    distinct: dict[str, float]
    vendi: float
    cautions: list[str]
    contaminated: list[GivenAway] | None = None


class DistributionCount:
    """Counts traces as they pass by."""

    def __init__(self, against: Benchmarks | None) -> None:
        self._against, self._given_away = against, list[GivenAway]()
        self._counts = {name: Counter[str]() for name in ("types", "levels", "papers")}
        self._words = {name: Spread() for name in ("question", "thought", "answer")}
        self._thoughts, self._copied = ThoughtCount(), Spread(3)

    def add(self, record: Record, paper: str) -> None:
        """Counts one trace of a paper."""
        asked, thought = record.user_interaction, bare_thought(record.reasoning_trace)
        for name, value in (("types", asked.question_type), ("levels", asked.difficulty_level), ("papers", paper)):
            self._counts[name][value] += 1
        texts = {"question": asked.question, "thought": thought, "answer": record.final_answer}
        for name, text in texts.items():
            self._words[name].add(len(text.split()))
        self._thoughts.add(record)
        if record.source_paper.text:
            self._copied.add(copied_share(thought, record.source_paper.text))
        if self._against is not None:
            held = ((part, self._against.question_in(text)) for part, text in texts.items())
            self._given_away += [_given_away(record, part, *one) for part, one in held if one is not None]

    def result(self, sample: Sequence[str]) -> Distributions:
        """What was counted, with the diversity of a sample of the thoughts. Raises `UserError` where nothing was."""
        thoughts = self._thoughts.result()
        if thoughts is None:
            raise UserError("the document holds no trace")
        words = {
            name: {f"{share:.0%}": int(spread.quantile(share) or 0) for share in QUANTILES}
            for name, spread in self._words.items()
        }
        return Distributions(
            traces=thoughts.traces,
            papers=len(self._counts["papers"]),
            types=dict(self._counts["types"].most_common()),
            levels=dict(self._counts["levels"].most_common()),
            shapes=thoughts.shapes,
            kinds={name: count.paragraphs for name, count in thoughts.kinds.items()},
            openings=thoughts.openings,
            sequences=thoughts.sequences,
            words=words,
            needs_passage=thoughts.needing_passage / thoughts.traces,
            copied=self._copied.mean,
            sampled=len(sample),
            distinct={str(n): distinct_share(sample, n) for n in (1, 2, 3, 4)},
            vendi=vendi_score(sample),
            cautions=[*cautions_of(thoughts)],
            contaminated=None if self._against is None else self._given_away,
        )


def _given_away(record: Record, part: str, place: str, question: str) -> GivenAway:
    file, _, line = place.rpartition(":")
    return GivenAway(id=record.id or record.unit, part=part, file=file, line=int(line), question=question)


def distributions(traces: Iterable[tuple[Record, str]], against: Sequence[str], seed: int) -> Distributions:
    """Tier 0 of records, each with its paper, read once. Raises `UserError`."""
    with contextlib.closing(sqlite3.connect("")) as database:
        questions = Benchmarks(database) if against else None
        if questions is not None:
            questions.read(against, "--against")
        counted = DistributionCount(questions)

        def passing() -> Iterable[Record]:
            for record, paper in traces:
                counted.add(record, paper)
                yield record

        sample = [bare_thought(record.reasoning_trace) for record in sampled(passing(), SAMPLE, seed)]
    return counted.result(sample)


def distinct_share(texts: Sequence[str], n: int) -> float:
    """The share of different ones among the runs of n words in all texts (distinct-n; Li et al. 2016, arXiv 1510.03055)."""
    found = [run for text in texts for run in runs(_WORD.findall(text.lower()), n)]
    return len({*found}) / len(found) if found else 0.0


def vendi_score(texts: Sequence[str]) -> float:
    """How many different texts there are in effect: 1 where all are alike, their number where none has anything in common
    with another (Friedman and Dieng 2023, arXiv 2210.02410). The exponential of the entropy of the eigenvalues of K / n,
    where K holds the cosines of the texts' counts of words and pairs of words, hashed into DIMENSIONS."""
    if not texts:
        return 0.0
    rows = np.zeros((len(texts), DIMENSIONS))
    for row, text in zip(rows, texts, strict=True):
        words = _WORD.findall(text.lower())
        for part in (*words, *map(" ".join, runs(words, 2))):
            row[zlib.crc32(part.encode()) % DIMENSIONS] += 1
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    found = np.linalg.eigvalsh(rows @ rows.T / len(texts))
    found = found[found > 1e-12]
    return float(np.exp(-(found * np.log(found)).sum()))
