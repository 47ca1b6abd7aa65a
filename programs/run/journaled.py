"""Asking with a journal: what was answered before is read, what is answered now is written as it comes."""

import asyncio
import logging
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from pydantic import ValidationError

from programs.asking.ask import Ask
from programs.asking.caller import Caller
from programs.asking.reply import Rejected, Reply
from programs.errors import FatalError, RunStopped
from programs.inputs.sample import Sample
from programs.lms.engine import placed
from programs.lms.failures import backend_error
from programs.lms.retry import Aside
from programs.run.gate import Gate
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.old_lines import question_of

log = logging.getLogger("synthreasoner")

LOST_IN_A_ROW = 12
"""After so many stages in a row at which a server failed or said nothing readable, over all calls in flight, it is taken
to be gone."""

REFUSED_AT_FIRST = 5
"""After so many texts that a model refused for one reason, none of them answered, it will refuse all."""

REFUSED_IN_A_ROW = 12
"""After so many texts in a row that a model refused, though it answered others, it is taken to refuse everything."""


class JournaledCaller:
    """Answers asks from the journal where it can, else from the models through the gate. Every reply is in the journal
    before its call's place is another's: `failed` lines are replies that gave nothing, and the open ones among them are
    where an ask goes on that was cut short.

    `failure` is the first error after which no call can succeed; it closes the gate at once. `reach` makes sure that the
    servers can be reached; a run that asks nothing needs none.
    """

    def __init__(
        self, caller: Caller, journal: Journal, gate: Gate, ledger: Ledger, reach: Callable[[], Awaitable[None]]
    ) -> None:
        self._caller, self._journal, self._gate = caller, journal, gate
        self._ledger, self._reach = ledger, reach
        self._reached: asyncio.Task[None] | None = None
        self._unread = self._unanswered = 0
        self._failed: defaultdict[str, int] = defaultdict(int)
        self._refused: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._problems: list[str] = []
        self._answering: set[str] = set()
        self._left: set[str] = set()
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

    def leave(self, sample: Sample) -> None:
        """Begins no more calls about a sample; those in flight are waited for, and whoever waits for a place gets
        `RunStopped`."""
        self._left.add(sample.id)

    def check_answered(self) -> None:
        """Raises `FatalError` when stages were asked and not one of them got an answer."""
        if self._unanswered and not self._answering:
            raise self._gone(f"{self._unanswered} stages in a row got no usable answer")

    def _tries(self, ask: Ask) -> Sequence[Rejected]:
        """The tries of an earlier run that was stopped before the next one."""
        line = self._journal.latest("failed", ask.key)
        if line is None or line["reply"]["status"] != "open":
            return ()
        try:
            tries = Reply.model_validate(line["reply"]).rejected
            for each in tries:
                _ = each.output is None or ask.read(each.output)
        except ValidationError:
            # In the form of another version.
            return ()
        return tries

    @asynccontextmanager
    async def _place(self, ask: Ask) -> AsyncIterator[Aside]:
        """A place for one call of an ask, and what it will take of the budget."""
        budget, model = self._ledger.budget, self._caller.name_of(ask)
        async with self._gate.slot(ask.depth) as aside:
            if ask.sample in self._left:
                raise RunStopped
            while not budget.takes(ask, model):
                if budget.reached:
                    self._gate.close()
                else:
                    await aside(budget.released())
                if self._gate.closed:
                    raise RunStopped
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
        """Raises `FatalError` when a server is gone, or refuses whatever it is asked, and `RunStopped` where a stop left
        an ask unanswered: what a stop does is nobody's failure."""
        model, failed = reply.model, self._failed
        if reply.settled:
            self._unread = self._unanswered = 0
            failed[model] = 0
            self._refused[model].clear()
            self._answering.add(model)
            return
        if self._gate.closed:
            raise RunStopped
        self._problems, self._unanswered = reply.problems, self._unanswered + 1
        if reply.fault == "refused":
            self._check_refusal(ask, reply)
        else:
            self._unread += 1
            failed[model] += reply.fault == "server"
        if max(self._unread, failed[model]) >= LOST_IN_A_ROW + self._gate.capacity:
            raise self._gone(f"{self._unanswered} stages in a row got no usable answer")

    def _check_refusal(self, ask: Ask, reply: Reply) -> None:
        """Raises `FatalError` where a model has refused a dozen texts in a row, or from the start a handful alike."""
        texts = self._refused[reply.model]
        # A refusal may name its request.
        texts[ask.sample] = re.sub(r"\w*\d\w*", "", reply.problems[-1])
        alike = Counter(texts.values())[texts[ask.sample]]
        if len(texts) >= REFUSED_IN_A_ROW or (reply.model not in self._answering and alike >= REFUSED_AT_FIRST):
            raise self._gone(f"{reply.model} refused {len(texts)} texts in a row")

    def _gone(self, what: str) -> FatalError:
        return self._fail(FatalError(f"{what}; the last: {'; '.join(self._problems)}"))

    def _fail(self, error: FatalError) -> FatalError:
        self.failure = self.failure or error
        self._gate.close()
        return error
