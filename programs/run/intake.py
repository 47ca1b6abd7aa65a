"""Which texts a run begins, and how many traces each may add."""

from programs.inputs.sample import Sample
from programs.run.index import OF_SAMPLE, Index
from programs.run.ledger import Ledger
from programs.run.rules import Rules
from programs.settings import Settings
from programs.traces.line import IMPORTED

_UNSETTLED = "(ifnull(settled, 0) = 0 or basis not in (?, ?))"
_TO_MEND = f"select 1 from variation where {{}} and status = 'accepted' and {_UNSETTLED} limit 1"


class Intake:
    """Holds a run to `--max-samples` and `--max-traces`, which count the texts and traces of all runs of the journal
    together. A text is begun once it has questions or was asked for them in vain; those that are begun may always be
    finished. What is granted to texts under way counts as made until it is given back.
    """

    def __init__(self, index: Index, settings: Settings, rules: Rules, ledger: Ledger) -> None:
        self._index, self._rules, self._ledger = index, rules, ledger
        self._most = settings.max_samples
        self._per_text = settings.traces_a_text
        self._begun = self._unfinished = 0
        self._granted: dict[str, tuple[int, int]] = {}
        accepted = index.counts().get("accepted", 0)
        self._remaining = None if settings.max_traces is None else settings.max_traces - accepted

    @property
    def room(self) -> int | None:
        """How many more texts may be begun or taken up again; None: any number."""
        return None if self._most is None else max(0, self._most - self._begun) + max(0, self._unfinished)

    @property
    def full(self) -> bool:
        """Whether there are as many traces as wanted, those under way included."""
        return self._remaining is not None and self._remaining <= 0

    @property
    def mends(self) -> bool:
        """Whether traces are to be decided again before others are made: other rules decided them, or a verdict, a grade or
        the like is missing. What is lost by that, other texts make up for. Without --max-traces all come by anyway."""
        return self._remaining is not None and self._finds_to_mend("true")

    def to_mend(self, sample: Sample) -> bool:
        """Whether a text has such traces."""
        return self._finds_to_mend(OF_SAMPLE, sample.id)

    def _finds_to_mend(self, whose: str, *sample: str) -> bool:
        return bool(self._index.query(_TO_MEND.format(whose), *sample, self._rules.basis, IMPORTED))

    def reads_anew(self) -> None:
        """A reading of the input begins."""
        if self._most is not None:
            self._begun, self._unfinished = self._index.begun(), self._index.unfinished(self._rules.text_basis)

    def admits(self, sample: Sample) -> bool:
        """Whether a text may be begun, or was begun before."""
        return self._most is None or self._begun < self._most or self._index.knows(sample.id)

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

    def grant(self, sample: Sample) -> int | None:
        """How many traces a text may add; None: any number."""
        if self._remaining is None:
            return None
        before = self._index.accepted_of(sample.id)
        granted = max(0, min(self._per_text - before, self._remaining))
        self._granted[sample.id] = granted, before
        self._remaining -= granted
        return granted

    def ends(self, sample: Sample) -> None:
        """A text gives back what it did not add of the traces that were granted to it."""
        if self._remaining is not None:
            granted, before = self._granted.pop(sample.id)
            self._remaining += granted - (self._index.accepted_of(sample.id) - before)
