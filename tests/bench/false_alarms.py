"""How often the rules call contradicted what a passage itself says.

python -m tests.bench.false_alarms FILE...

A FILE holds one JSON object a line with its passage: `text`, or `abstract_sentences`. Each different passage counts once.

    the rest      each sentence of SHORTEST characters and more, against its passage without it: what an author says beside
                  it has no reason to contradict it. Of those that found a quote.
    the whole     the same sentences against the whole passage, in which they stand word for word
    clauses       what stands before the first comma of a sentence, if that has SHORTEST characters, against the whole
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from programs.checks.passage_search import Source
from programs.checks.sentences import split
from programs.checks.step_evidence import StepEvidence, step_evidence
from programs.cli.options import run_cli
from programs.errors import UserError

SHORTEST = 40

AGAINST = ("the rest", "the whole", "clauses")


def found_in(passage: str) -> Iterator[tuple[str, StepEvidence]]:
    """Against what, and what was found, for each sentence and clause of a passage."""
    whole = _source(passage)
    for span in whole.spans:
        sentence = passage[span.start : span.end]
        if len(sentence) < SHORTEST:
            continue
        yield "the rest", step_evidence(sentence, _source(f"{passage[: span.start]} {passage[span.end :]}"))
        yield "the whole", step_evidence(sentence, whole)
        clause, comma, _ = sentence.partition(",")
        if comma and len(clause) >= SHORTEST:
            yield "clauses", step_evidence(f"{clause}.", whole)


def counted(passages: Iterable[str]) -> dict[str, tuple[int, int]]:
    """How many found a quote, and how many of them one that contradicts them, by what they were held against."""
    counts = dict.fromkeys(AGAINST, (0, 0))
    for passage in dict.fromkeys(passages):
        for against, found in found_in(passage):
            quoted, contradicted = counts[against]
            counts[against] = (quoted + (found.start is not None), contradicted + (found.status == "contradicted"))
    return counts


def passages_in(path: Path) -> Iterator[str]:
    """The passages of a file. Raises `UserError` for a line that has none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        record = orjson.loads(line)
        passage = record.get("text") or " ".join(record.get("abstract_sentences", ()))
        if not passage:
            raise UserError(f"{path}:{number} has neither text nor abstract_sentences")
        yield passage


def main(arguments: Sequence[str] | None = None) -> int:
    """Counts, and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.false_alarms", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("files", type=Path, nargs="+")
    table = Table("passages", *AGAINST, title="found a quote: of these contradicted by rule")
    for path in parser.parse_args(arguments).files:
        counts = counted(passages_in(path))
        table.add_row(path.name, *(_share(*counts[against]) for against in AGAINST))
    Console().print(table)
    return 0


def _share(quoted: int, contradicted: int) -> str:
    return f"{contradicted} of {quoted}" + (f" ({contradicted / quoted:.1%})" if quoted else "")


def _source(text: str) -> Source:
    return Source(text, split(text))


if __name__ == "__main__":
    run_cli(main)
