"""Asking with a journal: what was answered before is read, what is answered now is written."""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from programs.asking.ask import Ask
from programs.asking.caller import Caller
from programs.asking.reply import Reply
from programs.errors import FatalError, RunStopped
from programs.lms.engine import placed
from programs.lms.failures import backend_error
from programs.lms.retry import Aside
from programs.run.gate import Gate
from programs.run.journal import Journal
from programs.run.ledger import Ledger

log = logging.getLogger("synthreasoner")

LOST_IN_A_ROW = 12
"""After so many stages in a row at which the server failed or said nothing readable, over all calls in flight, it is taken
to be gone."""

REFUSED_ALIKE = 5
"""After so many texts that a model refused for one reason, none of them answered, it will refuse all."""

REFUSED_AT_FIRST = 200
"""After so many stages without one usable answer since the run began, more of the same would be no use."""


class JournaledCaller:
    """Answers asks from the journal where it can, else from the models through the gate, writing what they say.

    `failure` is the first error after which no call can succeed; it closes the gate at once. `reach` makes sure that the
    servers can be reached; a run that asks nothing needs none.
    """

    def __init__(
        self,
        caller: Caller,
        journal: Journal,
        gate: Gate,
        ledger: Ledger,
        reach: Callable[[], Awaitable[None]],
    ) -> None:
        self._caller, self._journal, self._gate = caller, journal, gate
        self._ledger, self._reach = ledger, reach
        self._reached: asyncio.Task[None] | None = None
        self._failed = self._unanswered = 0
        self._settled = False
        self._problems: list[str] = []
        self._answering: set[str] = set()
        self._refused: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.failure: FatalError | None = None

    async def answer(self, ask: Ask) -> Reply:
        """Raises `RunStopped`, or `FatalError` when the models are gone."""
        line = self._journal.latest("stage", ask.key)
        stored = None if line is None else Reply.model_validate(line["reply"])
        if stored is not None and ask.reads(stored):
            self._ledger.reused += 1
            return stored
        with placed(lambda: self._place(ask)):
            try:
                # Once, before the first call of all.
                self._reached = self._reached or asyncio.ensure_future(self._reach())
                await asyncio.shield(self._reached)
                reply = await self._caller.answer(ask)
            except FatalError as error:
                self._fail(error)
                raise
        self._write(ask, reply)
        self._count(ask, reply)
        return reply

    def check_answered(self) -> None:
        """Raises `FatalError` when stages were asked and not one of them got an answer."""
        if self._unanswered and not self._settled:
            raise self._gone()

    @asynccontextmanager
    async def _place(self, ask: Ask) -> AsyncIterator[Aside]:
        """A place for one call of an ask."""
        async with self._gate.slot(ask.depth, ask.sample) as aside:
            if not self._ledger.budget.permits():
                self._gate.close()
                raise RunStopped
            self._ledger.in_flight += 1
            try:
                yield aside
            except Exception as error:
                failure = backend_error(error)
                if isinstance(failure, FatalError):
                    # Before the place is left: nobody may have it next.
                    self._fail(failure)
                raise
            finally:
                self._ledger.in_flight -= 1

    def _write(self, ask: Ask, reply: Reply) -> None:
        kind = "stage" if reply.settled else "failed"
        self._journal.append(kind, ask.key, stage=ask.account, reply=reply.model_dump(mode="json"))
        self._ledger.answered(ask, reply)
        if not reply.settled:
            log.info("no usable answer: %s", "; ".join(reply.problems), extra={"key": ask.key, "model": reply.model})

    def _count(self, ask: Ask, reply: Reply) -> None:
        """Raises `FatalError` when the server is gone, or refuses whatever it is asked, and `RunStopped` where a stop left
        an ask unanswered. Texts that a server in good order refuses, however many, end no run in which others were
        answered."""
        if self._gate.closed and not reply.settled:
            raise RunStopped
        self._check_refusal(ask, reply)
        self._settled = self._settled or reply.settled
        self._failed = 0 if reply.settled or reply.fault == "refused" else self._failed + 1
        self._unanswered = 0 if reply.settled else self._unanswered + 1
        self._problems = reply.problems
        hopeless = not self._settled and self._unanswered >= REFUSED_AT_FIRST
        if hopeless or self._failed >= LOST_IN_A_ROW + self._gate.capacity:
            raise self._fail(self._gone())

    def _check_refusal(self, ask: Ask, reply: Reply) -> None:
        """Raises `FatalError` where a model that never answered has refused a handful of texts alike."""
        if reply.fault != "refused":
            self._answering |= {reply.model} if reply.settled else set()
        elif reply.model not in self._answering:
            # A refusal may name its request.
            why = re.sub(r"\w*\d\w*", "", reply.problems[-1])
            texts = self._refused[reply.model, why]
            texts.add(ask.sample)
            if len(texts) >= REFUSED_ALIKE:
                raise self._fail(FatalError(f"{reply.model} refuses whatever it is asked: {reply.problems[-1]}"))

    def _gone(self) -> FatalError:
        problems = "; ".join(self._problems)
        return FatalError(f"{self._unanswered} stages in a row got no usable answer; the last: {problems}")

    def _fail(self, error: FatalError) -> FatalError:
        self.failure = self.failure or error
        self._gate.close()
        return error
