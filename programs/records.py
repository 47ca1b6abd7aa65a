"""The data model of a finished trace, as journals and documents hold it.

The first keys of each part are those of the published format and keep their spelling and type; all others have defaults,
so that documents of older versions and of other tools with the same format load. A missing grade or rating is None.
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
"""known: answered without the passage; needs_paper: only with it; unanswered: in neither way."""


class Part(BaseModel):
    """A part of the document. Keys that this version does not know are kept."""

    model_config = ConfigDict(extra="allow")


class SourcePaper(Part):
    """Where a trace comes from. `id` is the hash of the text; `excerpt` which part of a longer document it is;
    `removed` how many characters of what the prefilter left out."""

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
    """Six grades and their mean, each 0-1. A grade that could not be read is None, and so is then the mean."""

    # A dimension is a line in `signatures.grade.GradeSheet` and one here; the exports follow.
    question_alignment: float | None = None
    scientific_accuracy: float | None = None
    completeness: float | None = None
    uncertainty_calibration: float | None = None
    clarity_structure: float | None = None
    evidence_usage: float | None = None
    overall_score: float | None = None
    reason: str | None = None


GRADES = tuple(name for name in Grades.model_fields if name not in ("overall_score", "reason"))
"""The dimensions."""


class ShortAnswer(Part):
    """What rules can check (`programs.text.short_answers`). `text` is the number as it was written, the right one of
    `options`, yes or no, or the term; `tolerance` is a share of `value`."""

    kind: AnswerKind
    text: str
    value: float | None = None
    unit: str | None = None
    tolerance: float | None = None
    options: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)

    @property
    def asked_for(self) -> str:
        """What is said after the question to who is to give it: the options by letter, and how to end."""
        options = [f"({letter}) {option}" for letter, option in zip(LETTERS, self.options, strict=False)]
        return "\n".join([*options, ENDINGS[self.kind]])


class RubricPoint(Part):
    """A fact or a step that a right answer must have, with a weight above 0, or a pitfall that it must not have, with one
    below 0. `sentence` is the number of the one it rests on; `quote` is `source_paper.text[start:end]`."""

    kind: Literal["fact", "step", "pitfall"]
    text: str
    weight: int
    sentence: int | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


class Evidence(Part):
    """A sentence of the passage that bears on the question. Verified: `quote` is `source_paper.text[start:end]`.
    Unverified: the model named a sentence that is not there; quote and place are None, and no stage uses it."""

    claim: str
    bearing: str
    verified: bool
    sentence: int | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None


Rated = int | float | None
"""A rating from 1 to 10; None where the judge gave none, or was not asked for it."""

NO_FAULT = "none"
"""What a judge says instead of a fault, and of where it lies, where it would change nothing."""

FLOORS = {"accuracy": 5, "answers_the_question": 5}
"""A trace that any judge rates lower than this is turned down, whatever the mean: good writing makes up for neither what
is wrong nor what is beside the question."""


class Verdict(Part):
    """One judge's ratings, with the worst fault, where that lies, and the best point. Unscored (every rating None) when the
    judge gave nothing readable: `reason` then says why; it may also hold what the judge said in words."""

    # A rating is a line in `signatures.judge.VerdictSheet` and one here.
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
    def words(self) -> str:
        """What the judge said beside its ratings, or why it said nothing."""
        parts = (("Fault", self.fault), ("Best", self.best_point))
        return " ".join(f"{name}: {text}" for name, text in parts if text) or self.reason

    @property
    def too_low(self) -> list[str]:
        """The ratings by which this judge alone turns a trace down."""
        given = ((name, getattr(self, name)) for name in FLOORS)
        return [f"{name} {rating:g}" for name, rating in given if rating is not None and rating < FLOORS[name]]


class StepRecord(Part):
    """One paragraph of the thought and its kind, None in a model's own thought. With `--check-steps` a model (`judged_by`)
    says what the passage says of it: `status`, None where it makes no claim, and `reason`; `quote`, the sentence that
    decides, is `source_paper.text[start:end]`, and all three are None where none does."""

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
    def _of_older_versions(cls, step: Any) -> Any:
        """Moves become kinds. What rules said of a step is left out: they could not know."""
        if not isinstance(step, Mapping) or "move" not in step:
            return step
        kept = {name: value for name, value in step.items() if name != "move"}
        if step.get("judged_by") == "rule":
            kept |= {"status": None, "judged_by": None}
        return {"kind": OLD_KINDS.get(step["move"], step["move"]), **kept}


class Generation(Part):
    """How a trace was made. `models` names those stages that another model than `model` answered, and as `student` the one
    of `--student-model`. A stage that traces share counts in each. Unknown tokens are None; seconds are of waiting."""

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
"""What compares with a short answer, in place of a model's name."""


