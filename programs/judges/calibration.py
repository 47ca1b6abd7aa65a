"""How judges are asked about labelled answers, to measure by how much each rates higher than people."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import dspy

from programs.asking.adapter import adapter_for
from programs.asking.ask import Ask
from programs.asking.caller import Caller, TryRules
from programs.asking.models import ModelTable, concurrency_of, few_slots
from programs.errors import FatalError, RunStopped, UserError
from programs.judges.labels import Labelled, judge_inputs, shown
from programs.records import Verdict
from programs.run.budget import Budget
from programs.run.gate import Gate, interruptible
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Ledger
from programs.settings import Settings
from programs.stages.judge import JudgeStage, verdict_of
from programs.traces.verdicts import prompt_of


async def judged(
    settings: Settings, path: Path, judge: JudgeStage, answers: Sequence[Labelled], ledger: Ledger
) -> dict[str, list[Verdict]] | None:
    """Asks each judge of the settings about each answer, and gives every judge's verdicts, in order; None where a limit of
    calls left something unasked (after an interrupt it is cancelled). What the journal at `path` holds is not asked again:
    the same judge with the same prompt about the same texts.

    Raises `UserError` when a model cannot be reached, `FatalError` when no call can succeed, and `JournalError`; what was
    answered until then is kept.
    """
    table, prompt = ModelTable(settings), prompt_of(judge, settings.prompt_order)
    try:
        with Journal(path) as journal:
            if journal.latest("run", "") is not None or journal.index.counts():
                raise UserError(f"{path} is the journal of a run; choose another --output")
            gate = Gate(settings.concurrency or concurrency_of(table.main), lanes=few_slots(table.main))
            rules = TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens)
            budget = ledger.budget = Budget(settings, settings.max_output_tokens)
            caller = JournaledCaller(Caller(table.of, rules), journal, gate, ledger, table.reach)

            async def verdict(ask: Ask) -> Verdict | None:
                try:
                    return verdict_of(ask, await caller.answer(ask))
                except (RunStopped, FatalError):
                    return None

            asks = [
                judge.ask_about(
                    judge_inputs(shown(one), one.question, one.answer, one.thought), f"{one.id}/{prompt}", name
                )
                for one in answers
                for name in settings.judges
            ]
            with dspy.context(adapter=adapter_for(settings.prompt_order), disable_history=True, trace=None):
                async with interruptible(gate) as interrupted:
                    found = await asyncio.gather(*map(verdict, asks))
            if caller.failure is not None:
                raise caller.failure
            caller.check_answered()
    finally:
        await table.close()
    known = [one for one in found if one is not None]
    if len(known) < len(found) or budget.reached is not None:
        if interrupted.is_set():
            raise asyncio.CancelledError
        return None
    return {name: known[number :: len(settings.judges)] for number, name in enumerate(settings.judges)}
