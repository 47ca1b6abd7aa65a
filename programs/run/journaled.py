"""Asking with a journal: what was answered before is read, what is answered now is written as it comes."""

import asyncio
import logging
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError

from programs.asking.ask import Ask
from programs.asking.caller import Caller
from programs.asking.reply import Rejected, Reply
from programs.errors import FatalError, RunStopped
from programs.lms.engine import placed
from programs.lms.failures import backend_error
from programs.lms.retry import Aside
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.old_lines import question_of

log = logging.getLogger("synthreasoner")

LOST_IN_A_ROW = 12
"""After so many stages in a row without a readable answer, over all calls in flight, a server is taken to be gone."""

REFUSED_AT_FIRST = 5
"""After so many texts that a model refused for one reason, none of them answered, it will refuse all."""

REFUSED_IN_A_ROW = 12
"""After so many texts in a row that a model refused, though it answered others, it is taken to refuse everything."""


@dataclass
class _ModelState:
    """Stages in a row at which a model's server failed, and texts in a row that it refused, with its words."""

    failed_in_a_row: int = 0
    refused_texts: dict[str, str] = field(default_factory=dict)
    answered: bool = False


class JournaledCaller:
    """Answers asks from the journal where it can, else from the models through the gate. Every reply is in the journal
    before its call's place is another's.

    `failure` is the first error after which no call can succeed; it closes the gate at once. `reach` makes sure that the
    servers can be reached; a run that asks nothing needs none.
    """

    def __init__(self, caller: Caller, journal: Journal, ledger: Ledger, reach: Callable[[], Awaitable[None]]) -> None:
        self._caller, self._journal, self._reach = caller, journal, reach
        self._ledger, self._gate = ledger, ledger.gate
        self._reached: asyncio.Task[None] | None = None
        self._unread = self._unanswered = 0
        self._models: defaultdict[str, _ModelState] = defaultdict(_ModelState)
        self._problems: list[str] = []
        self.failure: FatalError | None = None

    async def answer(self, ask: Ask) -> Reply:
        """Raises `RunStopped`, or `FatalError` when the models are gone."""
        stored = self._stored(ask)
        if stored is not None and ask.reads(stored):
            self._ledger.reused += 1
            return stored
        with placed(lambda: self._place(ask)):
            try:
                # Once, before the first call of all.
                self._reached = self._reached or asyncio.ensure_future(self._reach())
                await asyncio.shield(self._reached)
                reply = await self._caller.answer(ask, self._tries(ask), lambda reply: self._write(ask, reply))
            except FatalError as error:
                self._fail(error)
                raise
            finally:
                self._ledger.budget.release(ask)
        self._count(ask, reply)
        return reply

    def _stored(self, ask: Ask) -> Reply | None:
        line = self._journal.latest("stage", ask.key)
        if line is None and ask.stage == "questions":
            text, _, kind = ask.key.rpartition("/")
            older = self._journal.latest("stage", text)
            return Reply.model_validate(question_of(older, kind)) if older else None
        return Reply.model_validate(line["reply"]) if line else None

    def check_answered(self) -> None:
        """Raises `FatalError` when stages were asked and not one of them got an answer."""
        if self._unanswered and not any(model.answered for model in self._models.values()):
            raise self._gone(f"{self._unanswered} stages in a row got no usable answer")

    def _tries(self, ask: Ask) -> Sequence[Rejected]:
        """The tries of an earlier run that was stopped before the next one."""
        line = self._journal.latest("failed", ask.key)
        if line is None or line["reply"]["status"] != "open":
            return ()
        try:
            tries = Reply.model_validate(line["reply"]).rejected
            for each in tries:
                if each.output is not None:
                    ask.read(each.output)
        except ValidationError:
            return ()  # in the form of another version
        return tries

    @asynccontextmanager
    async def _place(self, ask: Ask) -> AsyncIterator[Aside]:
        budget, model = self._ledger.budget, self._caller.name_of(ask)
        async with self._gate.place(ask.depth) as aside:
            while (taken := budget.take(ask, model)) != "go":
                if taken == "stop":
                    self._gate.close()
                    raise RunStopped
                await aside(budget.released())
            try:
                yield aside
            except Exception as error:
                failure = backend_error(error)
                if isinstance(failure, FatalError):
                    # Before the place is left: nobody may have it next.
                    self._fail(failure)
                raise

    def _write(self, ask: Ask, reply: Reply) -> None:
        kind = "stage" if reply.settled else "failed"
        self._journal.append(kind, ask.key, stage=ask.account, reply=reply.model_dump(mode="json"))
        self._ledger.answered(ask, reply)
        if reply.status == "unread":
            log.info("no usable answer: %s", "; ".join(reply.problems), extra={"key": ask.key, "model": reply.model})

    def _count(self, ask: Ask, reply: Reply) -> None:
        """Raises `FatalError` when a server is gone or refuses everything, `RunStopped` where a stop left it unanswered."""
        if reply.settled:
            self._unread = self._unanswered = 0
            self._models[reply.model] = _ModelState(answered=True)
            return
        if self._gate.closed:
            raise RunStopped
        self._problems, self._unanswered = reply.problems, self._unanswered + 1
        model = self._models[reply.model]
        if reply.fault == "refused":
            # A refusal may name its request.
            words = model.refused_texts[ask.sample] = re.sub(r"\w*\d\w*", "", reply.problems[-1])
            refused, alike = len(model.refused_texts), Counter(model.refused_texts.values())[words]
            if refused >= REFUSED_IN_A_ROW or (not model.answered and alike >= REFUSED_AT_FIRST):
                raise self._gone(f"{reply.model} refused {refused} texts in a row")
        else:
            self._unread += 1
            model.failed_in_a_row += reply.fault == "server"
        if max(self._unread, model.failed_in_a_row) >= LOST_IN_A_ROW + self._gate.capacity:
            raise self._gone(f"{self._unanswered} stages in a row got no usable answer")

    def _gone(self, what: str) -> FatalError:
        return self._fail(FatalError(f"{what}; the last: {'; '.join(self._problems)}"))

    def _fail(self, error: FatalError) -> FatalError:
        self.failure = self.failure or error
        self._gate.close()
        return error
