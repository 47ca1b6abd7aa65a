"""Which texts and questions are used."""

from pydantic import BaseModel, Field, field_validator

from programs.inputs.cutting import DEFAULT_TOKENS, Cutting
from programs.inputs.record import TEXT_FIELD
from programs.inputs.shard import Shard
from programs.options.names import one_or_many


class SelectionOptions(BaseModel):
    """Options about which texts and questions are used."""

    shard: str | None = Field(
        None,
        description="I/N: one of N processes that share the input; it takes shard I of the texts, from 1/N to N/N, and "
        "writes OUTPUT.shard-I-of-N.json",
    )
    max_samples: int | None = Field(
        None, ge=1, description="texts that may be begun, those of earlier runs counted; with --shard, of each process"
    )
    prefilter: bool = Field(
        False, description="leave references, acknowledgements, appendices and the like out of the texts"
    )
    chunk_tokens: int | None = Field(
        None,
        ge=50,
        description="tokens, of about 4 characters each, that a passage of a longer text may have (default: "
        f"{DEFAULT_TOKENS} for papers and tables; texts of JSONL are cut only when this is given)",
    )
    chunk_overlap: int = Field(
        Cutting().overlap,
        ge=0,
        le=20,
        description="sentences that a passage repeats of the one before it in its section",
    )
    text_column: str = Field(
        TEXT_FIELD, min_length=1, description="the field of JSONL, .parquet and hf:// that holds the text"
    )
    dedupe_questions: bool = Field(False, description="use no question that was asked of another text of this output")
    dedupe_similarity: float = Field(
        85.0, ge=75, le=100, description="with --dedupe-questions: from which similarity on two questions are one"
    )
    decontaminate: list[str] = Field(
        [],
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of benchmark questions: questions and traces that give one away are left out",
    )
    max_passage_chars: int | None = Field(
        None, ge=200, description="a longer text is cut at a sentence (default: what fits the model)"
    )

    @field_validator("decontaminate", mode="before")
    @classmethod
    def _benchmarks(cls, value: object) -> object:
        return one_or_many(value)

    @field_validator("shard")
    @classmethod
    def _which_shard(cls, value: str | None) -> str | None:
        return None if value is None else str(Shard.parse(value))

    @property
    def part(self) -> Shard | None:
        """The shard of the texts that the run takes; None: all texts."""
        return None if self.shard is None else Shard.parse(self.shard)

    @property
    def cutting(self) -> Cutting:
        """How long texts are cut into passages."""
        return Cutting(self.chunk_tokens, self.chunk_overlap)
