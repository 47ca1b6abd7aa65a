"""The data model of the JSON output: its traces and the facts about the whole document. `python -m programs.schema` prints
it as JSON Schema."""

import json
from typing import Any, Literal

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.cli.terminal import print_result
from programs.record_parts import Part
from programs.records import Record

FORMAT_VERSION = 1

Status = Literal["running", "completed", "interrupted", "budget", "failed"]


class JudgeRatings(Part):
    """The overall ratings of one judge."""

    rated: int
    mean: float | None
    unscored: int
    """Number of verdicts without an overall rating."""


class JudgeAgreement(Part):
    """How far judges agree in the overall ratings, as given, of every judged attempt in the document's journal."""

    judges: dict[str, JudgeRatings]
    traces: int
    """Number of attempts that two or more judges rated."""
    alpha: float | None
    """Krippendorff's alpha (interval) over them; None if it is undefined or there are fewer than twenty."""


class KindCount(Part):
    """How many paragraphs are of one kind, and how many traces have such a paragraph."""

    paragraphs: int
    traces: int


class ThoughtDistributions(Part):
    """How the thoughts of the accepted traces are distributed (`programs.statistics.thought_counts`)."""

    traces: int
    shapes: dict[str, int]
    kinds: dict[str, KindCount]
    words: dict[str, int]
    """Quantiles of the thoughts' lengths in words."""
    sequences: dict[str, int]
    """The most frequent orders of paragraph kinds."""
    openings: dict[str, int]
    """The most frequent first three words."""
    with_wrong_turn: int
    corrections: list[int]
    """Paragraphs that take something back, by the tenth of the thought in which they start."""
    yes_or_no: dict[str, int]
    needing_passage: int
    choices: dict[str, int] = Field(default_factory=dict)
    """Right options of choices, by rank of length ("number 1": the longest)."""
    answer_words: dict[str, int] = Field(default_factory=dict)
    """Quantiles of the answers' lengths in words."""


class DocumentMetadata(Part):
    """Facts about the whole document."""

    generation_timestamp: str
    """When it was written, in UTC: 2026-01-31T12:00:00Z."""
    total_traces_generated: int
    status: str
    """completed: everything requested was made or settled; budget: a limit on calls, tokens or cost was reached;
    else running, interrupted or failed."""
    format_version: int = 0
    run: dict[str, Any] | None = None
    """Summary of the latest run (`programs.run.summary.Summary`)."""
    judges: JudgeAgreement | None = None
    """None if nothing was judged."""
    thoughts: ThoughtDistributions | None = None
    """None if there are no traces, or while the run continues."""


class Document(Part):
    """The whole output. A large document does not fit in memory: read it with `programs.document.read_records` instead."""

    metadata: DocumentMetadata
    questions: list[Record]


class SchemaOptions(Options):
    """Print the JSON Schema of the document."""


def main(arguments: list[str] | None = None) -> int:
    """Prints the JSON Schema (draft 2020-12) of documents of this version."""
    parse(SchemaOptions, arguments)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}
    print_result(json.dumps(schema, indent=2))
    return 0


if __name__ == "__main__":
    run_cli(main)
