"""What a run can be told: every option of `python -m programs.generate`, with its default and its bounds."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from programs.cli.logs import LogOptions
from programs.cli.options import Many
from programs.files import JOURNAL, beside
from programs.inputs.sources import DEFAULT_INPUT
from programs.option_groups import (
    BudgetOptions,
    ConnectionOptions,
    ModelName,
    ModelOptions,
    PromptOptions,
    QualityOptions,
    SelectionOptions,
    ThoughtOptions,
    TrialOptions,
)
from signatures.vocabulary import Setting

DEFAULT_MODEL = "claudesonnet45"


class TracerOptions(TrialOptions, QualityOptions, ThoughtOptions):
    """The options by which the traces of a text are made: what `programs.tracer.Tracer` is given."""

    model: ModelName = Field(
        DEFAULT_MODEL,
        description="the model: a bare name is an Argo model; openai/NAME any OpenAI-compatible server; embedded the "
        "built-in model, embedded:PATH.gguf or embedded:OWNER/REPOSITORY/FILE.gguf (of the Hub) another; any other "
        "provider/name goes to DSPy as it is",
    )
    setting: Setting = Field(
        "closed",
        description="what is at hand while thinking: closed, the question alone; open, the passage too, which is then part "
        "of the training prompt",
    )
    traces_per_sample: int = Field(1, ge=1, description="traces of different questions per text")
    traces_per_question: int = Field(1, ge=1, le=64, description="variations of one question, by temperature")
    temperature: float = Field(0.7, ge=0, le=2, description="sampling temperature of traces and answers")
    seed: int = Field(0, description="fixes the order of question types and the sampling seeds")

    @property
    def grader(self) -> str | None:
        """The model that grades, or None when grades are not asked for: the first judge rather than the model itself."""
        usual = self.judges[0] if self.quality_check else self.model
        return (self.grade_model or usual) if self.grade_answers else None

    @property
    def solver(self) -> str:
        """The model that solves questions blindly."""
        return self.solver_model or self.model

    @property
    def traces_a_text(self) -> int:
        """The traces that a text is to give."""
        return self.traces_per_sample * self.traces_per_question * len(self.thoughts)

    @property
    def comparer(self) -> str:
        """The model that says whether two answers agree."""
        return self.compare_model or (self.judges[0] if self.quality_check else self.solver)

    @property
    def checker(self) -> str | None:
        """The model that checks steps, or None when that is not asked for."""
        return (self.check_model or self.model) if self.check_steps else None


class Settings(
    LogOptions, BudgetOptions, ConnectionOptions, ModelOptions, SelectionOptions, PromptOptions, TracerOptions
):
    """The options of a run. The names are those of the command line, with underscores."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is made": (
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
        "how good it must be": (*QualityOptions.model_fields,),
        "which texts and questions": (*SelectionOptions.model_fields,),
        "traces put to the test": (*TrialOptions.model_fields,),
        "models and servers": (*ConnectionOptions.model_fields, *ModelOptions.model_fields, "temperature", "seed"),
        "budget": (*BudgetOptions.model_fields,),
        "the run": ("dry_run", "follow", "list_models", "resume", "allow_mixed", "document_interval"),
        "logs": (*LogOptions.model_fields,),
    }

    input_file: Many = Field(
        [DEFAULT_INPUT],
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="JSONL (.gz, .zst), papers (.pdf .tex .docx .html .md .txt), .parquet, folders of these, wildcards, or "
        "hf://OWNER/NAME",
    )
    max_traces: int | None = Field(
        None, ge=1, description="accepted traces in the output at the end (default: no limit)"
    )
    output: Path = Field(Path("reasoning_training_data.json"), description="the document to write")
    resume: bool = Field(True, description="go on where an earlier run stopped; --no-resume moves its files aside")
    allow_mixed: bool = Field(False, description="resume although the model, program or seed differs")
    document_interval: float = Field(300.0, gt=0, description="seconds between writings of the document")
    dry_run: bool = Field(False, description="show what would be read, asked and spent, and call nothing")
    follow: bool = Field(False, description="show what the stages say as it comes: for runs of a few traces")
    list_models: bool = Field(False, description="ask the server for its models and show them")

    @model_validator(mode="after")
    def _whose_judges(self) -> "Settings":
        foreign = "/" in self.model or self.model.startswith("embedded")
        if self.quality_check and self.judge_models is None and foreign:
            raise ValueError(
                f"--quality-check with --model {self.model} needs --judge-models: the default judges are Argo's"
            )
        return self

    @model_validator(mode="after")
    def _a_type_for_each_trace(self) -> "Settings":
        if self.traces_per_sample > len(self.types):
            raise ValueError(
                f"--traces-per-sample is {self.traces_per_sample}, and there are {len(self.types)} question types"
            )
        return self

    @property
    def asked(self) -> dict[str, list[str]]:
        """The models that calls of each kind go to; only the kinds that are asked for."""

        def of(*stages: str) -> list[str]:
            return [self.stage_models.get(stage, self.model) for stage in stages]

        models = {
            "questions": of("questions"),
            "context and strands": of("context", "hypotheses", "evidence", "critique", "perspective"),
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
        return beside(self.output, JOURNAL)
