"""Every option of `python -m programs.prove`."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from programs.cli.options import Many, Options
from programs.files import run_name

BUILT_IN_STUDENT = "smollm2-135m"


class ProveOptions(Options):
    """Find out whether the data trains."""

    leading: ClassVar[str] = "document"
    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is proved": ("document", "output", "tier", "against", "outside"),
        "the student": ("student", "max_length", "think_tokens"),
        "the training": ("epochs", "seeds", "learning_rates", "rows_at_once", "held_out", "max_tokens"),
        "the run": ("max_traces", "seed", "resume", "dry_run"),
    }

    document: Path = Field(description="the document to put to the test, or its journal")
    output: Path | None = Field(None, description="the folder for results (default: NAME-proof beside the document)")
    tier: Literal["0", "1", "2"] = Field(
        "0",
        description="0: how the traces are distributed; 1: what thoughts tell a student of their answers; 2: training "
        "with controls; each with those before it",
    )
    against: Many = Field(
        [], json_schema_extra={"metavar": "FILE"}, description="JSONL files of questions that the data must not hold"
    )
    outside: Path | None = Field(
        None, description="tier 2: a JSONL file of other people's yes/no/maybe questions (question, context, answer)"
    )
    student: str = Field(
        BUILT_IN_STUDENT,
        description="the model that is trained: the built-in one, a name on the Hub, a folder or a GGUF",
    )
    max_length: int = Field(2048, ge=64, description="the most tokens of question, thought and answer together")
    think_tokens: int = Field(384, ge=1, description="the most tokens that the student may think before it answers")
    epochs: float = Field(
        2.0, gt=0, description="how often the thought arm sees each trace; the others get as many tokens"
    )
    seeds: int = Field(3, ge=1, description="how often each arm is trained")
    learning_rates: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [], description="the rates to try (default: 1e-5 3e-5 1e-4, above 1B parameters 5e-5 2e-4 5e-4)"
    )
    rows_at_once: int = Field(4, ge=1, description="how many rows are on the device together")
    held_out: float = Field(0.3, gt=0, lt=1, description="the share of papers that are measured and not trained on")
    max_tokens: int | None = Field(None, ge=1, description="the most tokens that an arm is trained on, for a trial")
    max_traces: int = Field(2000, ge=2, description="tiers 1 and 2: so many traces are used, drawn by --seed")
    seed: int = Field(0, description="what is drawn depends on it")
    resume: bool = Field(True, description="go on where a run of the same options stopped, or move its folder aside")
    dry_run: bool = Field(False, description="say what would be done, and about how long it takes")

    @property
    def folder(self) -> Path:
        return self.output or self.document.with_name(f"{run_name(self.document)}-proof")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"--output: {self.folder} is a file; name a folder")
        if self.outside is not None and self.tier != "2":
            raise ValueError("--outside does nothing without --tier 2")
        return self
