"""What a run is to make, by which rules it decides, and which texts of the input it begins."""

from dataclasses import dataclass, field

from programs.inputs.sample import Sample
from programs.run.index import Index
from programs.run.ledger import Ledger
from programs.traces.decision import QualityRules, floors_in_words
from programs.traces.extras import Extras
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
            f"judged by {judges} from {quality.threshold} with {floors_in_words()} in {quality.max_attempts}"
            if quality.check
            else "not judged"
        )
        graded = f"graded by {self.grader}" if self.grader else "not graded"
        return "; ".join([judged, graded, *self.extras.basis])

    @property
    def sample_basis(self) -> str:
        """By which rules samples are done."""
        rules = f"; {self.input_rules}" if self.input_rules else ""
        return f"{self.traces}x{self.variations}; {self.basis}{rules}"


TRACES_ENOUGH = "there were traces enough"
SAMPLES_ENOUGH = "as many texts as --max-samples were begun"
STOPPED = "the run stopped"
NOT_CHOSEN = "the pilot took others"
"""Why a text that was read was not begun."""


class Intake:
    """Holds a run to `--max-samples`: at most so many texts are begun by all runs of the journal together. A text is begun
    once it has questions or was asked for them in vain; those that are begun may always be finished.

    What was read by the `counted` reading and not begun is counted in the ledger.
    """

    def __init__(self, index: Index, goal: Goal, ledger: Ledger) -> None:
        self._index = index
        self._goal = goal
        self._ledger = ledger
        self._begun = 0
        self._unfinished = 0

    def reads_anew(self) -> None:
        """A reading of the input begins."""
        if self._goal.max_samples is not None:
            self._begun = self._index.begun()
            self._unfinished = self._index.unfinished(self._goal.sample_basis)
        self._tell_room()

    def admits(self, sample: Sample) -> bool:
        """Whether a text may be begun, or was begun before."""
        limit = self._goal.max_samples
        return limit is None or self._begun < limit or self._index.knows(sample.id)

    @property
    def nothing_left(self) -> bool:
        """Where a text is not admitted: whether no later one can be, since all that were begun have come by."""
        return self._unfinished <= 0

    def begins(self, sample: Sample) -> None:
        """A text is begun, or taken up again."""
        self._ledger.begins(sample.id)
        if self._index.knows(sample.id):
            self._unfinished -= 1
        else:
            self._begun += 1
        self._tell_room()

    def leaves(self, sample: Sample | None, counted: bool, why: str) -> None:
        """A text was read and is left for now."""
        if sample is not None and counted and not self._index.knows(sample.id):
            self._ledger.left[why] += 1

    def _tell_room(self) -> None:
        limit = self._goal.max_samples
        self._ledger.room = None if limit is None else max(0, limit - self._begun) + max(0, self._unfinished)
