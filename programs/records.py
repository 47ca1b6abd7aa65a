"""The data model of a finished trace, as stored in journals and documents; its parts are in `programs.record_parts`."""

from typing import Any

from pydantic import Field

from programs.record_parts import (
    AnswerAgreement,
    BlindSolve,
    Evidence,
    Generation,
    Grades,
    Notes,
    Part,
    RubricPoint,
    ShortAnswer,
    SourcePaper,
    StepRecord,
    TraceMetadata,
    UserInteraction,
    Verdict,
)
from programs.rejection import Rejection
from signatures.shape import Shape
from signatures.vocabulary import Setting, ThoughtOrigin, YesOrNo


def variation_name(variation: int, origin: ThoughtOrigin) -> str:
    """A variation's name within its question: `0` for the first written trace, `0-model` for the model's own thought."""
    return str(variation) if origin == "written" else f"{variation}-{origin}"


COMPACT_PARTS = ("short_answer", "rubric", "steps", "evidence", "verdicts", "generation")
"""The parts of a record that are written without their empty fields."""


class Record(Part):
    """One finished trace."""

    source_paper: SourcePaper
    user_interaction: UserInteraction
    reasoning_trace: str
    """The thought, inside its `<thought>` tags."""
    final_answer: str
    answer_grades: Grades | None = None
    metadata: TraceMetadata
    id: str | None = None
    """Hash of the attempt's key and thought."""
    question_id: str | None = None
    """`source_paper.id` and the type of the question, joined by a slash."""
    setting: Setting = "closed"
    """What was in view while thinking. closed: only the question; open: also the passage."""
    needs_passage: list[str] = Field(default_factory=list)
    """Figures of thought and answer that are in the passage and that neither the question nor arithmetic gives."""
    yes_or_no: YesOrNo | None = None
    """The answer in one word, if the question asks whether something holds."""
    short_answer: ShortAnswer | None = None
    rubric: list[RubricPoint] = Field(default_factory=list)
    unchecked: list[Rejection] = Field(default_factory=list)
    """What was left out of the short answer and the rubric, and why."""
    thought: ThoughtOrigin = "written"
    """written: written from notes; model: what a model thought before it answered."""
    shape: Shape | None = None
    """The shape drawn for the thought; None for a model's own."""
    agreed: AnswerAgreement | None = None
    steps: list[StepRecord] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    verdicts: list[Verdict] = Field(default_factory=list)
    notes: Notes | None = None
    blind_solve: BlindSolve | None = None
    generation: Generation | None = None

    @property
    def variation_key(self) -> str:
        """The key of its variation in a journal."""
        variation = self.generation.variation if self.generation else 0
        return f"{self.question_id}/{variation_name(variation, self.thought)}"

    def compact_dump(self) -> dict[str, Any]:
        """The record as journals and documents store it. Empty fields of the `COMPACT_PARTS` are left out; all others, such
        as the published ones, are kept."""
        content = self.model_dump(mode="json")
        for name in COMPACT_PARTS:
            part = content[name]
            content[name] = [_compact(item) for item in part] if isinstance(part, list) else part and _compact(part)
        return content


def _compact(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value not in (None, [], {})}
