"""What a run is to make, and by which rules it decides."""

from dataclasses import dataclass, field

from programs.decision import QualityRules


@dataclass(frozen=True)
class Goal:
    """What a run is to make. `max_traces` counts the accepted traces of earlier runs too; `base` are the wishes of
    every sample, before its budget."""

    traces: int = 1
    variations: int = 1
    max_traces: int | None = None
    seed: int = 0
    temperature: float = 0.7
    takes_sampling: bool = True
    quality: QualityRules = field(default_factory=QualityRules)
    grader: str | None = None

    @property
    def basis(self) -> str:
        """By which rules units are decided: units of another basis are decided again."""
        quality = self.quality
        judged = (
            f"judged by {','.join(quality.judges)} from {quality.threshold} in {quality.max_attempts}"
            if quality.check
            else "not judged"
        )
        return f"{judged}; {f'graded by {self.grader}' if self.grader else 'not graded'}"

    @property
    def sample_basis(self) -> str:
        """By which rules samples are done."""
        return f"{self.traces}x{self.variations}; {self.basis}"
