"""The parts of a record (`programs.records`), as stored in journals and documents.

The first keys of each part are those of the published format and keep their names and types. All others have defaults, so
that documents of older versions, and of other tools with the same format, load. A missing grade or rating is None.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from programs.inputs.sample import Excerpt, Place
from programs.text.short_answers import LETTERS
from signatures.vocabulary import ENDINGS, OLD_KINDS, Agreement, AnswerKind, Need


class Part(BaseModel):
    """A part of the document. Unknown keys are kept."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class SourcePaper(Part):
    """Where a trace comes from."""

    title: str
    domain: str
    id: str | None = None
    """Hash of the text before any cut."""
    given_id: str | None = None
    """The input record's own id; None if it has no usable one."""
    title_given: bool = True
    """False if the input has no usable title, so that `title` is a default."""
    domain_given: bool = True
    place: Place | None = None
    excerpt: Excerpt | None = None
    """The part of a longer document that the text is; None if it is not part of one."""
    text: str | None = None
    """The passage. Offsets of quotes count its characters from 0."""
    cut_from: int | None = None
    """Length of the text in characters before it was cut to fit; None if it is whole."""
    removed: dict[str, int] = Field(default_factory=dict)
    """Number of characters that the prefilter removed, by kind of part."""
    flags: list[str] = Field(default_factory=list)
    """Kinds of text in the passage that a model may obey: field-marker, instruction, thought-tag."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """All other fields of the input record, including an unusable title, domain or id."""


class UserInteraction(Part):
    """The question and who asks it."""

    question: str
    question_type: str
    difficulty_level: str
    """beginner, intermediate or advanced."""
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
    """What costs the most points, or why grades could not be read."""


GRADES = tuple(name for name in Grades.model_fields if name not in ("overall_score", "reason"))
"""The names of the six grades."""


class ShortAnswer(Part):
    """An answer that rules can check (`programs.text.short_answers`)."""

    kind: AnswerKind
    text: str
    """The number as it was written, the right one of `options`, yes or no, or the term."""
    value: float | None = None
    unit: str | None = None
    """Unit of `value`: empty if it has none, None for other kinds of answers."""
    tolerance: float | None = None
    """By how much a right answer may differ from `value`, as a share of it."""
    options: list[str] = Field(default_factory=list)
    """The options of a choice, in the order of their letters."""
    aliases: list[str] = Field(default_factory=list)
    """Other names for a term, which are right as well."""

    @property
    def prompt_ending(self) -> str:
        """What a prompt adds to the question: the options by letter, and how to end the answer."""
        options = [f"({letter}) {option}" for letter, option in zip(LETTERS, self.options, strict=False)]
        return "\n".join([*options, ENDINGS[self.kind]])


class RubricPoint(Part):
    """A fact or step that a right answer must have, or a pitfall that it must avoid."""

    kind: Literal["fact", "step", "pitfall"]
    text: str
    weight: int
    """1 to 3 for a fact or step, -1 to -3 for a pitfall."""
    sentence: int | None = None
    """Number of the sentence that it rests on, from 1; None if it rests on the question or on general knowledge."""
    quote: str | None = None
    """That sentence: `source_paper.text[start:end]`."""
    start: int | None = None
    end: int | None = None


class Evidence(Part):
    """A sentence of the passage that bears on the question."""

    claim: str
    """What the sentence implies for the question."""
    verified: bool
    """False if the model named a sentence that does not exist: quote and offsets are None, and no stage uses it."""
    sentence: int | None = None
    quote: str | None = None
    """The sentence: `source_paper.text[start:end]`."""
    start: int | None = None
    end: int | None = None


Rated = int | float | None

NO_FAULT = "none"
"""What a judge gives as `fault` and `fault_in` if it would change nothing."""

FLOORS = {"accuracy": 5, "answers_the_question": 5}
"""A trace that any judge rates lower than this is rejected, whatever the mean: good writing makes up neither for errors nor
for an answer to another question."""


class Verdict(Part):
    """One judge's verdict. Ratings are from 1 to 10, and None if the judge gave none or was not asked for it."""

    # To add a rating, add a line here and one in `signatures.judge.VerdictSheet`.
    judge: str
    scored: bool
    """False if the judge gave nothing readable: every rating is None, and `reason` says why."""
    reasoning_quality: Rated = None
    accuracy: Rated = None
    coherence: Rated = None
    answers_the_question: Rated = None
    rests_on_what_is_given: Rated = None
    reads_like_thinking: Rated = None
    overall: Rated = None
    fault: str | None = None
    """The worst fault; `none` if the judge would change nothing."""
    fault_in: str | None = None
    """The part that has the fault: thought, answer, both or none."""
    best_point: str | None = None
    reason: str = ""
    """Why there is no verdict, or a judge's comment."""

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
    """One paragraph of the thought. With `--check-steps` a model checks it against the passage."""

    kind: str | None = None
    """What the paragraph does; None in a model's own thought, and for `computes` without a figure."""
    text: str
    quote: str | None = None
    """The sentence that decides: `source_paper.text[start:end]`. All three are None if no sentence decides."""
    start: int | None = None
    end: int | None = None
    status: Literal["supported", "inferred", "outside", "contradicted"] | None = None
    """supported: the sentence says it; inferred: it follows from it; contradicted: it differs; outside: the passage
    does not decide it; None: the paragraph makes no claim or was not checked."""
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
    """How a trace was made. The cost of a stage that several traces share counts in each. Unknown token counts are None."""

    model: str
    """The model that gave the thought."""
    models: dict[str, str] = Field(default_factory=dict)
    """Models of the stages that another model answered, by stage; `student`: that of `--student-model`."""
    calls: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    """Time spent waiting for replies."""
    program: str | None = None
    """Fingerprint of the program: equal ones mean equal prompts for equal inputs."""
    seed: int | None = None
    temperature: float | None = None
    """Sampling temperature of the thought; None if it was left to the model."""
    variation: int = 0
    """Index of the variation within its question, from 0."""
    attempt: int = 0
    """Index of the attempt within its variation, from 0."""
    model_reasoning: dict[str, str] = Field(default_factory=dict)
    """Reasoning that models returned with their replies, by stage."""
    created: str | None = None


