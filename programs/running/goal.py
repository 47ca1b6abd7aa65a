"""What a run is to make, and by which rules it decides."""

from dataclasses import dataclass, field

from programs.extras.extras import Extras
from programs.units.decision import QualityRules
from signatures.setting import Setting


@dataclass(frozen=True)
class Goal:
    """What a run is to make. `max_traces` counts the accepted traces of earlier runs too, `max_samples` the texts that
    they began; `input_rules` says what is left out of the input and of the questions."""

    traces: int = 1
    variations: int = 1
    max_traces: int | None = None
    max_samples: int | None = None
    input_rules: str = ""
    seed: int = 0
    setting: Setting = "closed"
    temperature: float = 0.7
    takes_sampling: bool = True
    quality: QualityRules = field(default_factory=QualityRules)
    grader: str | None = None
    extras: Extras = field(default_factory=Extras)

    @property
    def a_text(self) -> int:
        """The traces that a text is to give."""
        return self.traces * self.variations * len(self.extras.thoughts)

    @property
    def basis(self) -> str:
        """By which rules units are decided: units of another basis are decided again."""
        quality = self.quality
        less = ",".join(f"{quality.biases[judge]:g}" for judge in quality.judges) if quality.biases else ""
        judges = f"{','.join(quality.judges)}{less and f' less {less}'}"
        judged = (
            f"judged by {judges} from {quality.threshold} in {quality.max_attempts}" if quality.check else "not judged"
        )
        graded = f"graded by {self.grader}" if self.grader else "not graded"
        return "; ".join([judged, graded, *self.extras.basis])

    @property
    def sample_basis(self) -> str:
        """By which rules samples are done."""
        rules = f"; {self.input_rules}" if self.input_rules else ""
        return f"{self.traces}x{self.variations}; {self.basis}{rules}"
