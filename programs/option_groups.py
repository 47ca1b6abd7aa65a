"""Groups of options that commands compose their settings from, with defaults and bounds."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema, field_validator
from pydantic_core import core_schema

from programs.cli.options import OneOrMore, Options, RequiresOption, comma_separated
from programs.inputs.chunking import DEFAULT_TOKENS, Chunking
from programs.inputs.jsonl import TEXT_FIELD
from programs.lms.weights import full_name
from signatures.question_type import QUESTION_TYPES, QuestionType, TypeName
from signatures.stages import STAGES
from signatures.vocabulary import Need, Setting, ThoughtOrigin

ModelName = Annotated[str, Field(min_length=1), AfterValidator(full_name)]
"""The name of a model, as `programs.lms.resolve` accepts it."""

ModelNames = Annotated[list[ModelName], BeforeValidator(comma_separated)]


class Price(BaseModel):
    """Prices of a million prompt tokens and completion tokens of a model, in any one currency. `cached` is the price of
    prompt tokens that came from the server's cache; None: the same as `prompt`."""

    model_config = ConfigDict(extra="forbid")

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    cached: float | None = Field(None, ge=0)

    def cost(self, prompt_tokens: int, completion_tokens: int, cached: int = 0) -> float:
        """The cost of the tokens; `cached` of the prompt tokens came from the server's cache."""
        discount = 0.0 if self.cached is None else cached * (self.prompt - self.cached)
        return (prompt_tokens * self.prompt + completion_tokens * self.completion - discount) / 1_000_000


class BudgetOptions(Options):
    """Options for what a run may spend."""

    max_calls: int | None = Field(None, ge=1, description="stop this run after so many calls; it can be resumed")
    max_tokens_total: int | None = Field(
        None, ge=1, description="stop this run after so many tokens; it can be resumed"
    )
    max_cost: float | None = Field(
        None, gt=0, description="stop this run at this cost; needs prices in the config file"
    )
    prices: dict[str, Price] = Field(
        {},
        description="in the config file: for each model, the price of a million tokens: prompt, completion, and cached if "
        "that is cheaper",
    )


DEFAULT_JUDGES = ("gpt41", "gemini25pro")


class QualityOptions(Options):
    """Options for how good traces must be."""

    quality_check: bool = Field(False, description="have the traces judged, and try again if one is rejected")
    judge_models: Annotated[Annotated[ModelNames, Field(min_length=1)] | None, RequiresOption("quality_check")] = Field(
        None, description=f"the judges, separated by commas (default: {','.join(DEFAULT_JUDGES)})"
    )
    min_quality_score: float = Field(6.0, ge=1, le=10, description="minimum judges' score of an accepted trace")
    max_attempts: int = Field(3, ge=1, le=20, description="attempts at a trace before it is rejected")
    grade_answers: bool = Field(False, description="grade the answers on six dimensions")
    grade_model: Annotated[ModelName | None, RequiresOption("grade_answers")] = Field(
        None, description="the model that grades (default: the first judge with --quality-check, else --model)"
    )

    @property
    def judges(self) -> tuple[str, ...]:
        """The models of the panel."""
        return tuple(self.judge_models or DEFAULT_JUDGES)


class SelectionOptions(Options):
    """Options for selecting and cutting texts."""

    max_samples: int | None = Field(None, ge=1, description="maximum texts to start, including those of earlier runs")
    prefilter: bool = Field(
        False, description="remove references, acknowledgements, appendices and the like from the texts"
    )
    chunk_tokens: int | None = Field(
        None,
        ge=50,
        description="maximum tokens, of about 4 characters each, per passage of a longer text (default: "
        f"{DEFAULT_TOKENS} for papers and tables; texts of JSONL are cut only if this is given)",
    )
    chunk_overlap: int = Field(
        Chunking().overlap,
        ge=0,
        le=20,
        description="sentences that a passage repeats from the previous one of its section",
    )
    text_column: str = Field(
        TEXT_FIELD, min_length=1, description="the field that holds the text in JSONL, .parquet and hf://"
    )
    max_passage_chars: int | None = Field(
        None, ge=200, description="maximum characters per passage, cut at a sentence (default: what fits the model)"
    )

    @property
    def reader_options(self) -> dict[str, Any]:
        """Keyword arguments for `programs.inputs.reader.SampleReader`."""
        cutting = Chunking(self.chunk_tokens, self.chunk_overlap)
        return {"prefilter": self.prefilter, "cutting": cutting, "text_field": self.text_column}


class ThoughtOptions(Options):
    """Options for where thoughts come from."""

    thought: Literal["written", "model", "both"] = Field(
        "written",
        description="written: composed from notes, in a shape drawn at random; model: the model's own thinking before it "
        "answers the question, if the answer agrees; both: a trace of each",
    )
    tries: int = Field(
        4, ge=1, le=64, description="with --thought model or both: how often a question is asked until an answer agrees"
    )

    @property
    def thoughts(self) -> tuple[ThoughtOrigin, ...]:
        """Where the thoughts of a variation come from: each origin gives one trace."""
        return ("written", "model") if self.thought == "both" else (self.thought,)


