"""Every option of `python -m programs.prove`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from programs.cli.options import OneOrMore, Options
from programs.files import run_name

BUILT_IN_STUDENT = "smollm2-135m"


class ProveOptions(Options):
    """Find out whether the data trains a student model."""

    leading: ClassVar[str] = "document"
    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what to test": ("document", "output", "tier", "against", "outside"),
        "the student": ("student", "max_length", "think_tokens"),
        "the training": ("epochs", "seeds", "learning_rates", "rows_at_once", "held_out", "max_tokens"),
        "the run": ("max_traces", "seed", "dry_run"),
    }

    document: Path = Field(description="the document to test, or its journal")
    output: Path | None = Field(None, description="the folder for results (default: NAME-proof beside the document)")
    tier: Literal["0", "1", "2"] = Field(
        "0",
        description="0: how the traces are distributed; 1: how much thoughts help a student predict the answers; 2: "
        "training with controls; each tier includes those before it",
    )
    against: OneOrMore = Field(
        [], json_schema_extra={"metavar": "FILE"}, description="JSONL files of benchmark questions to check for leaks"
    )
    outside: Path | None = Field(
        None, description="tier 2: a JSONL file of other people's yes/no/maybe questions (question, context, answer)"
    )
    student: str = Field(
        BUILT_IN_STUDENT,
        description="the model to train: the built-in one, a name on the Hub, a folder or a GGUF file",
    )
    max_length: int = Field(2048, ge=64, description="maximum tokens of question, thought and answer together")
    think_tokens: int = Field(384, ge=1, description="maximum tokens of a student's thought before it answers")
    epochs: float = Field(
        2.0, gt=0, description="training epochs of the thoughts arm; the other arms get as many tokens"
    )
    seeds: int = Field(3, ge=1, description="how many times each arm is trained, each with its own seed")
    learning_rates: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [], description="the learning rates to try (default: 1e-5 3e-5 1e-4, above 1B parameters 5e-5 2e-4 5e-4)"
    )
    rows_at_once: int = Field(4, ge=1, description="maximum rows per batch on the device")
    held_out: float = Field(0.3, gt=0, lt=1, description="the share of papers held out from training, for measuring")
    max_tokens: int | None = Field(None, ge=1, description="maximum tokens that each arm is trained on, for a trial")
    max_traces: int = Field(2000, ge=2, description="tiers 1 and 2: maximum traces, drawn by --seed")
    seed: int = Field(0, description="seed of samples, splits and intervals")
    dry_run: bool = Field(False, description="show what would be done, and about how long it would take")

    @property
    def folder(self) -> Path:
        return self.output or self.document.with_name(f"{run_name(self.document)}-proof")

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.outside is not None and self.tier != "2":
            raise ValueError("--outside does nothing without --tier 2")
        return self
