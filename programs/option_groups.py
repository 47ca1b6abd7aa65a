"""The groups of options that the settings of a command are made of, each with its defaults and bounds."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from programs.cli.options import Many, Needs, Options, comma_separated
from programs.inputs.cutting import DEFAULT_TOKENS, Cutting
from programs.inputs.jsonl import TEXT_FIELD
from programs.lms.weights import whole_name
from programs.records import Need
from signatures.question_type import QUESTION_TYPES, QuestionType, TypeName
from signatures.vocabulary import ThoughtOrigin

ModelName = Annotated[str, Field(min_length=1), AfterValidator(whole_name)]
"""The name of a model, as `programs.lms.resolve` takes it."""

ModelNames = Annotated[list[ModelName], BeforeValidator(comma_separated)]


class Price(BaseModel):
    """What a million tokens of a model cost, read and written, in any one currency. `cached` are those read that the server
    had in its cache; without it they cost as much as others."""

    model_config = ConfigDict(extra="forbid")

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    cached: float | None = Field(None, ge=0)

    def of(self, read: int, written: int, cached: int = 0) -> float:
        """The cost of so many tokens, `cached` of those that were read from the server's cache."""
        less = 0.0 if self.cached is None else cached * (self.prompt - self.cached)
        return (read * self.prompt + written * self.completion - less) / 1_000_000


class BudgetOptions(Options):
    """Options about what a run may spend."""

    max_calls: int | None = Field(None, ge=1, description="calls after which this run stops, to be resumed")
    max_tokens_total: int | None = Field(None, ge=1, description="tokens after which this run stops, to be resumed")
    max_cost: float | None = Field(
        None, gt=0, description="cost after which this run stops; needs prices in the config"
    )
    prices: dict[str, Price] = Field(
        {},
        description="in the config file: for each model the price of a million tokens: prompt, completion, and cached if "
        "that is less",
    )


DEFAULT_JUDGES = ("gpt41", "gemini25pro")


class QualityOptions(Options):
    """Options about how good traces must be."""

    quality_check: bool = Field(False, description="have the traces judged, and make rejected ones again")
    judge_models: Annotated[Annotated[ModelNames, Field(min_length=1)] | None, Needs("quality_check")] = Field(
        None, description=f"the judges, separated by commas (default: {','.join(DEFAULT_JUDGES)})"
    )
    min_quality_score: float = Field(6.0, ge=1, le=10, description="the judges' score from which on a trace is taken")
    max_attempts: int = Field(3, ge=1, le=20, description="how often a trace is made before it is rejected")
    grade_answers: bool = Field(False, description="grade the answers on six dimensions")
    grade_model: Annotated[ModelName | None, Needs("grade_answers")] = Field(
        None, description="the model that grades (default: the first judge with --quality-check, else the model)"
    )

    @property
    def judges(self) -> tuple[str, ...]:
        """The panel."""
        return tuple(self.judge_models or DEFAULT_JUDGES)


class SelectionOptions(Options):
    """Options about which texts and questions are used."""

    max_samples: int | None = Field(None, ge=1, description="texts that may be begun, those of earlier runs counted")
    prefilter: bool = Field(
        False, description="leave references, acknowledgements, appendices and the like out of the texts"
    )
    chunk_tokens: int | None = Field(
        None,
        ge=50,
        description="tokens, of about 4 characters each, that a passage of a longer text may have (default: "
        f"{DEFAULT_TOKENS} for papers and tables; texts of JSONL are cut only when this is given)",
    )
    chunk_overlap: int = Field(
        Cutting().overlap,
        ge=0,
        le=20,
        description="sentences that a passage repeats of the one before it in its section",
    )
    text_column: str = Field(
        TEXT_FIELD, min_length=1, description="the field of JSONL, .parquet and hf:// that holds the text"
    )
    max_passage_chars: int | None = Field(
        None, ge=200, description="a longer text is cut at a sentence (default: what fits the model)"
    )

    @property
    def reading(self) -> dict[str, Any]:
        """How texts are read, as `programs.inputs.reader.SampleReader` takes it."""
        cutting = Cutting(self.chunk_tokens, self.chunk_overlap)
        return {"prefilter": self.prefilter, "cutting": cutting, "text_field": self.text_column}


