"""Every option of `python -m programs.generate`, with its default and bounds: those of this command, and the groups of
`programs.option_groups`, where a new option belongs."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from programs.cli.logs import LogOptions
from programs.cli.options import OneOrMore
from programs.files import JOURNAL, path_beside
from programs.inputs.formats import PAPER_ENDINGS
from programs.inputs.sources import DEFAULT_INPUT
from programs.option_groups import (
    BudgetOptions,
    ConnectionOptions,
    ModelName,
    ModelOptions,
    PromptOptions,
    QualityOptions,
    SelectionOptions,
    SettingOption,
    ThoughtOptions,
    TrialOptions,
)
from signatures.stages import STRANDS

DEFAULT_MODEL = "claudesonnet45"


class TracerOptions(TrialOptions, QualityOptions, ThoughtOptions, SettingOption):
    """The options that determine how the traces of a text are made, as `programs.tracer.Tracer` takes them."""

    model: ModelName = Field(
        DEFAULT_MODEL,
        description="the model: NAME on Argo; openai/NAME on any OpenAI-compatible server; embedded for the built-in "
        "model, or embedded:PATH.gguf or embedded:OWNER/REPOSITORY/FILE.gguf (on the Hub) for another; any other "
        "provider/name is passed to DSPy as it is",
    )
    traces_per_sample: int = Field(1, ge=1, description="traces of different questions per text")
    traces_per_question: int = Field(1, ge=1, le=64, description="variations of one question, by temperature")
    temperature: float = Field(0.7, ge=0, le=2, description="sampling temperature of traces and answers")
    seed: int = Field(0, description="fixes the order of question types and the sampling seeds")

    @property
    def grader(self) -> str | None:
        """The model that grades, or None if grading is off. Default: the first judge, or without judges `model`."""
        default = self.judges[0] if self.quality_check else self.model
        return (self.grade_model or default) if self.grade_answers else None

    @property
    def solver(self) -> str:
        """The model that answers questions for `--blind-solve`."""
        return self.solver_model or self.model

    @property
    def traces_per_text(self) -> int:
        """How many traces are to be made of a text."""
        return self.traces_per_sample * self.traces_per_question * len(self.thoughts)

    @property
    def comparer(self) -> str:
        """The model that decides whether two answers agree."""
        return self.compare_model or (self.judges[0] if self.quality_check else self.solver)

    @property
    def checker(self) -> str | None:
        """The model that checks steps, or None if step checks are off."""
        return (self.check_model or self.model) if self.check_steps else None


class Settings(
    LogOptions, BudgetOptions, ConnectionOptions, ModelOptions, SelectionOptions, PromptOptions, TracerOptions
):
    """The options of a run. Field names are the option names, with underscores."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "traces": (
            "model",
            "input_file",
            "output",
            "max_traces",
            "traces_per_sample",
            "traces_per_question",
            "setting",
            *ThoughtOptions.model_fields,
            *PromptOptions.model_fields,
        ),
        "quality": (*QualityOptions.model_fields,),
        "texts": (*SelectionOptions.model_fields,),
        "tests of traces": (*TrialOptions.model_fields,),
        "models and servers": (*ConnectionOptions.model_fields, *ModelOptions.model_fields, "temperature", "seed"),
        "budget": (*BudgetOptions.model_fields,),
        "the run": ("dry_run", "follow", "list_models", "resume", "allow_mixed", "document_interval"),
        "logs": (*LogOptions.model_fields,),
    }

    input_file: OneOrMore = Field(
        [DEFAULT_INPUT],
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description=f"JSONL (.gz, .zst), papers ({PAPER_ENDINGS}), .parquet, folders of these, wildcards, or hf://OWNER/NAME",
    )
    max_traces: int | None = Field(
        None, ge=1, description="maximum accepted traces in the output, over all runs (default: no limit)"
    )
    output: Path = Field(Path("reasoning_training_data.json"), description="the document to write")
    resume: bool = Field(True, description="continue an earlier run; --no-resume moves its files aside")
    allow_mixed: bool = Field(False, description="resume even if the model, program or seed differs")
    document_interval: float = Field(300.0, gt=0, description="seconds between updates of the document")
    dry_run: bool = Field(False, description="show what would be read, asked and spent, without calling anything")
    follow: bool = Field(False, description="show the replies of the stages as they arrive; for runs of a few traces")
    list_models: bool = Field(False, description="list the models of the server")

    @model_validator(mode="after")
    def _check_default_judges(self) -> "Settings":
        foreign = "/" in self.model or self.model.startswith("embedded")
        if self.quality_check and self.judge_models is None and foreign:
            raise ValueError(
                f"--quality-check with --model {self.model} needs --judge-models: the default judges are on Argo"
            )
        return self

    @model_validator(mode="after")
    def _check_traces_per_sample(self) -> "Settings":
        if self.traces_per_sample > len(self.types):
            raise ValueError(
                f"--traces-per-sample is {self.traces_per_sample}, but there are {len(self.types)} question types"
            )
        return self

    @property
    def models_by_kind(self) -> dict[str, list[str]]:
        """The models that are called, by kind of call; kinds that are not in use are absent."""

        def of(*stages: str) -> list[str]:
            return [self.stage_models.get(stage, self.model) for stage in stages]

        models = {
            "questions": of("questions"),
            "context and strands": of("context", *STRANDS),
            "trace and answer": of("trace", "answer"),
            "own thoughts": [*of("own"), self.comparer] if self.thought != "written" else [],
            "judges": self.judges if self.quality_check else [],
            "grades": [self.grader],
            "blind solving": [self.solver, self.student_model, self.comparer] if self.blind_solve else [],
            "step checks": [self.checker],
        }
        named = {kind: list(dict.fromkeys(name for name in names if name)) for kind, names in models.items()}
        return {kind: names for kind, names in named.items() if names}

    @property
    def journal(self) -> Path:
        """The journal beside the output."""
        return path_beside(self.output, JOURNAL)
