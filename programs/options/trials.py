"""How traces are put to the test."""

from pydantic import BaseModel, Field, field_validator, model_validator

from programs.options.names import comma_separated
from programs.records import Need


class TrialOptions(BaseModel):
    """Options of the trials that traces are put to."""

    blind_solve: int | None = Field(
        None, ge=1, le=50, description="how often each question is answered without the passage, and how often with it"
    )
    solver_model: str | None = Field(
        None, min_length=1, description="with --blind-solve: the model that answers (default: the model itself)"
    )
    compare_model: str | None = Field(
        None,
        min_length=1,
        description="with --blind-solve or --thought: the model that compares the answers (default: the first judge with "
        "--quality-check, else the solver)",
    )
    keep: list[Need] = Field(
        [], description="with --blind-solve: take only traces of such questions: known, needs_paper, unanswered"
    )
    check_steps: bool = Field(
        False, description="have a model say which sentence of the text carries each step of a trace, and how"
    )
    check_model: str | None = Field(
        None, min_length=1, description="with --check-steps: the model that says so (default: the model itself)"
    )

    @field_validator("keep", mode="before")
    @classmethod
    def _split_needs(cls, value: object) -> object:
        return comma_separated(value)

    @model_validator(mode="after")
    def _whose_solving(self) -> "TrialOptions":
        given = [name for name in ("solver_model", "keep") if getattr(self, name)]
        if self.blind_solve is None and given:
            option = f"--{given[0].replace('_', '-')}"
            raise ValueError(f"{option} is about blind solving: say how often with --blind-solve K")
        return self

    @model_validator(mode="after")
    def _whose_steps(self) -> "TrialOptions":
        if self.check_model is not None and not self.check_steps:
            raise ValueError("--check-model is about the steps of a trace: add --check-steps")
        return self