class TraceMetadata(Part):
    """Measures of a thought."""

    authenticity_score: float | None
    """How much it reads like thinking: mean of the judges' ratings, mapped to 0-1; None if there are none."""
    complexity_level: str
    """By its number of words: high from 300, medium from 120, else low."""
    reasoning_patterns: list[str]
    quality_score: float | None = None
    """Mean of the judges' overall ratings, 1-10; None if there are none."""
    quality_spread: float | None = None
    """The highest overall rating minus the lowest; None if there are fewer than two."""


RULES = "rules"
"""The value of `compared_by` if rules, not a model, compared the tries with a short answer."""


class SolveTries(Part):
    """Comparisons of a blind solve in one setting: of each try with the short answer, else with each variation's answer."""

    asked: int
    equivalent: int
    partial: int
    contradicts: int
    absent: int
    """Comparisons without a usable answer or judgement."""
    pass_rate: float | None
    """Share of equivalent ones among those that are not absent; None if all are."""


class StudentSolve(Part):
    """The tries of a second, weaker model. They decide nothing."""

    solver: str
    without_passage: SolveTries
    with_passage: SolveTries


class BlindSolve(Part):
    """How well another model answered the question, by the rules of `programs.traces.trials`. All its traces share it."""

    need: Need | None
    """known: answered without the passage; needs_paper: only with it; unanswered: neither way; None: absent
    tries could have decided it."""
    difficulty: float | None
    """1 - pass rate with the passage."""
    difficulty_without: float | None
    without_passage: SolveTries
    with_passage: SolveTries
    solver: str
    compared_by: str
    """The model that compared the answers, or `rules`."""
    temperature: float | None
    variations: list[int | str] | None = None
    """Those whose answers the tries were compared with (`0-model`: a model's own thought); None: only this trace's."""
    student: StudentSolve | None = None


class AnswerAgreement(Part):
    """How the answer to a model's own thought compares with the grounded one. Only equivalent ones pass."""

    agreement: Agreement
    reason: str
    reference: str
    """The grounded answer."""
    compared_by: str


class Notes(Part):
    """What stages 2 and 3 found for the question (see `signatures.strands`). The evidence is in the record itself."""

    analysis: dict[str, Any]
    hypotheses: list[dict[str, Any]]
    critique: dict[str, Any]
    perspective: dict[str, Any]
