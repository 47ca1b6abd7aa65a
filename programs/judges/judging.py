"""Asking judges about labelled answers, with everything paid for in a journal: an interrupted calibration goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import dspy

from programs.asking.adapter import adapter_for
from programs.asking.calling import Caller
from programs.asking.models import ModelTable, concurrency_of, few_slots
from programs.asking.plan import Ask
from programs.asking.tries import TryRules
from programs.errors import FatalError, RunStopped, UserError
from programs.judges.calibrate_settings import CalibrateSettings
from programs.judges.calibration import prompt_of
from programs.judges.label_view import judge_inputs, shown
from programs.judges.labels import Labelled
from programs.run.budget import Budget
from programs.run.gate import Gate, interruptible
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Ledger
from programs.settings import BudgetOptions
from programs.stages.judge import JudgeStage, Verdict, verdict_of


@dataclass
class Judged:
    """What the judges said: by judge, a verdict on every answer, in order. `complete`: nothing was left unasked, as it is
    after an interrupt or at a limit of calls; else there are no verdicts."""

    verdicts: dict[str, list[Verdict]]
    complete: bool
    interrupted: bool


async def judged(settings: CalibrateSettings, judge: JudgeStage, answers: Sequence[Labelled], ledger: Ledger) -> Judged:
    """Asks each judge about each answer. What the journal holds is not asked again: the same judge with the same prompt
    about the same texts.

    Raises `UserError` when a model cannot be reached, `FatalError` when no call can succeed, and `JournalError`; what was
    answered until then is kept.
    """
    table = ModelTable(settings.models)
    prompt = prompt_of(judge, settings.prompt_order)
    judges = settings.judge_models
    asks = [
        judge.ask_about(
            judge_inputs(shown(answer), answer.question, answer.answer, answer.thought), f"{answer.id}/{prompt}", name
        )
        for answer in answers
        for name in judges
    ]
    try:
        with Journal(settings.journal) as journal:
            if journal.latest("run", "") is not None or journal.index.counts():
                raise UserError(f"{settings.journal} is the journal of a run; choose another --output")
            gate = Gate(settings.concurrency or concurrency_of(table.main), lanes=few_slots(table.main))
            budget = Budget(BudgetOptions(max_calls=settings.max_calls))
            rules = TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens)
            caller = JournaledCaller(Caller(table.of, rules), journal, gate, ledger, budget, table.reach)
            adapter = adapter_for(settings.prompt_order)
            with dspy.context(adapter=adapter, disable_history=True, trace=None):
                async with interruptible(gate) as interrupted:
                    found = await _answered(asks, caller, gate, settings.timeout)
    finally:
        await table.close()
    known = [verdict for verdict in found if verdict is not None]
    complete = len(known) == len(found) and budget.reached is None
    verdicts = {name: known[number :: len(judges)] for number, name in enumerate(judges)} if complete else {}
    return Judged(verdicts, complete, interrupted.is_set())


async def _answered(asks: Sequence[Ask], caller: JournaledCaller, gate: Gate, grace: float) -> list[Verdict | None]:
    """The verdicts, in order; None for what was not asked. Calls in flight have `grace` seconds once the gate is closed."""

    async def verdict(ask: Ask) -> Verdict | None:
        try:
            return verdict_of(ask, await caller.answer(ask))
        except (RunStopped, FatalError):
            return None

    tasks = [asyncio.create_task(verdict(ask)) for ask in asks]

    def abandon() -> None:
        for task in tasks:
            task.cancel()

    gate.when_closed = lambda: asyncio.get_running_loop().call_later(grace, abandon)
    try:
        found = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        abandon()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    if caller.failure is not None:
        raise caller.failure
    error = next((one for one in found if isinstance(one, Exception)), None)
    if error is not None:
        raise error
    caller.check_answered()
    return [None if isinstance(one, BaseException) else one for one in found]
