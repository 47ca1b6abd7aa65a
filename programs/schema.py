"""The data model of the whole JSON output, its traces and the facts about all of them. `python -m programs.schema` prints
it as JSON Schema."""

import json
from typing import Any, Literal

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.cli.terminal import put
from programs.records import Part, Record

FORMAT_VERSION = 1

Status = Literal["running", "completed", "interrupted", "budget", "failed"]
"""completed: everything asked for was made or settled; budget: a limit of calls, tokens or cost was reached."""


class JudgeRatings(Part):
    """What one judge gave: how many overall ratings, their mean, and how many verdicts without one."""

    rated: int
    mean: float | None
    unscored: int


class JudgeAgreement(Part):
    """How far the judges of a document agree, over every judged attempt in its journal, by the overall ratings as they gave
    them. `traces` are those that two judges or more rated, `alpha` is Krippendorff's (interval) over them, None where it
    is undefined or they are fewer than twenty."""

    judges: dict[str, JudgeRatings]
    traces: int
    alpha: float | None


class KindCount(Part):
    """Of one kind: how many paragraphs are of it, and how many traces have one."""

    paragraphs: int
    traces: int


class ThoughtDistributions(Part):
    """How the accepted traces' thoughts are distributed (`programs.statistics.thought_counts`). `words` and `answer_words`
    are quantiles of the lengths of thoughts and answers; `sequences` the most frequent orders of kinds; `openings` the most
    frequent first three words; `corrections` counts the paragraphs that take something back by the tenth of the thought in
    which they begin; `choices` the right options by their rank in length, the longest first ("number 1")."""

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
    """Facts about the whole document. `run` is what the latest run did (`programs.run.summary.Summary`); `judges` is None
    where nothing was judged, `thoughts` without a trace."""

    generation_timestamp: str
    total_traces_generated: int
    status: str
    format_version: int = 0
    run: dict[str, Any] | None = None
    judges: JudgeAgreement | None = None
    thoughts: ThoughtDistributions | None = None


class Document(Part):
    """The whole output. Read a large one with `programs.document.read_records` instead: it does not fit in memory."""

    metadata: DocumentMetadata
    questions: list[Record]


class SchemaOptions(Options):
    """Print the JSON Schema of the document."""


def main(arguments: list[str] | None = None) -> int:
    """Prints the schema (draft 2020-12) that every document of this version fulfils."""
    parse(SchemaOptions, arguments)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}
    put(json.dumps(schema, indent=2))
    return 0


if __name__ == "__main__":
    run_cli(main)
