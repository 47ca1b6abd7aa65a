"""The data model of a finished trace, as stored in journals and documents.

The first keys of each part are those of the published format and keep their names and types. All others have defaults, so
that documents of older versions, and of other tools with the same format, load. A missing grade or rating is None.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from programs.inputs.sample import Excerpt, Place
from programs.rejection import Rejection
from programs.text.short_answers import LETTERS
from signatures.shape import Shape
from signatures.vocabulary import ENDINGS, OLD_KINDS, Agreement, AnswerKind, Setting, ThoughtOrigin, YesOrNo

Need = Literal["known", "needs_paper", "unanswered"]
"""known: answered without the passage; needs_paper: answered only with it; unanswered: answered neither way."""


class Part(BaseModel):
    """A part of the document. Unknown keys are kept."""

    model_config = ConfigDict(extra="allow")


class SourcePaper(Part):
    """Where a trace comes from. `id` is the hash of the text; `excerpt` says which part of a longer document the text is;
    `removed` counts the characters that the prefilter removed, by kind of part."""

    title: str
    domain: str
    id: str | None = None
    given_id: str | None = None
    title_given: bool = True
    domain_given: bool = True
    place: Place | None = None
    excerpt: Excerpt | None = None
    text: str | None = None
    cut_from: int | None = None
    removed: dict[str, int] = Field(default_factory=dict)
    flags: list[str] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict)


class UserInteraction(Part):
    """The question and who asks it."""

    question: str
    question_type: str
    difficulty_level: str
    audience: str | None = None


class Grades(Part):
    """Six grades and their mean, each 0-1. A grade that could not be read is None, and then so is the mean."""

    # To add a dimension, add a line here and one in `signatures.grade.GradeSheet`; the exports follow.
    question_alignment: float | None = None
    scientific_accuracy: float | None = None
    completeness: float | None = None
    uncertainty_calibration: float | None = None
    clarity_structure: float | None = None
    evidence_usage: float | None = None
    overall_score: float | None = None
    reason: str | None = None


GRADES = tuple(name for name in Grades.model_fields if name not in ("overall_score", "reason"))
"""The names of the six grades."""


class ShortAnswer(Part):
    """An answer that rules can check (`programs.text.short_answers`). `text` is the number as it was written, the right one
    of `options`, yes or no, or the term; `tolerance` is a share of `value`."""

    kind: AnswerKind
    text: str
    value: float | None = None
    unit: str | None = None
    tolerance: float | None = None
    options: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)

    @property
    def prompt_ending(self) -> str:
        """What a prompt adds to the question: the options by letter, and how to end the answer."""
        options = [f"({letter}) {option}" for letter, option in zip(LETTERS, self.options, strict=False)]
        return "\n".join([*options, ENDINGS[self.kind]])


class RubricPoint(Part):
    """A fact or step that a right answer must have (weight above 0), or a pitfall that it must avoid (weight below 0).
    `sentence` is the number of the sentence that it rests on; `quote` is `source_paper.text[start:end]`."""

    kind: Literal["fact", "step", "pitfall"]
    text: str
    weight: int
    sentence: int | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


class Evidence(Part):
    """A sentence of the passage that bears on the question. Verified: `quote` is `source_paper.text[start:end]`.
    Unverified: the model named a sentence that does not exist; quote and offsets are None, and no stage uses it."""

    claim: str
    bearing: str
    verified: bool
    sentence: int | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


Rated = int | float | None
"""A rating from 1 to 10; None if the judge gave none or was not asked for it."""

NO_FAULT = "none"
"""What a judge gives as `fault` and `fault_in` if it would change nothing."""

FLOORS = {"accuracy": 5, "answers_the_question": 5}
"""A trace that any judge rates lower than this is rejected, whatever the mean: good writing makes up neither for errors nor
for an answer to another question."""


class Verdict(Part):
    """One judge's ratings, with the worst fault, the part that has it, and the best point. If the judge gave nothing
    readable, it is unscored (every rating None), and `reason` says why; `reason` may also hold a judge's comment."""

    # To add a rating, add a line here and one in `signatures.judge.VerdictSheet`.
    judge: str
    scored: bool
    reasoning_quality: Rated = None
    accuracy: Rated = None
    coherence: Rated = None
    answers_the_question: Rated = None
    rests_on_what_is_given: Rated = None
    reads_like_thinking: Rated = None
    overall: Rated = None
    fault: str | None = None
    fault_in: str | None = None
    best_point: str | None = None
    reason: str = ""

    @property
    def comments(self) -> str:
        """The judge's comments, or why it gave no verdict."""
        parts = (("Fault", self.fault), ("Best", self.best_point))
        return " ".join(f"{name}: {text}" for name, text in parts if text) or self.reason

    @property
    def ratings_below_floor(self) -> list[str]:
        """The ratings below a floor, with their names: each of them alone rejects the trace."""
        given = ((name, getattr(self, name)) for name in FLOORS)
        return [f"{name} {rating:g}" for name, rating in given if rating is not None and rating < FLOORS[name]]


