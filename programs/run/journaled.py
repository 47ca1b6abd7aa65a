"""Answers asks from the journal if it has a reply, and writes new replies to it as they arrive."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from pydantic import ValidationError

from programs.asking.ask import Ask
from programs.asking.caller import Caller
from programs.asking.reply import RejectedTry, Reply
from programs.errors import FatalError, RunStopped
from programs.lms.engine import limited_by
from programs.lms.failures import backend_error
from programs.lms.retry import ReleaseWhile
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.old_lines import upgrade_question_reply

log = logging.getLogger("synthreasoner")

LOST_IN_A_ROW = 12
"""A server counts as gone after this many stages in a row, plus one per permit, without a readable answer."""

REFUSED_IN_A_ROW = 12
"""A model counts as refusing everything once it refused this many texts in a row."""


@dataclass
class _Silence:
    """Since a model's last answer: the stages at which its server failed, and the texts that it refused."""

    failed: int = 0
    refused: set[str] = field(default_factory=set)


class JournaledCaller:
    """Answers asks from the journal if it can, otherwise from the models through the gate. Every reply is in the journal
    before another call uses its permit.

    `failure`: the first error after which no call can succeed; it closes the gate at once. `check_servers` checks that
    the servers can be reached, before the first call of the run, if there is one."""

    def __init__(
        self, caller: Caller, journal: Journal, ledger: Ledger, check_servers: Callable[[], Awaitable[None]]
    ) -> None:
        self._caller, self._journal = caller, journal
        self._check_servers = check_servers
        self._ledger, self._gate = ledger, ledger.gate
        self._servers_checked: asyncio.Task[None] | None = None
        self._unread, self._answered = 0, False
        self._silences = defaultdict[str, _Silence](_Silence)
        self._last_unsettled: Reply | None = None
        self.failure: FatalError | None = None

    async def answer(self, ask: Ask) -> Reply:
        """Raises `RunStopped` if the run stops first, `FatalError` if no call can succeed, and what the journal does."""
        stored = self._stored(ask)
        if stored is not None and ask.can_read(stored):
            self._ledger.reused += 1
            return stored
        with limited_by(lambda: self._permit(ask)):
            try:
                self._servers_checked = self._servers_checked or asyncio.ensure_future(self._check_servers())
                await asyncio.shield(self._servers_checked)
                reply = await self._caller.answer(ask, self._earlier_tries(ask), lambda reply: self._write(ask, reply))
            except FatalError as error:
                self._fail(error)
                raise
            finally:
                self._ledger.budget.release(ask)
        self._count_reply(ask, reply)
        return reply

    def check_answered(self) -> None:
        """Raises `FatalError` if models were asked and none gave an answer."""
        if self._last_unsettled is not None and not self._answered:
            self._give_up("no call got a usable answer", self._last_unsettled)

    def _stored(self, ask: Ask) -> Reply | None:
        line = self._journal.latest("stage", ask.key)
        if line is None and ask.stage == "questions":
            text, kind = ask.subject
            older = self._journal.latest("stage", f"questions/{text}")
            return Reply.model_validate(upgrade_question_reply(older, kind)) if older else None
        return Reply.model_validate(line["reply"]) if line else None

    def _earlier_tries(self, ask: Ask) -> Sequence[RejectedTry]:
        """The tries of an earlier run that was stopped before the next try."""
        line = self._journal.latest("failed", ask.key)
        if line is None or line["reply"]["status"] != "open":
            return ()
        try:
            tries = Reply.model_validate(line["reply"]).rejected
            for rejected in tries:
                if rejected.output is not None:
                    ask.read(rejected.output)
        except ValidationError:
            return ()  # written by another version, in another form
        return tries

    @asynccontextmanager
    async def _permit(self, ask: Ask) -> AsyncIterator[ReleaseWhile]:
        budget, model = self._ledger.budget, self._caller.name_of(ask)
        async with self._gate.permit(ask.depth) as release_while:
            while (decision := budget.take(ask, model)) != "go":
                if decision == "stop":
                    self._gate.close()
                    raise RunStopped
                await release_while(budget.wait_for_release())
            try:
                yield release_while
            except Exception as error:
                failure = backend_error(error)
                if isinstance(failure, FatalError):
                    # While the permit is still held, so that no other call gets it.
                    self._fail(failure)
                raise

    def _write(self, ask: Ask, reply: Reply) -> None:
        kind = "stage" if reply.settled else "failed"
        self._journal.append(kind, ask.key, stage=ask.stage, reply=reply.model_dump(mode="json"))
        self._ledger.record_reply(ask, reply)
        if reply.status == "unread":
            log.info("no usable answer: %s", "; ".join(reply.problems), extra={"key": ask.key, "model": reply.model})

    def _count_reply(self, ask: Ask, reply: Reply) -> None:
        """Raises `FatalError` if a server is gone or refuses everything, `RunStopped` if a stop left the ask unanswered."""
        if reply.settled:
            self._unread, self._answered = 0, True
            self._silences.pop(reply.model, None)
            return
        if self._gate.closed:
            raise RunStopped
        self._last_unsettled = reply
        silence = self._silences[reply.model]
        if reply.fault == "refused":
            silence.refused.add(ask.sample)
            if len(silence.refused) >= REFUSED_IN_A_ROW:
                self._give_up(f"{reply.model} refused {len(silence.refused)} texts in a row", reply)
            return
        self._unread += 1
        silence.failed += reply.fault == "server"
        lost = max(self._unread, silence.failed)
        if lost >= LOST_IN_A_ROW + self._gate.capacity:
            self._give_up(f"{lost} stages in a row got no usable answer", reply)

    def _give_up(self, what: str, reply: Reply) -> NoReturn:
        error = FatalError(f"{what}; last problem: {'; '.join(reply.problems)}")
        self._fail(error)
        raise error

    def _fail(self, error: FatalError) -> None:
        self.failure = self.failure or error
        self._gate.close()
