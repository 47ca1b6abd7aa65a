"""What a compilation can be told: every option of `python -m optimize.compile`, with its default and its bounds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from optimize.metrics import METRICS, weights_of
from optimize.optimizers import OPTIMIZERS
from optimize.stages import ALL, JUDGE, STAGES
from programs.cli.logs import LogOptions
from programs.cli.options import Many, Names, comma_separated
from programs.inputs.sources import DEFAULT_INPUT
from programs.option_groups import ConnectionOptions, ModelName, ModelNames, TypeOptions

if TYPE_CHECKING:
    OptimizerName = str
else:
    OptimizerName = Literal[tuple(OPTIMIZERS)]


def _known_stages(stages: list[str]) -> list[str]:
    known = [ALL, *STAGES, JUDGE]
    if unknown := next((stage for stage in stages if stage not in known), None):
        raise ValueError(f"{unknown!r} is none of {', '.join(known)}")
    if len(stages) > 1 and {ALL, JUDGE} & {*stages}:
        raise ValueError("all and judge stand alone")
    return stages


class CompileSettings(ConnectionOptions, LogOptions, TypeOptions):
    """The options of a compilation. The names are those of the command line, with underscores."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is tuned": ("model", "trainset", "output", "optimizer", "budget", "stage", "question_types"),
        "how it is measured": (
            "metric",
            "judge_models",
            "report_judge_models",
            "judged_correct_from",
            "num_train",
            "num_val",
            "num_test",
        ),
        "models and servers": (*ConnectionOptions.model_fields, "reflection_model", "seed"),
        "the compilation": ("dry_run", "max_calls", "resume"),
        "logs": (*LogOptions.model_fields,),
    }
    free: ClassVar[frozenset[str]] = frozenset(
        {"output", "resume", "dry_run", "budget", "max_calls", "api_base", "concurrency", "timeout", "patience"}
        | {"retry_wait", *LogOptions.model_fields}
    )
    """Options that a resumed compilation may have otherwise: they change what is spent and how, not what is compared."""

    model: ModelName = Field(
        ...,
        min_length=1,
        description="the model whose prompts are tuned, named as for generate; with --stage judge the first of "
        "--judge-models when not given",
    )
    optimizer: OptimizerName = Field("mipro", description="how to tune")
    trainset: Many = Field(
        [DEFAULT_INPUT],
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of texts; with --stage judge, of labelled answers",
    )
    output: Path = Field(Path("compiled"), description="the folder of the compiled program, its report and its journal")
    stage: Annotated[Names, AfterValidator(_known_stages)] = Field(
        ["all"],
        min_length=1,
        description="all: the whole program at once; or stages, tuned one after another: "
        + ", ".join(STAGES)
        + "; or judge: the judges' prompt, on answers that people judged",
    )
    metric: str = Field(
        "composite", description="composite, or NAME, or NAME=WEIGHT,NAME=WEIGHT of optimize/metrics.py"
    )
    judge_models: ModelNames | None = Field(
        None,
        description="the judges that optimise, or, with --stage judge, are tuned; the model itself when not given (but no "
        "embedded one, which is too weak to optimise others); 'none'",
    )
    report_judge_models: ModelNames | None = Field(
        None, description="the judges of the report; those that optimise when not given"
    )
    reflection_model: ModelName | None = Field(
        None, description="who writes instructions; the model itself when not given"
    )
    budget: Literal["light", "medium", "heavy"] = Field("light", description="how much to try")
    max_calls: int | None = Field(None, ge=1, description="at most so many calls to models, proof and all")
    num_train: int | None = Field(
        None, ge=1, description="training texts (answers, for judges); a quarter, at most 24, when not given"
    )
    num_val: int | None = Field(
        None, ge=1, description="validation texts (answers, for judges); a quarter, at most 24, when not given"
    )
    num_test: int | None = Field(
        None, ge=2, description="sources (questions, for judges) of the proof; half, at most 60, when not given"
    )
    judged_correct_from: int = Field(
        6, ge=2, le=10, description="with --stage judge: an overall rating from this on says that an answer is correct"
    )
    seed: int = Field(0, ge=0, description="what decides everything random")
    resume: bool = Field(True, description="go on where an interrupted compilation in --output stopped")
    dry_run: bool = Field(False, description="say what it would cost, and ask nothing")

    @model_validator(mode="before")
    @classmethod
    def _first_judge(cls, values: dict[str, Any]) -> dict[str, Any]:
        judges = comma_separated(values.get("judge_models"))
        wanted = "model" not in values and JUDGE in (values.get("stage") or [])
        return {**values, "model": judges[0]} if wanted and isinstance(judges, list) and judges else values

    @model_validator(mode="after")
    def _consistent(self) -> "CompileSettings":
        judged, weights = bool(self.judges and self.report_judges), self.weights
        if self.tunes_judges and not judged:
            raise ValueError("--stage judge needs judges: name them with --judge-models, or give --model alone")
        if self.tunes_judges and self.trainset == [DEFAULT_INPUT]:
            raise ValueError("--stage judge needs --trainset: answers that people judged, see optimize/judging.py")
        if self.tunes_judges and self.metric != "composite":
            raise ValueError("--metric is not for --stage judge, which is measured by its agreement with people")
        if not judged and all(METRICS[name].judged for name in weights):
            raise ValueError(f"--metric {self.metric} needs judges: name them with --judge-models")
        if self.program is not None and self.program.resolve() in (out := self.output.resolve(), out / "program.json"):
            raise ValueError("--program and --output must be different folders")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the composite. Raises `UserError` for a metric that is none."""
        return weights_of(self.metric)

    @property
    def tunes_judges(self) -> bool:
        return self.stage == [JUDGE]

    @property
    def judges(self) -> list[str]:
        """The models that judge while optimising."""
        if self.judge_models is not None:
            return [] if self.judge_models == ["none"] else list(dict.fromkeys(self.judge_models))
        return [] if self.model.startswith("embedded") and not self.tunes_judges else [self.model]

    @property
    def report_judges(self) -> list[str]:
        """The models that judge in the proof."""
        named = self.judges if self.report_judge_models is None else self.report_judge_models
        return [] if named == ["none"] else named

    @property
    def proposer(self) -> str:
        """The model that writes instructions."""
        return self.reflection_model or self.model
