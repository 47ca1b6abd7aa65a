"""The document's data model: what a finished trace is, and what the JSON output holds.

The first keys of each part are those of the published format and keep their spelling and type; all others have
defaults, so that documents of older versions and of other tools with the same format load.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from programs.inputs.sample import Place

FORMAT_VERSION = 1

Status = Literal["running", "completed", "interrupted", "budget", "failed"]
"""completed: everything asked for was made or settled; budget: a limit of calls, tokens or cost was reached."""


class Part(BaseModel):
    """A part of the document. Keys that this version does not know are kept."""

    model_config = ConfigDict(extra="allow")


class SourcePaper(Part):
    """Where a trace comes from. `id` is the hash of the text; `place` its file and line in the input."""

    title: str
    domain: str
    id: str | None = None
    given_id: str | None = None
    title_given: bool = True
    domain_given: bool = True
    place: Place | None = None
    text: str | None = None
    cut_from: int | None = None
    flags: list[str] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict)


class UserInteraction(Part):
    """The question and who asks it."""

    question: str
    question_type: str
    difficulty_level: str
    audience: str | None = None


class Grades(Part):
    """Six grades and their mean, each 0-1. A grade that could not be read is None, and so is then the mean."""

    question_alignment: float | None
    scientific_accuracy: float | None
    completeness: float | None
    uncertainty_calibration: float | None
    clarity_structure: float | None
    evidence_usage: float | None
    overall_score: float | None
    reason: str | None = None


class EvidenceRecord(Part):
    """A quote with its place: where verified, `quote` is `source_paper.text[start:end]`."""

    claim: str
    bearing: str
    verified: bool
    sentence: int | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


class VerdictRecord(Part):
    """One judge's rating (1-10), or an unscored verdict with the reason why there is none."""

    judge: str
    scored: bool
    reasoning_quality: int | None = None
    accuracy: int | None = None
    coherence: int | None = None
    overall: int | None = None
    reason: str = ""


class StepRecord(Part):
    """One paragraph of the thought and its place in it (opening, wrong_turn, doubt, correction, weighing, conclusion)."""

    move: str
    text: str


class Generation(Part):
    """How a trace was made. Tokens are None where a server did not say; seconds are of waiting for the models."""

    model: str
    models: dict[str, str] = Field(default_factory=dict)
    program: str | None = None
    seed: int | None = None
    temperature: float | None = None
    variation: int = 0
    attempt: int = 0
    stages: dict[str, Any] = Field(default_factory=dict)
    model_reasoning: dict[str, str] = Field(default_factory=dict)
    created: str | None = None


class TraceMetadata(Part):
    """Measures computed from the thought's text by rule."""

    authenticity_score: float
    complexity_level: str
    reasoning_patterns: list[str]
    evidence_found: float | None = None
    quality_score: float | None = None
    quality_spread: float | None = None


class Record(Part):
    """One finished trace."""

    source_paper: SourcePaper
    user_interaction: UserInteraction
    reasoning_trace: str
    final_answer: str
    answer_grades: Grades | None = None
    metadata: TraceMetadata
    id: str | None = None
    question_id: str | None = None
    steps: list[StepRecord] = Field(default_factory=list)
    evidence: list[EvidenceRecord] = Field(default_factory=list)
    verdicts: list[VerdictRecord] = Field(default_factory=list)
    generation: Generation | None = None


class DocumentMetadata(Part):
    """Facts about the whole document. `run` is what the latest run did (`programs.summary.Summary`)."""

    generation_timestamp: str
    total_traces_generated: int
    status: str
    format_version: int = 0
    run: dict[str, Any] | None = None


class Document(Part):
    """The whole output. Read a large one with `programs.document.read_records` instead: it does not fit in memory."""

    metadata: DocumentMetadata
    questions: list[Record]
