"""Who asks, who waits and who is answered from the journal, over all threads and tasks of a compilation."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from weakref import WeakKeyDictionary

from optimize.recording.call_journal import Account, Call, CallJournal, Purpose, Spend
from programs.errors import FatalError, JournalError, SynthReasonerError
from programs.lms.failures import backend_error


class CompileStopped(FatalError):
    """The compilation is being ended: nothing is asked any more. It can be resumed."""


class BudgetSpent(CompileStopped):
    """As many calls were paid for as were allowed. A resumed compilation replays them, and needs a higher limit."""


class Flight:
    """A call that is being made, as a context. Whoever else needs its answer waits for `landed`, which gives nothing:
    the answer is then in the journal, or somebody has to ask again; an error of the call is raised there too."""

    def __init__(self, key: str, land: Callable[["Flight", BaseException | None], None]) -> None:
        self.key = key
        self.landed: Future[None] = Future()
        # A waiting task that is cancelled must not cancel the call of another.
        self.landed.set_running_or_notify_cancel()
        self._land = land

    def __enter__(self) -> "Flight":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._land(self, error)
        finally:
            if isinstance(error, Exception):
                self.landed.set_exception(error)
            else:
                self.landed.set_result(None)


class Recorder:
    """The calls of one compilation: answered from the journal of `folder` where they were answered before, else made
    once, however many ask at the same time. Safe to share between threads, tasks and event loops.

    `max_calls` limits the calls that are paid for, over all sessions; `at_once` those under way on one event loop.
    `failure` is the first error after which nothing can succeed (the budget is spent, a server refuses, the disk is full):
    from then on every call that is not recorded raises it at once. DSPy's optimizers catch errors, so look here when one
    has ended. Use it as a context, or `close` it. Raises what `CallJournal` raises.
    """

    def __init__(self, folder: Path, *, max_calls: int | None = None, at_once: int | None = None) -> None:
        self.failure: SynthReasonerError | None = None
        self._journal = CallJournal(folder)
        self._max_calls = max_calls
        self._at_once = at_once
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        # Recorded or under way. Counted here: a flight whose answer is in the journal may not have landed yet.
        self._spent = len(self._journal)
        self._flights: dict[str, Flight] = {}
        self._replayed: dict[Purpose, Spend] = {}
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The journal."""
        return self._journal.path

    @property
    def mended(self) -> int:
        """Bytes of a torn last line that were cut off when the journal was opened."""
        return self._journal.mended

    @property
    def account(self) -> Account:
        """What was paid and replayed so far."""
        with self._lock:
            return Account(paid=dict(self._journal.paid), replayed=dict(self._replayed))

    def place(self) -> AbstractAsyncContextManager[object]:
        """A place among the calls that may be under way at once. Whoever takes a turn holds one."""
        if self._at_once is None:
            return nullcontext()
        return self._places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._at_once))

    def turn(self, key: str, purpose: Purpose) -> Call | Flight | Future[None]:
        """What the caller is to do about a call: take the recorded answer; or make the call inside the `Flight`; or wait,
        and then take its turn again. Raises `failure`, and `CompileStopped` after `close`."""
        with self._lock:
            if self._closed:
                raise CompileStopped("the compilation has been ended")
            call = self._journal.get(key)
            if call is not None:
                self._replayed[purpose] = self._replayed.get(purpose, Spend()) + call.spend
                return call
            if key in self._flights:
                return self._flights[key].landed
            self._permit()
            self._spent += 1
            flight = self._flights[key] = Flight(key, self._land)
            return flight

    def keep(self, call: Call) -> None:
        """Records the answer of a flight. Raises `JournalError`."""
        self._journal.append(call)

    def close(self) -> None:
        """No call starts any more. The journal is released as soon as the calls under way are recorded: at once when
        there are none. Safe to call twice."""
        with self._lock:
            idle = not self._flights and not self._closed
            self._closed = True
            if idle:
                self._journal.close()

    def check_answered(self, why: str) -> None:
        """Raises `FatalError` when not one call was ever answered; `why` says what became of them."""
        if not self.account.all_paid.calls:
            raise FatalError(f"not one call was answered ({why})")

    def wait(self, seconds: float | None = None) -> None:
        """Waits so long for the calls under way to end, well or badly (None: as long as they take). After `close` none
        follows them."""
        with self._lock:
            landed = [flight.landed for flight in self._flights.values()]
        wait(landed, timeout=seconds)

    def _permit(self) -> None:
        if self.failure is None and self._max_calls is not None and self._spent >= self._max_calls:
            self.failure = BudgetSpent(f"the budget of {self._max_calls} calls is spent")
        if self.failure is not None:
            raise self.failure.with_traceback(None)

    def _land(self, flight: Flight, error: BaseException | None) -> None:
        with self._lock:
            del self._flights[flight.key]
            if flight.key not in self._journal:
                self._spent -= 1
            self.failure = self.failure or _fatal(error)
            if self._closed and not self._flights:
                self._journal.close()


def _fatal(error: BaseException | None) -> SynthReasonerError | None:
    if error is None or isinstance(error, JournalError):
        return error
    found = backend_error(error)
    return found if isinstance(found, FatalError) else None
