"""The generation runner: makes many samples' traces at once. A killed run, started again, goes the same way, answered from
the journal (`JournaledCaller`), and pays only for what it had not written."""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, field

from programs.errors import RunStopped, SynthReasonerError
from programs.inputs.sample import Sample
from programs.run.index import BUG, Index
from programs.run.journaled import JournaledCaller
from programs.run.outcomes import JournalStore, Rules
from programs.settings import Settings
from programs.tracer import SampleOutcome, Tracer
from programs.traces.line import IMPORTED

SWEEPS = 2
"""How often what failed, and was not refused, is tried again at the end of an input that can be read again. Texts that had
got too few traces are taken up as often as they may have traces, while others give some back."""

MOST_BUGS = 5
"""Texts in a row that an error in this program may end, before it ends the run: then it is no matter of one text."""

log = logging.getLogger("synthreasoner")


class Intake:
    """Which texts a run begins, and how many traces each may add. `--max-samples` and `--max-traces` count those of all
    runs of the journal. Texts that are begun (`Index.begun`) may always be finished. `remaining` is how many traces are to
    be made (None: any number); what is granted to texts under way counts as made until it is given back."""

    def __init__(self, index: Index, settings: Settings, rules: Rules) -> None:
        self._index, self._rules = index, rules
        self._most, self._per_text = settings.max_samples, settings.traces_a_text
        self._begun = self._unfinished = 0
        self._granted: dict[str, tuple[int, int]] = {}
        accepted = index.counts().get("accepted", 0)
        self.remaining = None if settings.max_traces is None else settings.max_traces - accepted

    @property
    def room(self) -> int | None:
        """How many more texts may be begun or taken up again; None: any number."""
        return None if self._most is None else max(0, self._most - self._begun) + max(0, self._unfinished)

    @property
    def full(self) -> bool:
        """Whether there are as many traces as wanted, those under way included."""
        return self.remaining is not None and self.remaining <= 0

    def to_mend(self) -> set[int]:
        """The texts with traces that are to be decided again before others are made: other rules decided them, or a verdict
        or the like is missing. Without --max-traces all come by anyway."""
        unsettled = "status = 'accepted' and (ifnull(settled, 0) = 0 or basis not in (?, ?))"
        query = f"select distinct sample from variation where {unsettled}"
        found = [] if self.remaining is None else self._index.query(query, self._rules.basis, IMPORTED)
        return {int(sample, 16) for (sample,) in found}

    def reads_anew(self) -> None:
        if self._most is not None:
            self._begun, self._unfinished = self._index.begun(), self._index.unfinished(self._rules.text_basis)

    def admits(self, sample: Sample) -> bool:
        return self._most is None or self._begun < self._most or self._index.knows(sample.id)

    @property
    def nothing_left(self) -> bool:
        """Where a text is not admitted: whether no later one can be, since all that were begun have come by."""
        return self._unfinished <= 0

    def begin(self, sample: Sample) -> int | None:
        """A text is begun, or taken up again: how many traces it may add; None: any number."""
        if self._index.knows(sample.id):
            self._unfinished -= 1
        else:
            self._begun += 1
        if self.remaining is None:
            return None
        before = self._index.accepted_of(sample.id)
        granted = max(0, min(self._per_text - before, self.remaining))
        self._granted[sample.id] = granted, before
        self.remaining -= granted
        return granted

    def end(self, sample: Sample) -> None:
        """A text gives back what it did not add of the traces that were granted to it."""
        if self.remaining is not None:
            granted, before = self._granted.pop(sample.id)
            self.remaining += granted - (self._index.accepted_of(sample.id) - before)


@dataclass
class Runner:
    """Makes the traces of a run. Once the gate is closed, no call begins; those in flight end, or are abandoned."""

    tracer: Tracer
    settings: Settings
    caller: JournaledCaller
    store: JournalStore
    intake: Intake
    _failed: set[int] = field(default_factory=set)
    _limited: set[int] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _error: BaseException | None = None
    _bugs: int = 0

    def __post_init__(self) -> None:
        self._ledger = self.store.ledger
        self._gate, self._reading = self._ledger.gate, self._ledger.reading

    async def run(self) -> None:
        """Returns when all that was asked for is made or settled, or the gate was closed. Raises `FatalError` when the
        models are gone and `StorageError` when the journal cannot be written; calls in flight are waited for first."""
        try:
            if (mended := self.intake.to_mend()) and self._reading.repeatable:
                await self._pass(mended, deciding_again=True)
            await self._pass()
            for number in range(SWEEPS + self.settings.traces_a_text):
                again = self._limited | (self._failed if number < SWEEPS else set())
                if not again or self._stopping or self.intake.full or not self._reading.repeatable:
                    break
                await self._pass(again)
        except asyncio.CancelledError:
            self.abandon()
            raise
        finally:
            await self._drain()
        error = self.caller.failure or self._error
        if error is not None:
            raise error
        if not self._stopping and not self._ledger.traces["accepted"]:
            self.caller.check_answered()

    def abandon(self) -> None:
        """Gives up the calls in flight. What they were to answer is asked again by a later run."""
        for task in self._tasks:
            task.cancel()

    @property
    def _stopping(self) -> bool:
        return self._gate.closed or self._error is not None

    async def _pass(self, texts: set[int] | None = None, *, deciding_again: bool = False) -> None:
        """Goes through the input once, for these texts alone; with `deciding_again` although no trace is left to make."""
        self.intake.reads_anew()
        self._failed, self._limited = set(), set()

        def wanted(sample: Sample) -> bool:
            return texts is None or int(sample.id, 16) in texts

        async with aclosing(self._reading.samples(self._gate, wanted, counted=texts is None)) as samples:
            async for sample in samples:
                if self.store.done(sample):
                    continue
                if not self.intake.admits(sample):
                    if self.intake.nothing_left:
                        break
                    continue
                if not await self._room(deciding_again):
                    break
                self._ledger.under_way += 1
                task = asyncio.create_task(self._sample(sample, self.intake.begin(sample)))
                self._tasks.add(task)
                task.add_done_callback(self._finished)
        await self._drain()

    async def _room(self, deciding_again: bool) -> bool:
        """Waits until there is room for a sample and something left to make; False when it is time to stop."""
        while not self._stopping:
            full = self._gate.ending = self.intake.full and not deciding_again
            if not full and len(self._tasks) < self._gate.texts:
                return True
            if not self._tasks:
                return False
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return False

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, RunStopped):
            self._error = self._error or error
            self._gate.close()

    async def _drain(self) -> None:
        self._gate.ending = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _sample(self, sample: Sample, limit: int | None) -> None:
        try:
            outcome = await self.tracer.made(sample, self.settings, self.caller.answer, self.store, limit)
            self._bugs = 0
        except Exception as error:
            outcome = self._given_up(sample, error)
        finally:
            self.intake.end(sample)
        self.store.end(sample, outcome)
        if outcome.failed and not outcome.refused:
            self._failed.add(int(sample.id, 16))
        if outcome.limited:
            self._limited.add(int(sample.id, 16))

    def _given_up(self, sample: Sample, error: Exception) -> SampleOutcome:
        """The end of a text by an error that nobody foresaw: it costs that text, not the whole run. Raises what is no such
        error, and what comes up in one text after another."""
        self._bugs += 1
        if isinstance(error, SynthReasonerError) or self._bugs == MOST_BUGS:
            raise error
        what = f"{BUG}, please report it: {type(error).__name__}: {error}"
        log.error("a text is given up: %s", what, exc_info=error, extra={"sample": sample.id})
        return SampleOutcome(bug=what)
