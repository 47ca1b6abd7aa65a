"""Which models are asked, where, and how."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from programs.options.names import one_or_many

STAGES = (
    "questions",
    "context",
    "hypotheses",
    "evidence",
    "critique",
    "perspective",
    "trace",
    "answer",
    "own",
)


class ServerOptions(BaseModel):
    """Options about models, where they are, and how they are asked."""

    api_base: list[str] = Field(
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
    temperature: float = Field(0.7, ge=0, le=2, description="sampling temperature of traces and answers")
    max_output_tokens: int = Field(4096, ge=64, description="tokens that one reply may have")
    reasoning_effort: Literal["low", "medium", "high"] | None = Field(
        None, description="how long models think before they answer, where they take it (default: theirs)"
    )
    stage_model: list[str] = Field([], description="STAGE=NAME: another model for one stage; may be repeated")
    program: Path | None = Field(
        None,
        description="the folder of a compiled program to use; none: no other than the plain one (default: the one that "
        "ships for the model, if there is one)",
    )
    prompt_order: Literal["passage-first", "stock"] = Field(
        "passage-first", description="whether prompts begin with what the calls share, or with the instructions"
    )
    seed: int = Field(0, description="fixes the order of question types and the sampling seeds")

    @field_validator("api_base", mode="before")
    @classmethod
    def _servers(cls, value: object) -> object:
        return one_or_many(value)

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
        return {stage: name for stage, _, name in (item.partition("=") for item in self.stage_model)}
