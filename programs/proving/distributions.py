"""Tier 0: how the traces are distributed, without a model. A student first learns what all traces have in common.
Measures of diversity depend on the number of texts, so they use a seeded sample of a fixed size."""

import contextlib
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from pydantic import BaseModel

from programs.errors import UserError
from programs.exports.benchmarks import Benchmarks
from programs.inputs.papers import source_key
from programs.proving.examples import draw_sample, trace_name
from programs.records import Record
from programs.schema import ThoughtDistributions
from programs.statistics.counts import Spread
from programs.statistics.thought_counts import ThoughtCount, cautions_of, quantiles
from programs.text.copying import copied_share
from programs.text.thought import bare_thought
from programs.text.words import ngrams

SAMPLE_SIZE, DIMENSIONS = 500, 4096
_WORD = re.compile(r"\w+")


class Leak(BaseModel):
    """A trace whose question, thought or answer (`part`) shares an n-gram with a question of a given file, at `place`."""

    id: str
    part: str
    place: str


class Distributions(BaseModel):
    """The result of tier 0. `words`: quantiles of lengths; `copied`: the mean share of a thought's words in runs of twelve
    from its passage; `distinct` (by n) and `vendi` are over `sampled` thoughts; `given_away` is None without a file."""

    papers: int
    types: dict[str, int]
    levels: dict[str, int]
    thoughts: ThoughtDistributions
    words: dict[str, dict[str, int]]
    copied: float | None
    sampled: int
    distinct: dict[int, float]
    vendi: float
    cautions: list[str]
    given_away: list[Leak] | None


def distributions(traces: Iterable[Record], against: Sequence[str], seed: int) -> Distributions:
    """Tier 0 of the traces, in one pass. Raises `UserError` if there are none, or if a file of `against` is unusable."""
    papers = set[str]()
    types, levels = Counter[str](), Counter[str]()
    questions, copied = Spread(), Spread()
    thought_count, leaks = ThoughtCount(), list[Leak]()

    def count_thoughts(benchmarks: Benchmarks) -> Iterator[tuple[str, str]]:
        for record in traces:
            asked, thought = record.user_interaction, bare_thought(record.reasoning_trace)
            name = trace_name(record)
            papers.add(source_key(record.source_paper))
            types[asked.question_type] += 1
            levels[asked.difficulty_level] += 1
            questions.add(len(asked.question.split()))
            thought_count.add(record)
            if record.source_paper.text:
                copied.add(copied_share(thought, record.source_paper.text))
            for part, text in {"question": asked.question, "thought": thought, "answer": record.final_answer}.items():
                if place := benchmarks.overlap_place(text):
                    leaks.append(Leak(id=name, part=part, place=place))
            yield name, thought

    with contextlib.closing(sqlite3.connect("")) as database:
        benchmarks = Benchmarks(database)
        if against:
            benchmarks.read(against, "--against")
        sample = draw_sample(count_thoughts(benchmarks), SAMPLE_SIZE, seed)
    if (thoughts := thought_count.result()) is None:
        raise UserError("the document holds no traces")
    return Distributions(
        papers=len(papers),
        types=dict(types.most_common()),
        levels=dict(levels.most_common()),
        thoughts=thoughts,
        words={"question": quantiles(questions), "answer": thoughts.answer_words},
        copied=copied.mean,
        sampled=len(sample),
        distinct={n: distinct_share(sample, n) for n in (1, 2)},
        vendi=vendi_score(sample),
        cautions=[*cautions_of(thoughts)],
        given_away=leaks if against else None,
    )


def distinct_share(texts: Sequence[str], n: int) -> float:
    """The share of distinct ones among all runs of n words in the texts (distinct-n; Li et al. 2016, arXiv 1510.03055)."""
    all_runs = [run for text in texts for run in ngrams(_WORD.findall(text.lower()), n)]
    return len({*all_runs}) / len(all_runs) if all_runs else 0.0


def vendi_score(texts: Sequence[str]) -> float:
    """The effective number of different texts: 1 if all are alike, their number if no two have anything in common (Friedman
    and Dieng 2023, arXiv 2210.02410). It is the exponential of the entropy of the eigenvalues of K / n, where K holds the
    cosine similarities of the texts' counts of words and word pairs, hashed into DIMENSIONS."""
    rows = np.zeros((len(texts), DIMENSIONS))
    for row, text in zip(rows, texts, strict=True):
        words = _WORD.findall(text.lower())
        for term in (*words, *map(" ".join, ngrams(words, 2))):
            row[zlib.crc32(term.encode()) % DIMENSIONS] += 1
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    eigenvalues = np.linalg.eigvalsh(rows @ rows.T / len(texts))
    eigenvalues = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(eigenvalues * np.log(eigenvalues)).sum()))
