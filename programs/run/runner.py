"""The generation runner: makes many samples' traces at once, with everything paid for in the journal.

Each sample's asks are answered by `JournaledCaller`: a stage that the journal holds is read from it, any other is asked
and written before the next one goes on. A killed run, started again, therefore goes the same way and pays only for what
it had not written; another threshold or panel decides again from the same lines.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import RunStopped, SynthReasonerError
from programs.inputs.sample import Sample
from programs.run.gate import Gate
from programs.run.intake import Intake
from programs.run.journaled import JournaledCaller
from programs.run.outcomes import JournalStore
from programs.run.reading import Reading
from programs.settings import Settings
from programs.tracer import SampleOutcome, Tracer

SWEEPS = 2
"""How often what failed, and was not refused, is tried again at the end of an input that can be read again. Texts that had
got too few traces are taken up as often as they may have traces, while others give some back."""

FIRST = 4
"""So many traces are taken to have been accepted beside those that were decided: the first ones tell little of the rest."""

MOST_BUGS = 5
"""Texts in a row that an error in this program may end, before it ends the run: then it is no matter of one text."""

log = logging.getLogger("synthreasoner")


@dataclass
class Runner:
    """Makes the traces of a run. Once the gate is closed, no call begins; those in flight end, or are abandoned."""

    tracer: Tracer
    settings: Settings
    caller: JournaledCaller
    gate: Gate
    store: JournalStore
    intake: Intake
    reading: Reading
    _failed: set[int] = field(default_factory=set)
    _limited: set[int] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _spares: dict[str, tuple[Sample, asyncio.Future[bool]]] = field(default_factory=dict)
    _made: Counter[bool] = field(default_factory=Counter)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _error: BaseException | None = None
    _bugs: int = 0

    async def run(self) -> None:
        """Returns when all that was asked for is made or settled, or the gate was closed.

        Raises `FatalError` when the models are gone and `StorageError` when the journal cannot be written; calls in
        flight are waited for first, and what they gave is kept.
        """
        try:
            if self.intake.mends and self.reading.repeatable:
                await self._pass(self.intake.to_mend, deciding_again=True)
            await self._pass(lambda _sample: True, counted=True)
            for number in range(SWEEPS + self.settings.traces_a_text):
                await self._sweep(self._limited | (self._failed if number < SWEEPS else set()))
        except asyncio.CancelledError:
            self.abandon()
            raise
        finally:
            await self._drain()
        error = self.caller.failure or self._error
        if error is not None:
            raise error
        if not self._stopping and not self.store.accepted:
            self.caller.check_answered()

    def abandon(self) -> None:
        """Gives up the calls in flight. What they were to answer is asked again by a later run."""
        for task in self._tasks:
            task.cancel()

    @property
    def _stopping(self) -> bool:
        return self.gate.closed or self._error is not None

    async def _sweep(self, again: set[int]) -> None:
        """Takes up these texts, unless there are traces enough, or the input cannot be read again."""
        if again and self.reading.repeatable and not self._stopping and not self.intake.full:
            await self._pass(lambda sample: int(sample.id, 16) in again)

    async def _pass(
        self, wanted: Callable[[Sample], bool], *, deciding_again: bool = False, counted: bool = False
    ) -> None:
        """Goes through the input once, for the `wanted` samples, which is asked in another thread. `deciding_again`:
        samples start although nothing is left to make; `counted`: this is the reading that the report is about."""
        intake = self.intake
        intake.reads_anew()
        self._failed, self._limited = set(), set()
        async with aclosing(self.reading.samples(self.gate, wanted, counted)) as samples:
            async for sample in samples:
                if self.store.done(sample):
                    continue
                if not intake.admits(sample):
                    if intake.nothing_left:
                        break
                    continue
                if not await self._room(deciding_again):
                    break
                intake.begins(sample)
                self._start(sample, spare=intake.full and not deciding_again)
        await self._drain()

    async def _room(self, deciding_again: bool) -> bool:
        """Waits until there is room for a sample and something left to make; False when it is time to stop."""
        while not self._stopping:
            self._changed.clear()
            full = self.intake.full
            if len(self._tasks) < self.gate.texts and (deciding_again or not full or self._wants_spare):
                self.gate.ending = full and not deciding_again
                return True
            if full and not self._tasks:
                return False
            self.gate.ending = full
            await self._changed.wait()
        return False

    @property
    def _wants_spare(self) -> bool:
        """Whether one more text is to be prepared, when enough are under way: as many as are likely to be rejected. One
        that is begun only then would keep the run waiting for all of its stages."""
        lost = self._made[False] / (self._made.total() + FIRST)
        return len(self._spares) < math.ceil(lost * (len(self._tasks) - len(self._spares)))

    def _start(self, sample: Sample, *, spare: bool = False) -> None:
        limit: int | None = 1
        if spare:
            self._spares[sample.id] = sample, asyncio.get_running_loop().create_future()
        else:
            limit = self.intake.grant(sample)
        task = asyncio.create_task(self._sample(sample, limit))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _hand_out(self) -> None:
        """Traces that others gave back go to the spare texts; when no other is under way, the rest of these is left."""
        while self._spares and not self.intake.full and not self._stopping:
            sample, wanted = self._spares[next(iter(self._spares))]
            if wanted.done():
                # It was told that it is left, and is on its way out.
                break
            del self._spares[sample.id]
            self.intake.grant(sample)
            wanted.set_result(True)
        if len(self._tasks) <= len(self._spares) or self._stopping:
            for sample, wanted in self._spares.values():
                if not wanted.done():
                    self.caller.leave(sample)
                    wanted.set_result(False)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._changed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, RunStopped) and self._error is None:
            self._error = error
            self.gate.close()
        self._hand_out()

    async def _drain(self) -> None:
        """Waits for the samples under way."""
        self.gate.ending = True
        self._hand_out()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _sample(self, sample: Sample, limit: int | None) -> None:
        async def answer(ask: Ask) -> Reply:
            if ask.stage == "trace" and sample.id in self._spares and not await self._spares[sample.id][1]:
                raise RunStopped
            return await self.caller.answer(ask)

        try:
            outcome = await self.tracer.made(sample, self.settings, answer, self.store, limit)
            self._bugs = 0
        except Exception as error:
            outcome = self._given_up(sample, error)
        finally:
            if self._spares.pop(sample.id, None) is None:
                self.intake.ends(sample)
            self._hand_out()
        self.store.end(sample, outcome)
        self._made.update(variation.accepted for variation in outcome.variations)
        if outcome.failed and not outcome.refused:
            self._failed.add(int(sample.id, 16))
        if outcome.limited:
            self._limited.add(int(sample.id, 16))

    def _given_up(self, sample: Sample, error: Exception) -> SampleOutcome:
        """The end of a text by an error that nobody foresaw: it costs that text, not the night's run, nor every run that
        goes on with the journal. Raises what is no such error, and what comes up in one text after another."""
        self._bugs += 1
        if isinstance(error, SynthReasonerError) or self._bugs == MOST_BUGS:
            raise error
        what = f"an error in this program, please report it: {type(error).__name__}: {error}"
        log.error("a text is given up: %s", what, exc_info=error, extra={"sample": sample.id})
        return SampleOutcome(bug=what)
