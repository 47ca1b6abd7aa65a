"""Invariants of `programs.run.journaled`: when a run gives up on its servers, and what it continues from.

1. A server that fails many times in a row for a model counts as gone, even if other servers answer in between; so does one
   that refuses many texts in a row. Each refused text counts once, whatever its stage; a usable answer resets the count.
2. Stages left unanswered once the gate is closed count as nobody's failure.
3. A stage continues from the tries of an earlier run, unless that run gave it up or the tries have another version's form.
4. A call that waits for the budget holds no permit, which a call to be re-asked may need.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from programs.asking.ask import Ask
from programs.asking.caller import Caller, OnReply
from programs.asking.reply import RejectedTry, Reply
from programs.errors import FatalError, RunStopped
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.option_groups import BudgetOptions
from programs.run.budget import Budget
from programs.run.gate import Gate
from programs.run.journal import Journal
from programs.run.journaled import LOST_IN_A_ROW, REFUSED_IN_A_ROW, JournaledCaller
from programs.run.ledger import Ledger
from programs.run.reading import Reading
from tests.builders import passage, tracer

ASK = dataclasses.replace(tracer().questions.ask(passage(), "critical", "closed", 0), predict=tracer().writer.answer)
CAPACITY = 4
OUTPUT = {"text": "The scatter grows towards fainter targets, which biases the mean.", "yes_or_no": None}


def ask(number: int, text: int | None = None) -> Ask:
    return dataclasses.replace(ASK, subject=(str(number if text is None else text), str(number)))


class FixedCaller(Caller):
    """Answers with `reply`, and keeps the earlier tries of each ask."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply(status="ok")
        self.tries: list[Sequence[RejectedTry]] = []

    async def answer(self, _ask: Ask, before: Sequence[RejectedTry] = (), on_reply: OnReply | None = None) -> Reply:
        assert on_reply is not None
        self.tries.append(before)
        on_reply(self.reply)
        return self.reply

    def name_of(self, _ask: Ask) -> str:
        return self.reply.model


class Asker:
    """A JournaledCaller with a new journal. Each `ask` is answered with the reply that its arguments describe."""

    def __init__(self, path: Path) -> None:
        self.fixed, self.gate, self.asked = FixedCaller(), Gate(CAPACITY), 0
        self.journal = Journal(path / "out.journal.jsonl")
        reading = Reading(lambda report: SampleReader(max_chars=None, report=report), ReadReport(), [])
        ledger = Ledger(self.gate, Budget(BudgetOptions()), reading)
        self.caller = JournaledCaller(self.fixed, self.journal, ledger, self.reach)

    async def reach(self) -> None:
        """The server can be reached."""

    async def ask(self, status: Literal["ok", "unread", "open"], *, text: int | None = None, **reply: Any) -> Reply:
        self.asked += 1
        self.fixed.reply = Reply(status=status, problems=["no"], **{"model": "main", "output": OUTPUT, **reply})
        return await self.caller.answer(ask(self.asked, text))


@pytest.fixture
def asker(tmp_path: Path) -> Any:
    asker = Asker(tmp_path)
    yield asker
    asker.journal.close()


async def asks_until_it_gives_up(asker: Asker, **reply: Any) -> int:
    for number in range(1, 100):
        await asker.ask("ok")
        with contextlib.suppress(FatalError):
            await asker.ask("unread", model="judge", **reply)
        if asker.caller.failure is not None:
            assert "no" in str(asker.caller.failure)
            assert asker.gate.closed
            return number
    raise AssertionError("it never gives up")


@pytest.mark.parametrize(("fault", "limit"), [("server", LOST_IN_A_ROW + CAPACITY), ("refused", REFUSED_IN_A_ROW)])
async def test_a_judges_server_that_is_gone_ends_the_run(asker: Asker, fault: str, limit: int) -> None:
    """Although others answer."""
    assert await asks_until_it_gives_up(asker, fault=fault) == limit


async def test_a_server_that_refuses_text_after_text_ends_the_run(asker: Asker) -> None:
    await asker.ask("ok", model="judge")
    for _ in range(3 * REFUSED_IN_A_ROW):
        await asker.ask("unread", model="judge", fault="refused", text=1)
    for _ in range(REFUSED_IN_A_ROW - 2):
        await asker.ask("unread", model="judge", fault="refused")
    await asker.ask("ok", model="judge")
    assert await asks_until_it_gives_up(asker, fault="refused") == REFUSED_IN_A_ROW


async def test_unreadable_replies_end_the_run_only_if_nobody_answers(asker: Asker) -> None:
    for _ in range(50):
        await asker.ask("ok")
        await asker.ask("unread", model="judge")
    for _ in range(LOST_IN_A_ROW + CAPACITY - 2):
        await asker.ask("unread")
    with pytest.raises(FatalError):
        await asker.ask("unread")


async def test_a_run_that_nobody_answered_fails(asker: Asker) -> None:
    asker.caller.check_answered()
    await asker.ask("unread", fault="server")
    with pytest.raises(FatalError, match="no call got a usable answer; last problem: no"):
        asker.caller.check_answered()


async def test_one_answer_is_enough(asker: Asker) -> None:
    await asker.ask("ok")
    await asker.ask("unread", fault="server")
    asker.caller.check_answered()


async def test_stages_left_unanswered_by_a_stop_are_no_failures(asker: Asker) -> None:
    for _ in range(LOST_IN_A_ROW + CAPACITY - 1):
        await asker.ask("unread", fault="server")
    asker.gate.close()
    with pytest.raises(RunStopped):
        asker.caller._count_reply(ask(0), Reply(status="unread", fault="server"))
    assert asker.caller.failure is None


@pytest.mark.parametrize(
    ("status", "output", "kept"),
    [("open", None, True), ("open", OUTPUT, True), ("unread", None, False), ("open", {"other": 3}, False)],
)
async def test_a_stage_continues_from_the_tries_of_an_earlier_run(
    asker: Asker, status: Literal["open", "unread"], output: Any, kept: bool
) -> None:
    rejected = RejectedTry(output=output, text=None if output else "So.", problems=["no"])
    line = Reply(status=status, rejected=[rejected]).model_dump(mode="json")
    asker.journal.append("failed", ask(1).key, stage="questions", reply=line)
    await asker.ask("ok")
    assert list(asker.fixed.tries[0]) == ([rejected] if kept else [])


async def test_a_call_that_waits_for_the_budget_holds_no_permit(asker: Asker) -> None:
    caller, budget = asker.caller, Budget(BudgetOptions(max_tokens_total=6000), 4096)
    caller._ledger.budget, caller._gate = budget, Gate(1)

    async def retried_call() -> None:
        async with caller._permit(ask(1)) as aside:
            await aside(asyncio.sleep(0.05))
            budget.release(ask(1))

    async def next_call() -> bool:
        async with caller._permit(ask(2)):
            return True

    assert (await asyncio.wait_for(asyncio.gather(retried_call(), next_call()), 10))[1]
