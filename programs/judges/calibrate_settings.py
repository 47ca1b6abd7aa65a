"""What a calibration can be told: every option of `python -m programs.calibrate`, with its default and its bounds."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from programs.cli.options import comma_separated
from programs.files import beside
from programs.settings import Settings
from programs.telemetry.logs import LogOptions
from programs.telemetry.tracing import TraceOptions


class CalibrateSettings(LogOptions, TraceOptions):
    """The options of a calibration. Those that `python -m programs.generate` also has mean the same."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is measured": ("labels", "judge_models", "output", "apply", "judged_correct_from"),
        "models and servers": (
            "api_base",
            "concurrency",
            "timeout",
            "patience",
            "retry_wait",
            "max_output_tokens",
            "program",
            "prompt_order",
            "seed",
        ),
        "the calibration": ("dry_run", "max_calls"),
        "logs and traces": (*LogOptions.model_fields, *TraceOptions.model_fields),
    }

    labels: list[str] = Field(
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of answers that people judged (programs/judges/labels.py)",
    )
    judge_models: list[str] = Field(min_length=1, description="the judges, separated by commas or spaces")
    judged_correct_from: int = Field(
        6, ge=2, le=10, description="an overall rating from this on says that an answer is correct"
    )
    output: Path = Field(
        Path("judge_calibration.json"), description="the report; the judges' replies are in a journal beside it"
    )
    apply: Path | None = Field(
        None,
        description="also write each judge's mean bias, for programs.generate --judge-calibration; needs at least 30 "
        "labels from 1 to 10",
    )
    program: Path | None = Field(None, description="the folder of a compiled program whose judges to ask")
    prompt_order: Literal["passage-first", "stock"] = Field("passage-first", description="as for programs.generate")
    api_base: list[str] = Field([], description="addresses of servers, as for programs.generate")
    concurrency: int | None = Field(
        None, ge=1, le=4096, description="calls in flight (default: what the backend takes)"
    )
    timeout: float = Field(120.0, gt=0, description="seconds that one call may take")
    patience: float = Field(900.0, gt=0, description="seconds for which a failing call is tried again")
    retry_wait: float = Field(1.0, gt=0, le=60, description="seconds before the first new try; then doubling up to 60")
    max_output_tokens: int = Field(4096, ge=64, description="tokens that one reply may have")
    max_calls: int | None = Field(None, ge=1, description="calls after which it stops, to be resumed")
    seed: int = Field(0, ge=0, description="fixes the sampling seeds, and the intervals")
    dry_run: bool = Field(False, description="say what would be asked, and ask nothing")

    @field_validator("judge_models", mode="before")
    @classmethod
    def _split_judges(cls, value: object) -> object:
        return comma_separated(value)

    @field_validator("labels", "api_base", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value or []

    @model_validator(mode="after")
    def _different_files(self) -> "CalibrateSettings":
        if self.apply is not None and self.apply.resolve() == self.output.resolve():
            raise ValueError("--apply and --output must be different files")
        return self

    @property
    def journal(self) -> Path:
        """The journal of what the judges said."""
        return beside(self.output, "journal")

    @property
    def models(self) -> Settings:
        """The same as settings of a run, which the judges' models are opened by."""
        return Settings(
            model=self.judge_models[0],
            judge_models=self.judge_models,
            quality_check=True,
            api_base=self.api_base,
            concurrency=self.concurrency,
            timeout=self.timeout,
            patience=self.patience,
            retry_wait=self.retry_wait,
            max_output_tokens=self.max_output_tokens,
        )
