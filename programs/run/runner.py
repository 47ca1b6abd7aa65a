"""The generation runner: makes the traces of many samples at once. A killed run that is started again takes the same steps,
answered from the journal (`JournaledCaller`), and pays only for replies that it had not written."""

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

RETRY_PASSES = 2
"""Extra passes over an input that can be read again, for texts that failed without being refused. Texts whose number of
traces was limited get `traces_per_text` more, since other texts may give traces back."""

MAX_BUGS_IN_A_ROW = 5
"""An error in this program ends only the text in which it occurs; in this many texts in a row, it ends the run."""

log = logging.getLogger("synthreasoner")


class Intake:
    """Decides which texts a run starts, and how many traces each may add. `--max-samples` and `--max-traces` apply to
    all runs of the journal together. Texts that were started (`Index.started_texts`) may always be finished.
    `remaining`: traces still to be made, None for any number; those granted to texts in progress count as made until
    they are given back."""

    def __init__(self, index: Index, settings: Settings, rules: Rules) -> None:
        self._index, self._rules = index, rules
        self._max_texts, self._traces_per_text = settings.max_samples, settings.traces_per_text
        self._started = self._unfinished = 0
        self._granted: dict[str, tuple[int, int]] = {}
        accepted = index.counts().get("accepted", 0)
        self.remaining = None if settings.max_traces is None else settings.max_traces - accepted

    @property
    def room(self) -> int | None:
        """The number of texts that may still be started or resumed; None for any number."""
        return None if self._max_texts is None else max(0, self._max_texts - self._started) + max(0, self._unfinished)

    @property
    def full(self) -> bool:
        """Whether there are as many traces as wanted, including those granted."""
        return self.remaining is not None and self.remaining <= 0

    def to_redecide(self) -> set[int]:
        """The texts whose accepted traces must be decided again before others are made, because other rules decided them
        or, for example, a verdict is missing. Empty without `--max-traces`, since then every text is processed anyway."""
        unsettled = "status = 'accepted' and (ifnull(settled, 0) = 0 or basis not in (?, ?))"
        query = f"select distinct sample from variation where {unsettled}"
        rows = [] if self.remaining is None else self._index.query(query, self._rules.basis, IMPORTED)
        return {int(sample, 16) for (sample,) in rows}

    def start_pass(self) -> None:
        if self._max_texts is not None:
            self._started = self._index.started_texts()
            self._unfinished = self._index.unfinished_texts(self._rules.text_basis)

    def admits(self, sample: Sample) -> bool:
        return self._max_texts is None or self._started < self._max_texts or self._index.has_started(sample.id)

    @property
    def nothing_left(self) -> bool:
        """After a text was not admitted: whether no later one will be, since all that were started have been read."""
        return self._unfinished <= 0

    def begin(self, sample: Sample) -> int | None:
        """Starts or resumes a text. Returns how many traces it may add; None for any number."""
        if self._index.has_started(sample.id):
            self._unfinished -= 1
        else:
            self._started += 1
        if self.remaining is None:
            return None
        before = self._index.accepted_of(sample.id)
        granted = max(0, min(self._traces_per_text - before, self.remaining))
        self._granted[sample.id] = granted, before
        self.remaining -= granted
        return granted

    def end(self, sample: Sample) -> None:
        """Takes back the traces that were granted to a text and that it did not add."""
        if self.remaining is not None:
            granted, before = self._granted.pop(sample.id)
            self.remaining += granted - (self._index.accepted_of(sample.id) - before)


@dataclass
class Runner:
    """Makes the traces of a run. Once the gate is closed, no call starts; those in flight finish, or are abandoned."""

    tracer: Tracer
    settings: Settings
    caller: JournaledCaller
    store: JournalStore
    intake: Intake
    _failed: set[int] = field(default_factory=set)
    _limited: set[int] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _error: BaseException | None = None
    _bugs_in_a_row: int = 0

    def __post_init__(self) -> None:
        self._ledger = self.store.ledger
        self.gate, self._reading = self._ledger.gate, self._ledger.reading

    async def run(self) -> None:
        """Returns when all that was asked for is made or settled, or the gate is closed. Raises `FatalError` if no call can
        succeed and `StorageError` if the journal cannot be written, after the calls in flight have ended."""
        try:
            if (unsettled_texts := self.intake.to_redecide()) and self._reading.repeatable:
                await self._run_pass(unsettled_texts, deciding_again=True)
            await self._run_pass()
            for number in range(RETRY_PASSES + self.settings.traces_per_text):
                again = self._limited | (self._failed if number < RETRY_PASSES else set())
                if not again or self._stopping or self.intake.full or not self._reading.repeatable:
                    break
                await self._run_pass(again)
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
        """Cancels the calls in flight. A later run makes them again."""
        for task in self._tasks:
            task.cancel()

    @property
    def _stopping(self) -> bool:
        return self.gate.closed or self._error is not None

    async def _run_pass(self, texts: set[int] | None = None, *, deciding_again: bool = False) -> None:
        """Reads the input once, for all texts or only these; with `deciding_again`, even if no trace is left to make."""
        self.intake.start_pass()
        self._failed, self._limited = set(), set()

        def wanted(sample: Sample) -> bool:
            return texts is None or int(sample.id, 16) in texts

        async with aclosing(self._reading.samples(self.gate, wanted, counted=texts is None)) as samples:
            async for sample in samples:
                if self.store.done(sample):
                    continue
                if not self.intake.admits(sample):
                    if self.intake.nothing_left:
                        break
                    continue
                if not await self._wait_for_room(deciding_again):
                    break
                self._ledger.texts_in_progress += 1
                task = asyncio.create_task(self._process(sample, self.intake.begin(sample)))
                self._tasks.add(task)
                task.add_done_callback(self._task_done)
        await self._drain()

    async def _wait_for_room(self, deciding_again: bool) -> bool:
        """Waits until another sample may start. Returns False if none should: the run stops, or nothing is left to make."""
        while not self._stopping:
            full = self.gate.ending = self.intake.full and not deciding_again
            if not full and len(self._tasks) < self.gate.texts:
                return True
            if not self._tasks:
                return False
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return False

    def _task_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, RunStopped):
            self._error = self._error or error
            self.gate.close()

    async def _drain(self) -> None:
        self.gate.ending = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _process(self, sample: Sample, limit: int | None) -> None:
        try:
            outcome = await self.tracer.generate(sample, self.settings, self.caller.answer, self.store, limit)
            self._bugs_in_a_row = 0
        except Exception as error:
            outcome = self._give_up(sample, error)
        finally:
            self.intake.end(sample)
        self.store.end(sample, outcome)
        if outcome.failed and not outcome.refused:
            self._failed.add(int(sample.id, 16))
        if outcome.limited:
            self._limited.add(int(sample.id, 16))

    def _give_up(self, sample: Sample, error: Exception) -> SampleOutcome:
        """The outcome of a text that an unforeseen error ended: it costs that text, not the whole run. Raises the error if
        it is one that this project raises on purpose, or if one text after another has ended so."""
        self._bugs_in_a_row += 1
        if isinstance(error, SynthReasonerError) or self._bugs_in_a_row == MAX_BUGS_IN_A_ROW:
            raise error
        what = f"{BUG}, please report it: {type(error).__name__}: {error}"
        log.error("giving up on a text: %s", what, exc_info=error, extra={"sample": sample.id})
        return SampleOutcome(bug=what)
