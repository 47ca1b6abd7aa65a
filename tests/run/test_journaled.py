"""Invariants of `programs.run.journaled`: when a run that asks in vain gives up.

1. A model's server that fails again and again is gone, although others answer in between; so is one that refuses text after
   text. Each text counts once, whatever of it is refused; a usable answer ends the row.
2. What is left unanswered once the gate is closed is nobody's failure.
3. Tries of an earlier run are gone on with; not once the stage was given up, nor in the form of another version.
4. Who waits for the budget holds no place that a call needs which is to be tried again.
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
from programs.asking.reply import Rejected, Reply
from programs.errors import FatalError, RunStopped
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.option_groups import BudgetOptions
from programs.run.budget import Budget
from programs.run.gate import Gate
from programs.run.journal import Journal
from programs.run.journaled import LOST_IN_A_ROW, REFUSED_AT_FIRST, REFUSED_IN_A_ROW, JournaledCaller
from programs.run.ledger import Ledger
from programs.run.reading import Reading
from tests.making import passage, tracer

ASK = dataclasses.replace(tracer().questions.ask(passage(), "critical", "closed", 0), predict=tracer().writer.answer)
CAPACITY = 4
SAID = {"text": "The scatter grows towards fainter targets, which biases the mean.", "yes_or_no": None}


def ask(number: int, text: int | None = None) -> Ask:
    return dataclasses.replace(ASK, key=f"questions/{number if text is None else text}/{number}")


class Said(Caller):
    """Says what it is told to say, and keeps with which tries it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply(status="ok")
        self.before: list[Sequence[Rejected]] = []

    async def answer(self, _ask: Ask, before: Sequence[Rejected] = (), on_reply: OnReply | None = None) -> Reply:
        assert on_reply is not None
        self.before.append(before)
        on_reply(self.reply)
        return self.reply

    def name_of(self, _ask: Ask) -> str:
        return self.reply.model


class Asking:
    """A caller over a new journal. `ask` gives what it is answered with."""

    def __init__(self, path: Path) -> None:
        self.said, self.gate, self.asked = Said(), Gate(CAPACITY), 0
        self.journal = Journal(path / "out.journal.jsonl")
        reading = Reading(lambda report: SampleReader(max_chars=None, report=report), ReadReport(), [])
        ledger = Ledger(self.gate, Budget(BudgetOptions()), reading)
        self.caller = JournaledCaller(self.said, self.journal, ledger, self.reach)

    async def reach(self) -> None:
        """It is there."""

    async def ask(self, status: Literal["ok", "unread", "open"], *, text: int | None = None, **reply: Any) -> Reply:
        self.asked += 1
        self.said.reply = Reply(status=status, problems=["no"], **{"model": "main", "output": SAID, **reply})
        return await self.caller.answer(ask(self.asked, text))


@pytest.fixture
def asking(tmp_path: Path) -> Any:
    made = Asking(tmp_path)
    yield made
    made.journal.close()


async def until_it_gives_up(asking: Asking, **reply: Any) -> int:
    for number in range(1, 100):
        await asking.ask("ok")
        with contextlib.suppress(FatalError):
            await asking.ask("unread", model="judge", **reply)
        if asking.caller.failure is not None:
            assert "no" in str(asking.caller.failure)
            assert asking.gate.closed
            return number
    raise AssertionError("it never gives up")


@pytest.mark.parametrize(("fault", "after"), [("server", LOST_IN_A_ROW + CAPACITY), ("refused", REFUSED_AT_FIRST)])
async def test_a_judges_server_that_is_gone_ends_the_run(asking: Asking, fault: str, after: int) -> None:
    """Although others answer; sooner where it refuses from the start."""
    assert await until_it_gives_up(asking, fault=fault) == after


async def test_a_server_that_refuses_text_after_text_ends_the_run(asking: Asking) -> None:
    await asking.ask("ok", model="judge")
    for _ in range(3 * REFUSED_IN_A_ROW):
        await asking.ask("unread", model="judge", fault="refused", text=1)
    for _ in range(REFUSED_IN_A_ROW - 2):
        await asking.ask("unread", model="judge", fault="refused")
    await asking.ask("ok", model="judge")
    assert await until_it_gives_up(asking, fault="refused") == REFUSED_IN_A_ROW


async def test_what_nobody_can_read_ends_the_run_only_where_nobody_answers(asking: Asking) -> None:
    for _ in range(50):
        await asking.ask("ok")
        await asking.ask("unread", model="judge")
    for _ in range(LOST_IN_A_ROW + CAPACITY - 2):
        await asking.ask("unread")
    with pytest.raises(FatalError):
        await asking.ask("unread")


async def test_what_a_stop_leaves_unanswered_is_nobodys_failure(asking: Asking) -> None:
    for _ in range(LOST_IN_A_ROW + CAPACITY - 1):
        await asking.ask("unread", fault="server")
    asking.gate.close()
    with pytest.raises(RunStopped):
        asking.caller._count_reply(ask(0), Reply(status="unread", fault="server"))
    assert asking.caller.failure is None


@pytest.mark.parametrize(
    ("status", "output", "kept"),
    [("open", None, True), ("open", SAID, True), ("unread", None, False), ("open", {"other": 3}, False)],
)
async def test_tries_of_an_earlier_run_are_gone_on_with(
    asking: Asking, status: Literal["open", "unread"], output: Any, kept: bool
) -> None:
    tried = Rejected(output=output, text=None if output else "So.", problems=["no"])
    line = Reply(status=status, rejected=[tried]).model_dump(mode="json")
    asking.journal.append("failed", ask(1).key, stage="questions", reply=line)
    await asking.ask("ok")
    assert list(asking.said.before[0]) == ([tried] if kept else [])


async def test_who_waits_for_the_budget_holds_no_place(asking: Asking) -> None:
    caller, budget = asking.caller, Budget(BudgetOptions(max_tokens_total=6000), 4096)
    caller._ledger.budget, caller._gate = budget, Gate(1)

    async def tried_again() -> None:
        async with caller._permit(ask(1)) as aside:
            await aside(asyncio.sleep(0.05))
            budget.release(ask(1))

    async def after_it() -> bool:
        async with caller._permit(ask(2)):
            return True

    assert (await asyncio.wait_for(asyncio.gather(tried_again(), after_it()), 10))[1]
