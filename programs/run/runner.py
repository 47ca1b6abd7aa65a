"""The generation runner: makes many samples' traces at once, with everything paid for in the journal.

Each sample's asks are answered by `JournaledCaller`: a stage that the journal holds is read from it, any other is asked
and written before the next one goes on. A killed run, started again, therefore goes the same way and pays only for what
it had not written; another threshold or panel decides again from the same lines.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator

from programs.asking.plan import Ask, Reply
from programs.inputs.sample import Sample
from programs.run.decisions import Decisions
from programs.run.gate import Gate, RunStopped, Turns
from programs.run.goal import SAMPLES_ENOUGH, STOPPED, TRACES_ENOUGH, Goal, Intake
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Ledger
from programs.selection.screening import Screen
from programs.stages.questions import QuestionPool
from programs.telemetry.tracing import about
from programs.tracer import Tracer, Wishes

SWEEPS = 2
"""How often what failed is tried again at the end of the input."""

BREATH = 100
"""Lines of the input that may pass by before the calls in flight and the signals get their turn."""


class Runner:
    """Makes the traces of a run. `samples(counted)` starts reading the input anew each time it is called; it gives None for
    a line without a sample. `counted` is the one reading that the report is about. Once the gate is closed, calls in flight
    have `grace` seconds to end.
    """

    def __init__(
        self,
        tracer: Tracer,
        caller: JournaledCaller,
        journal: Journal,
        gate: Gate,
        goal: Goal,
        ledger: Ledger,
        screen: Screen,
        samples: Callable[[bool], Iterator[Sample | None]],
        grace: float = 120.0,
        **provenance: str | int | None,
    ) -> None:
        self._tracer = tracer
        self._caller = caller
        self._journal = journal
        self._decisions = Decisions(journal, goal, screen, ledger, provenance)
        self._gate = gate
        self._goal = goal
        self._ledger = ledger
        self._screen = screen
        self._turns = Turns()
        self._intake = Intake(journal.index, goal, ledger)
        self._samples = samples
        self._remaining: int | None = None
        self._again: set[int] = set()
        self._limited: deque[Sample] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._error: BaseException | None = None
        gate.when_closed = lambda: asyncio.get_running_loop().call_later(grace, self.abandon)

    async def run(self) -> None:
        """Returns when all that was asked for is made or settled, or the gate was closed.

        Raises `FatalError` when the models are gone and `JournalError` when the journal cannot be written; calls in
        flight are waited for first, and what they gave is kept.
        """
        goal = self._goal
        accepted = self._journal.index.counts().get("accepted", 0)
        self._remaining = None if goal.max_traces is None else goal.max_traces - accepted
        self._ledger.begin(self._journal.index, goal.max_traces)
        try:
            if self._remaining is not None and self._journal.index.stale(goal.basis):
                # First of all: what these lose is made up for by other texts.
                await self._pass(lambda sample: self._journal.index.accepted_of(sample.id) > 0, deciding_again=True)
            await self._pass(lambda _sample: True, counted=True)
            for _ in range(SWEEPS):
                if not self._again or self._stopping or self._full:
                    break
                again, self._again = self._again, set()
                await self._pass(lambda sample, wanted=again: int(sample.id, 16) in wanted)  # type: ignore[misc]
        except asyncio.CancelledError:
            self.abandon()
            raise
        finally:
            await self._drain()
        error = self._caller.failure or self._error
        if error is not None:
            raise error
        if not self._stopping and not self._journal.index.counts().get("accepted"):
            self._caller.check_answered()

    def abandon(self) -> None:
        """Gives up the calls in flight. What they were to answer is asked again by a later run."""
        for task in self._tasks:
            task.cancel()

    @property
    def _stopping(self) -> bool:
        return self._gate.closed or self._error is not None

    @property
    def _full(self) -> bool:
        """Whether there are as many traces as wanted, those under way included."""
        return self._remaining is not None and self._remaining <= 0

    async def _pass(
        self, wanted: Callable[[Sample], bool], *, deciding_again: bool = False, counted: bool = False
    ) -> None:
        """Goes through the input once. `deciding_again`: samples start although nothing is left to make; `counted`: what
        is not begun is counted."""
        self._intake.reads_anew()
        for number, sample in enumerate(self._samples(counted)):
            if number % BREATH == 0:
                await asyncio.sleep(0)
                if self._stopping:
                    self._intake.leaves(sample, counted, STOPPED)
                    break
            if sample is None or not wanted(sample) or self._done(sample):
                continue
            if not self._intake.admits(sample):
                self._intake.leaves(sample, counted, SAMPLES_ENOUGH)
                if self._intake.nothing_left:
                    break
                continue
            if not await self._turn(deciding_again):
                self._intake.leaves(sample, counted, STOPPED if self._stopping else TRACES_ENOUGH)
                break
            self._intake.begins(sample)
            self._start(sample, counted)
            await asyncio.sleep(0)
        await self._drain()

    def _done(self, sample: Sample) -> bool:
        done = self._journal.index.sample(sample.id) == (self._goal.sample_basis, True)
        self._ledger.already_done += done
        return done

    async def _turn(self, deciding_again: bool) -> bool:
        """Waits until there is room for a sample and something left to make; False when it is time to stop."""
        while not self._stopping:
            self._changed.clear()
            if len(self._tasks) < self._gate.texts and (deciding_again or not self._full):
                self._gate.ending = False
                return True
            if self._full and not self._tasks:
                return False
            self._gate.ending = self._full
            await self._changed.wait()
        return False

    def _start(self, sample: Sample, counted: bool = False) -> None:
        goal = self._goal
        ticket = self._turns.take() if self._screen.takes_turns and not self._screen.decided(sample.id) else None
        want = goal.a_text - self._journal.index.accepted_of(sample.id)
        grant = None if self._remaining is None else max(0, min(want, self._remaining))
        if self._remaining is not None and grant is not None:
            self._remaining -= grant
        task = asyncio.create_task(self._sample(sample, grant, ticket, counted))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._changed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, RunStopped) and self._error is None:
            self._error = error
            self._gate.close()

    async def _drain(self) -> None:
        """Waits for the samples under way; places that they give back go to samples which had got too few."""
        restarts: Counter[str] = Counter()
        self._gate.ending = True
        while True:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            if self._limited and not self._full and not self._stopping:
                sample = self._limited.popleft()
                restarts[sample.id] += 1
                if restarts[sample.id] <= self._goal.a_text:
                    self._start(sample)
            elif not self._tasks:
                return

    async def _sample(self, sample: Sample, grant: int | None, ticket: int | None, counted: bool) -> None:
        index, goal = self._journal.index, self._goal

        async def answer(ask: Ask) -> Reply:
            reply = await self._caller.answer(ask)
            if ticket is not None and ask.stage == "questions":
                await self._turns.come(ticket)
            return reply

        before = index.accepted_of(sample.id)
        wishes = Wishes(
            traces=goal.traces,
            variations=goal.variations,
            seed=goal.seed,
            setting=goal.setting,
            temperature=goal.temperature,
            takes_sampling=goal.takes_sampling,
            quality=goal.quality,
            grader=goal.grader,
            extras=goal.extras,
            basis=goal.basis,
            budget=grant,
            known=self._decisions.known,
            pooled=lambda pool: self._keep_pool(sample, pool, ticket),
            finished=self._decisions.unit,
        )
        try:
            with about(sample.id):
                made = await self._tracer.made(sample, wishes, answer)
        except BaseException:
            self._end_turn(ticket, decided=False)
            self._intake.leaves(sample, counted, STOPPED)
            raise
        finally:
            if self._remaining is not None:
                self._remaining += (grant or 0) - (index.accepted_of(sample.id) - before)
        self._end_turn(ticket, decided=True)
        self._decisions.sample(sample, made)
        if made.failed:
            self._again.add(int(sample.id, 16))
        if made.limited:
            self._limited.append(sample)

    def _end_turn(self, ticket: int | None, *, decided: bool) -> None:
        if ticket is not None:
            self._turns.over(ticket, decided=decided)

    def _keep_pool(self, sample: Sample, pool: QuestionPool, ticket: int | None) -> QuestionPool:
        stands = self._decisions.pool(sample.id, pool)
        self._end_turn(ticket, decided=True)
        return stands