class SolveTries(Part):
    """The tries of a blind solve in one setting, each compared with the short answer, or else with each variation's answer.
    `absent` ones (no answer, or no judgement of it) count nowhere; `pass_rate` is the share of equivalent others."""

    asked: int
    equivalent: int
    partial: int
    contradicts: int
    absent: int
    pass_rate: float | None


class StudentSolve(Part):
    """The tries of a second, weaker model, which decide nothing."""

    solver: str
    without_passage: SolveTries
    with_passage: SolveTries


class BlindSolve(Part):
    """What another model made of the question (`programs.traces.trials` has the rules): the same in every trace of it.
    `need` is None where absent tries could have decided it; `difficulty` is 1 - pass rate with the passage. `variations`
    are those whose answers the tries were compared with (a model's own thought is `0-model`); None: with this trace's
    alone, so that need and difficulty are its own."""

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


class Agreed(Part):
    """How the answer to a model's own thought stands to the grounded one, `reference`; equivalent ones alone are taken."""

    agreement: Agreement
    reason: str
    reference: str
    compared_by: str


class Notes(Part):
    """What stages 2 and 3 found for the question, as they gave it. The evidence stands in the record itself."""

    analysis: dict[str, Any]
    hypotheses: list[dict[str, Any]]
    critique: dict[str, Any]
    perspective: dict[str, Any]


def variation_name(variation: int, thought: ThoughtOrigin) -> str:
    """A variation's name among those of its question: `0` for the first written trace, `0-model` for the model's own."""
    return str(variation) if thought == "written" else f"{variation}-{thought}"


LEAN = ("short_answer", "rubric", "steps", "evidence", "verdicts", "generation")
"""Parts of a record that are written without what is not there."""


class Record(Part):
    """One finished trace. `needs_passage` lists the figures of thought and answer that stand in the passage and that the
    question and arithmetic do not give; `yes_or_no` is the answer in a word, where the question asks whether something
    holds; `unchecked` says what was left out of the short answer and the rubric, and why; `thought` says whether it was
    written or is what a model thought before it answered (then `agreed` is how that answer compares)."""

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
    agreed: Agreed | None = None
    steps: list[StepRecord] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    verdicts: list[Verdict] = Field(default_factory=list)
    notes: Notes | None = None
    blind_solve: BlindSolve | None = None
    generation: Generation | None = None

    @property
    def unit(self) -> str:
        """Its unit, as a journal names it."""
        variation = self.generation.variation if self.generation else 0
        return f"{self.question_id}/{variation_name(variation, self.thought)}"

    def written(self) -> dict[str, Any]:
        """The record as the journal and the document hold it. Of the `LEAN` parts, what is None or empty is left out; all
        else, the published fields above all, stands as it is."""
        content = self.model_dump(mode="json")
        for name in LEAN:
            part = content[name]
            content[name] = [_lean(one) for one in part] if isinstance(part, list) else part and _lean(part)
        return content


def _lean(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value not in (None, [], {})}
