"""How good traces must be: what judges and graders are asked, and what follows from it."""

from pathlib import Path

from pydantic import BaseModel, Field, field_validator, model_validator

from programs.options.names import comma_separated

DEFAULT_JUDGES = ("claudesonnet37", "gpt4o")


class QualityOptions(BaseModel):
    """Options about how good traces must be."""

    quality_check: bool = Field(False, description="have the traces judged, and make rejected ones again")
    judge_models: list[str] | None = Field(
        None, min_length=1, description=f"the judges, separated by commas (default: {','.join(DEFAULT_JUDGES)})"
    )
    min_quality_score: float = Field(6.0, ge=1, le=10, description="the judges' score from which on a trace is taken")
    max_attempts: int = Field(3, ge=1, le=20, description="how often a trace is made before it is rejected")
    judge_calibration: Path | None = Field(
        None, description="a file of programs.calibrate --apply: each judge's mean bias, which its ratings are freed of"
    )
    grade_answers: bool = Field(False, description="grade the answers on six dimensions")
    grade_model: str | None = Field(
        None, description="the model that grades (default: the first judge with --quality-check, else the model)"
    )

    @field_validator("judge_models", mode="before")
    @classmethod
    def _split_judges(cls, value: object) -> object:
        return comma_separated(value)

    @model_validator(mode="after")
    def _whose_calibration(self) -> "QualityOptions":
        if self.judge_calibration is not None and not self.quality_check:
            raise ValueError("--judge-calibration is about judges: add --quality-check and --judge-models")
        return self

    @property
    def judges(self) -> tuple[str, ...]:
        """The panel."""
        return tuple(self.judge_models or DEFAULT_JUDGES)
