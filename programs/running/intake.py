"""Which texts of the input a run begins, and why it left the others."""

from programs.inputs.sample import Sample
from programs.journals.index import Index
from programs.running.goal import Goal
from programs.running.ledger import Ledger

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
        self._ledger.work.begins(sample.id)
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
        self._ledger.room = None if limit is None else max(0, limit - self._begun)
