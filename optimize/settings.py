"""The options of a compilation: those of `python -m optimize.compile`, with their defaults and bounds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from optimize.metrics import METRICS, parse_weights
from optimize.optimizers import OPTIMIZERS
from optimize.stages import ALL, JUDGE, TUNABLE
from programs.cli.logs import LogOptions
from programs.cli.options import Names, OneOrMore, comma_separated
from programs.inputs.sources import DEFAULT_INPUT
from programs.option_groups import ConnectionOptions, ModelName, ModelNames, SettingOption, TypeOptions

if TYPE_CHECKING:
    OptimizerName = str
else:
    OptimizerName = Literal[tuple(OPTIMIZERS)]


def _check_stages(stages: list[str]) -> list[str]:
    known = [ALL, *TUNABLE, JUDGE]
    if unknown := next((stage for stage in stages if stage not in known), None):
        raise ValueError(f"{unknown!r} is not one of {', '.join(known)}")
    if len(stages) > 1 and {ALL, JUDGE} & {*stages}:
        raise ValueError("all and judge cannot be combined with other stages")
    return stages


class CompileSettings(ConnectionOptions, LogOptions, SettingOption, TypeOptions):
    """The options of a compilation, named as on the command line, with underscores."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is tuned": ("model", "trainset", "output", "optimizer", "budget", "stage", "setting", "question_types"),
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
    changeable: ClassVar[frozenset[str]] = frozenset(
        {"output", "resume", "dry_run", "budget", "max_calls", "api_base", "concurrency", "timeout", "patience"}
        | {"retry_wait", *LogOptions.model_fields}
    )
    """Options that may change when a compilation is resumed: they affect its cost and speed, not what is compared."""

    model: ModelName = Field(
        ...,
        min_length=1,
        description="the model whose prompts are tuned, named as for generate (default with --stage judge: the first of "
        "--judge-models)",
    )
    optimizer: OptimizerName = Field("mipro", description="how to tune")
    trainset: OneOrMore = Field(
        [DEFAULT_INPUT],
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of texts; with --stage judge, of labelled answers",
    )
    output: Path = Field(Path("compiled"), description="folder for the compiled program, its report and its journal")
    stage: Annotated[Names, AfterValidator(_check_stages)] = Field(
        ["all"],
        min_length=1,
        description="all: the whole program at once; or stages, tuned one after another: "
        + ", ".join(TUNABLE)
        + "; or judge: the judges' prompt, on answers that people judged",
    )
    metric: str = Field(
        "composite", description="composite, or a NAME from optimize/metrics.py, or NAME=WEIGHT,NAME=WEIGHT"
    )
    judge_models: ModelNames | None = Field(
        None,
        description="the models that judge while tuning, or, with --stage judge, are tuned; none: no judges (default: the "
        "model itself, unless it is an embedded one, which is too weak to judge others)",
    )
    report_judge_models: ModelNames | None = Field(
        None, description="the models that judge in the proof (default: those of --judge-models)"
    )
    reflection_model: ModelName | None = Field(
        None, description="the model that writes instructions (default: the model itself)"
    )
    budget: Literal["light", "medium", "heavy"] = Field("light", description="how much to try")
    max_calls: int | None = Field(None, ge=1, description="maximum calls to models, including the proof")
    num_train: int | None = Field(
        None, ge=1, description="training texts, or answers with --stage judge (default: a quarter, at most 24)"
    )
    num_val: int | None = Field(
        None, ge=1, description="validation texts, or answers with --stage judge (default: a quarter, at most 24)"
    )
    num_test: int | None = Field(
        None, ge=2, description="sources in the proof, or questions with --stage judge (default: half, at most 60)"
    )
    judged_correct_from: int = Field(
        6, ge=2, le=10, description="with --stage judge: the lowest overall rating that counts as correct"
    )
    seed: int = Field(0, ge=0, description="seed of all random choices")
    resume: bool = Field(True, description="continue an interrupted compilation in --output")
    dry_run: bool = Field(False, description="print the number of calls that it would take, and make none")

    @model_validator(mode="before")
    @classmethod
    def _default_model(cls, values: dict[str, Any]) -> dict[str, Any]:
        judges = comma_separated(values.get("judge_models"))
        missing = "model" not in values and JUDGE in (values.get("stage") or [])
        return {**values, "model": judges[0]} if missing and isinstance(judges, list) and judges else values

    @model_validator(mode="after")
    def _check_consistency(self) -> "CompileSettings":
        judged, weights = bool(self.judges and self.report_judges), self.weights
        if self.tunes_judges and not judged:
            raise ValueError("--stage judge needs judges: name them with --judge-models, or give --model alone")
        if self.tunes_judges and self.trainset == [DEFAULT_INPUT]:
            raise ValueError("--stage judge needs --trainset: answers that people judged (see optimize/judging.py)")
        if self.tunes_judges and self.metric != "composite":
            raise ValueError("--metric cannot be used with --stage judge, which is measured by agreement with people")
        if self.tunes_judges and self.setting != "closed":
            raise ValueError("--setting cannot be used with --stage judge: no thought is written")
        if not judged and all(METRICS[name].judged for name in weights):
            raise ValueError(f"--metric {self.metric} needs judges: name them with --judge-models")
        if self.program is not None and self.program.resolve() in (out := self.output.resolve(), out / "program.json"):
            raise ValueError("--program and --output must be different folders")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the composite. Raises `UserError` for an unknown metric."""
        return parse_weights(self.metric)

    @property
    def tunes_judges(self) -> bool:
        return self.stage == [JUDGE]

    @property
    def judges(self) -> list[str]:
        """The models that judge while tuning."""
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