class StepRecord(Part):
    """One paragraph of the thought and its kind (None in a model's own thought). With `--check-steps` a model (`judged_by`)
    checks it against the passage: `status` is None if it makes no claim, and `reason` explains it. `quote`, the sentence
    that decides, is `source_paper.text[start:end]`; these three are None if no sentence decides."""

    kind: str | None = None
    text: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    status: Literal["supported", "inferred", "outside", "contradicted"] | None = None
    judged_by: str | None = None
    reason: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, step: Any) -> Any:
        """Converts moves to kinds, and drops the verdicts that rules gave, since rules could not know."""
        if not isinstance(step, Mapping) or "move" not in step:
            return step
        kept = {name: value for name, value in step.items() if name != "move"}
        if step.get("judged_by") == "rule":
            kept |= {"status": None, "judged_by": None}
        return {"kind": OLD_KINDS.get(step["move"], step["move"]), **kept}


class Generation(Part):
    """How a trace was made. `models` has the stages that a model other than `model` answered; that of `--student-model` is
    called `student`. The cost of a stage that several traces share is counted in each of them. Token counts are None if
    unknown; `seconds` is time spent waiting for replies."""

    model: str
    models: dict[str, str] = Field(default_factory=dict)
    calls: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    program: str | None = None
    seed: int | None = None
    temperature: float | None = None
    variation: int = 0
    attempt: int = 0
    model_reasoning: dict[str, str] = Field(default_factory=dict)
    created: str | None = None


class TraceMetadata(Part):
    """Measures of a thought. `authenticity_score` is from its judges (`programs.stages.judge.naturalness`) or None."""

    authenticity_score: float | None
    complexity_level: str
    reasoning_patterns: list[str]
    quality_score: float | None = None
    quality_spread: float | None = None


RULES = "rules"
"""The value of `compared_by` if rules, not a model, compared the tries with a short answer."""


class SolveTries(Part):
    """The comparisons of a blind solve in one setting: of each try with the short answer, or else with each variation's
    answer. `absent` ones have no usable answer or judgement; `pass_rate` is the share of equivalent ones among the rest."""

    asked: int
    equivalent: int
    partial: int
    contradicts: int
    absent: int
    pass_rate: float | None


class StudentSolve(Part):
    """The tries of a second, weaker model. They decide nothing."""

    solver: str
    without_passage: SolveTries
    with_passage: SolveTries


class BlindSolve(Part):
    """How well another model answered the question (`programs.traces.trials` has the rules); the same in all its traces.
    `need` is None if absent tries could have decided it; `difficulty` is 1 - pass rate with the passage. `variations` are
    those whose answers the tries were compared with (a model's own thought is `0-model`); None means this trace's alone, so
    that need and difficulty are its own."""

    need: Need | None
    difficulty: float | None
    difficulty_without: float | None
    without_passage: SolveTries
    with_passage: SolveTries
    solver: str
    compared_by: str
    temperature: float | None
    variations: list[int | str] | None = None
    student: StudentSolve | None = None


class AnswerAgreement(Part):
    """How the answer to a model's own thought compares with the grounded one, `reference`. Only equivalent ones pass."""

    agreement: Agreement
    reason: str
    reference: str
    compared_by: str


class Notes(Part):
    """What stages 2 and 3 found for the question, as the model gave it. The evidence is in the record itself."""

    analysis: dict[str, Any]
    hypotheses: list[dict[str, Any]]
    critique: dict[str, Any]
    perspective: dict[str, Any]


def variation_name(variation: int, origin: ThoughtOrigin) -> str:
    """A variation's name within its question: `0` for the first written trace, `0-model` for the model's own thought."""
    return str(variation) if origin == "written" else f"{variation}-{origin}"


COMPACT_PARTS = ("short_answer", "rubric", "steps", "evidence", "verdicts", "generation")
"""The parts of a record that are written without their empty fields."""


class Record(Part):
    """One finished trace. `needs_passage` lists the figures of the thought and answer that the passage has and that neither
    the question nor arithmetic gives; `yes_or_no` is the answer in one word, if the question asks whether something holds;
    `unchecked` says what was left out of the short answer and the rubric, and why; `thought` says whether the thought was
    written or is what a model thought before it answered (then `agreed` says how that answer compares)."""

    source_paper: SourcePaper
    user_interaction: UserInteraction
    reasoning_trace: str
    final_answer: str
    answer_grades: Grades | None = None
    metadata: TraceMetadata
    id: str | None = None
    question_id: str | None = None
    setting: Setting = "closed"
    needs_passage: list[str] = Field(default_factory=list)
    yes_or_no: YesOrNo | None = None
    short_answer: ShortAnswer | None = None
    rubric: list[RubricPoint] = Field(default_factory=list)
    unchecked: list[Rejection] = Field(default_factory=list)
    thought: ThoughtOrigin = "written"
    shape: Shape | None = None
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
