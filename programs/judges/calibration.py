"""By how much each judge rates higher than people: the file for `python -m programs.generate --judge-calibration FILE`, and
how judges are asked about labelled answers to measure it.

A bias belongs to a model with a prompt: the file says which prompt it was measured with, and is refused with another.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import dspy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from programs.asking.adapter import adapter_for
from programs.asking.ask import Ask
from programs.asking.caller import Caller, TryRules
from programs.asking.models import ModelTable, concurrency_of, few_slots
from programs.compiled import program_fingerprint
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

LEAST_RATINGS = 30
"""So many ratings of people a bias is measured on at least."""


class JudgeBias(BaseModel):
    """A judge's mean rating less people's, over so many answers (`ratings`) that both rated from 1 to 10."""

    model_config = ConfigDict(allow_inf_nan=False)

    bias: float = Field(ge=-9, le=9)
    ratings: int = Field(ge=LEAST_RATINGS)


class Calibration(BaseModel):
    """The file. `prompt` is what `prompt_of` says of the judges' prompt."""

    prompt: str
    judges: dict[str, JudgeBias]


def prompt_of(judge: dspy.Module, prompt_order: str) -> str:
    """A hash of all that shapes the prompts of a judge's stage."""
    return program_fingerprint(judge, prompt_order)


def biases_of(path: Path, judges: Sequence[str], prompt: str) -> dict[str, float]:
    """The bias of each judge of a panel. Raises `UserError` for a file that is none, was made with another prompt, or
    lacks one of them."""
    try:
        found = Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"--judge-calibration: cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        why = f"{'.'.join(map(str, detail['loc']))} {detail['msg']}"
        raise UserError(f"--judge-calibration: {path} is no file of programs.calibrate --apply: {why}") from None
    if found.prompt != prompt:
        why = "another prompt of the judges; calibrate again with the same --program and --prompt-order"
        raise UserError(f"--judge-calibration: {path} was measured with {why}")
    if missing := [judge for judge in judges if judge not in found.judges]:
        why = f"{', '.join(missing)}, only of {', '.join(found.judges)}; calibrate the whole panel together"
        raise UserError(f"--judge-calibration: {path} says nothing of {why}")
    return {judge: found.judges[judge].bias for judge in judges}


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
            budget = Budget(settings)
            caller = JournaledCaller(Caller(table.of, rules), journal, gate, ledger, budget, table.reach)

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