class TrialOptions(Options):
    """Options for tests of traces: blind solving and step checks."""

    blind_solve: int | None = Field(
        None, ge=1, le=50, description="how many times each question is answered without the passage, and again with it"
    )
    solver_model: Annotated[ModelName | None, RequiresOption("blind_solve")] = Field(
        None, description="the model that answers (default: --model)"
    )
    student_model: Annotated[ModelName | None, RequiresOption("blind_solve")] = Field(
        None, description="a weaker model whose pass rates are measured as well"
    )
    compare_model: Annotated[ModelName | None, RequiresOption("blind_solve", "thought")] = Field(
        None,
        description="the model that compares the answers (default: the first judge with --quality-check, else the solver)",
    )
    keep: Annotated[list[Need], BeforeValidator(comma_separated), RequiresOption("blind_solve")] = Field(
        [],
        description="accept only traces of questions with these results: known, needs_paper, unanswered (for pass rates, "
        "see --keep of export)",
    )
    check_steps: bool = Field(
        False, description="have a model check each step of a trace against the text and name the deciding sentence"
    )
    check_model: Annotated[ModelName | None, RequiresOption("check_steps")] = Field(
        None, description="the model that checks the steps (default: --model)"
    )


MODEL_STAGES = [name for name, stage in STAGES.items() if stage.stage_model]
"""The stages that `--stage-model` accepts."""

GUIDED_STAGES = [name for name, stage in STAGES.items() if stage.predictor]
GuidedStage = Annotated[str, GetPydanticSchema(lambda *_: core_schema.literal_schema(GUIDED_STAGES))]


class SettingOption(Options):
    """The option for what the writer of a thought sees."""

    setting: Setting = Field(
        "closed",
        description="what is in view while thinking: closed, only the question; open, also the passage, which is then part "
        "of the training prompt",
    )


class TypeOptions(Options):
    """Options for which types of question are asked."""

    question_types: dict[TypeName, QuestionType] = Field(
        {},
        description="in the config file: additional question types, or replacements for built-in ones of the same name: "
        "for each name what it asks (asks), its usual_level, its fewest_words (40 by default), and whether it takes_claims "
        "and takes_figures",
    )

    @property
    def types(self) -> dict[str, QuestionType]:
        """Built-in and configured types by name; a configured one replaces a built-in one."""
        return {**QUESTION_TYPES, **self.question_types}


class PromptOptions(TypeOptions):
    """Options for what prompts contain in addition to the signatures."""

    guidance: dict[GuidedStage, Annotated[str, Field(min_length=1, max_length=2000)]] = Field(
        {},
        description="in the config file: for a stage (" + ", ".join(GUIDED_STAGES) + "), a paragraph that is "
        "appended to its instruction",
    )


class ConnectionOptions(Options):
    """Options of every command that calls models: the servers, and limits on the calls."""

    api_base: OneOrMore = Field(
        [],
        description="base URL of an OpenAI-compatible server, or MODEL=URL for one model only; several servers with the "
        "same model share its calls",
    )
    concurrency: int | None = Field(
        None, ge=1, le=4096, description="maximum calls in flight (default: what the backend can take)"
    )
    timeout: float = Field(120.0, gt=0, description="maximum seconds per call")
    patience: float = Field(900.0, gt=0, description="seconds for which a failing call is retried")
    retry_wait: float = Field(1.0, gt=0, le=60, description="seconds before the first retry; then doubling up to 60")
    max_output_tokens: int = Field(4096, ge=64, description="maximum tokens per reply")
    program: Annotated[Path | None, BeforeValidator(lambda given: None if given == "none" else given)] = Field(
        None, description="the folder of a compiled program to use (default: none, the plain program)"
    )


class ModelOptions(Options):
    """Options for the models of a run."""

    reasoning_effort: Literal["low", "medium", "high"] | None = Field(
        None, description="how long models think before they answer, if they support it (default: their own)"
    )
    stage_model: list[str] = Field([], description="STAGE=NAME: another model for one stage; may be repeated")

    @field_validator("stage_model")
    @classmethod
    def _check_stage_names(cls, value: list[str]) -> list[str]:
        for item in value:
            stage, _, name = item.partition("=")
            if stage not in MODEL_STAGES or not name:
                raise ValueError(f"{item!r} is not STAGE=NAME, where STAGE is one of {', '.join(MODEL_STAGES)}")
        return value

    @property
    def stage_models(self) -> dict[str, str]:
        """The models of `--stage-model`, by stage."""
        return {stage: full_name(name) for stage, _, name in (item.partition("=") for item in self.stage_model)}