class ThoughtOptions(Options):
    """Options about where thoughts come from."""

    thought: Literal["written", "model", "both"] = Field(
        "written",
        description="written: composed from notes along a drawn shape; model: what the model itself thinks before it "
        "answers the question, where its answer agrees; both: a trace of each",
    )
    tries: int = Field(
        4, ge=1, le=64, description="with --thought model or both: how often a question is asked until an answer agrees"
    )

    @property
    def thoughts(self) -> tuple[ThoughtOrigin, ...]:
        """The traces that each variation of a question gives."""
        return ("written", "model") if self.thought == "both" else (self.thought,)


class TrialOptions(Options):
    """Options of the trials that traces are put to."""

    blind_solve: int | None = Field(
        None, ge=1, le=50, description="how often each question is answered without the passage, and how often with it"
    )
    solver_model: Annotated[ModelName | None, Needs("blind_solve")] = Field(
        None, description="the model that answers (default: the model itself)"
    )
    student_model: Annotated[ModelName | None, Needs("blind_solve")] = Field(
        None, description="a weaker model whose pass rates are measured beside these"
    )
    compare_model: Annotated[ModelName | None, Needs("blind_solve", "thought")] = Field(
        None,
        description="the model that compares the answers (default: the first judge with --quality-check, else the solver)",
    )
    keep: Annotated[list[Need], BeforeValidator(comma_separated), Needs("blind_solve")] = Field(
        [], description="take only traces of such questions: known, needs_paper, unanswered"
    )
    check_steps: bool = Field(
        False, description="have a model say which sentence of the text carries each step of a trace, and how"
    )
    check_model: Annotated[ModelName | None, Needs("check_steps")] = Field(
        None, description="the model that says so (default: the model itself)"
    )


WriterStage = Literal["questions", "context", "hypotheses", "evidence", "critique", "perspective", "trace", "answer"]
GuidedStage = Literal[WriterStage, "judge", "grade"]
STAGES = (*get_args(WriterStage), "own")
"""The stages that `--stage-model` takes."""


class TypeOptions(Options):
    """Options about which types of question are asked."""

    question_types: dict[TypeName, QuestionType] = Field(
        {},
        description="in the config file: question types beside the built-in ones, or in place of those of the same name: "
        "for each name what it asks (asks), its usual_level, its fewest_words (by default 40), and whether it takes_claims",
    )

    @property
    def types(self) -> dict[str, QuestionType]:
        """All types in use."""
        return {**QUESTION_TYPES, **self.question_types}


class PromptOptions(TypeOptions):
    """Options about what is in the prompts beside what signatures say."""

    guidance: dict[GuidedStage, Annotated[str, Field(min_length=1, max_length=2000)]] = Field(
        {},
        description="in the config file: for a stage (" + ", ".join(get_args(GuidedStage)) + ") a paragraph that its "
        "instruction takes along",
    )


class ConnectionOptions(Options):
    """Options of every command that calls models: where they are, and how they are asked."""

    api_base: Many = Field(
        [],
        description="base URL of an OpenAI-compatible server, or MODEL=URL for one model alone; several servers with the "
        "same model share the calls",
    )
    concurrency: int | None = Field(
        None, ge=1, le=4096, description="calls in flight (default: what the backend takes)"
    )
    timeout: float = Field(120.0, gt=0, description="seconds that one call may take")
    patience: float = Field(900.0, gt=0, description="seconds for which a failing call is tried again")
    retry_wait: float = Field(1.0, gt=0, le=60, description="seconds before the first new try; then doubling up to 60")
    max_output_tokens: int = Field(4096, ge=64, description="tokens that one reply may have")
    program: Annotated[Path | None, BeforeValidator(lambda given: None if given == "none" else given)] = Field(
        None, description="the folder of a compiled program to use (default: none, the plain program)"
    )


class ModelOptions(Options):
    """Options about how the models of a run think and write."""

    reasoning_effort: Literal["low", "medium", "high"] | None = Field(
        None, description="how long models think before they answer, where they take it (default: theirs)"
    )
    stage_model: list[str] = Field([], description="STAGE=NAME: another model for one stage; may be repeated")

    @field_validator("stage_model")
    @classmethod
    def _stage_names(cls, value: list[str]) -> list[str]:
        for item in value:
            stage, _, name = item.partition("=")
            if stage not in STAGES or not name:
                raise ValueError(f"{item!r} is not STAGE=NAME with a stage of {', '.join(STAGES)}")
        return value

    @property
    def stage_models(self) -> dict[str, str]:
        """The stages with a model of their own."""
        return {stage: whole_name(name) for stage, _, name in (item.partition("=") for item in self.stage_model)}
