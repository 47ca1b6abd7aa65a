"""The data model of the JSON output: its traces and the facts about the whole document. `python -m programs.schema` prints
it as JSON Schema."""

import json
from typing import Any, Literal

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.cli.terminal import print_result
from programs.records import Part, Record

FORMAT_VERSION = 1

Status = Literal["running", "completed", "interrupted", "budget", "failed"]
"""completed: everything requested was made or settled; budget: a limit on calls, tokens or cost was reached."""


class JudgeRatings(Part):
    """The overall ratings of one judge: how many it gave, their mean, and how many of its verdicts had none."""

    rated: int
    mean: float | None
    unscored: int


class JudgeAgreement(Part):
    """How far the judges of a document agree: their overall ratings, as given, of every judged attempt in its journal.
    `traces` is the number of attempts that two or more judges rated; `alpha` is Krippendorff's alpha (interval) over them,
    None if it is undefined or if there are fewer than twenty."""

    judges: dict[str, JudgeRatings]
    traces: int
    alpha: float | None


class KindCount(Part):
    """How many paragraphs are of one kind, and how many traces have such a paragraph."""

    paragraphs: int
    traces: int


class ThoughtDistributions(Part):
    """How the thoughts of the accepted traces are distributed (`programs.statistics.thought_counts`). `words` and
    `answer_words` are quantiles of the lengths of thoughts and answers; `sequences` the most frequent orders of paragraph
    kinds; `openings` the most frequent first three words. `corrections` counts the paragraphs that take something back, by
    the tenth of the thought in which they start; `choices` the right options by length ("number 1": the longest)."""

    traces: int
    shapes: dict[str, int]
    kinds: dict[str, KindCount]
    words: dict[str, int]
    sequences: dict[str, int]
    openings: dict[str, int]
    with_wrong_turn: int
    corrections: list[int]
    yes_or_no: dict[str, int]
    needing_passage: int
    choices: dict[str, int] = Field(default_factory=dict)
    answer_words: dict[str, int] = Field(default_factory=dict)


class DocumentMetadata(Part):
    """Facts about the whole document. `run` is the summary of the latest run (`programs.run.summary.Summary`); `judges` is
    None if nothing was judged, `thoughts` if there are no traces."""

    generation_timestamp: str
    total_traces_generated: int
    status: str
    format_version: int = 0
    run: dict[str, Any] | None = None
    judges: JudgeAgreement | None = None
    thoughts: ThoughtDistributions | None = None


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
