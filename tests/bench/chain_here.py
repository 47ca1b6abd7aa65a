"""The chain over many rows with this project's parts: asks, the gate, the journal and its index.

Run as `python -m tests.bench.chain_here BASE ROWS CONCURRENCY`.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import dspy

from programs.asking.adapter import PassageFirstAdapter
from programs.asking.calling import Caller
from programs.asking.models import ModelTable
from programs.asking.plan import Answering, Ask, value_of
from programs.asking.tries import TryRules
from programs.journals.journal import Journal
from programs.running.budget import Budget
from programs.running.gate import Gate
from programs.running.journaled import JournaledCaller
from programs.running.ledger import Ledger
from programs.running.run import collect_seldom
from programs.settings import Settings
from tests.bench.chain import Chain, passage_of
from tests.bench.stopwatch import stopwatch


async def conclusion_of(chain: Chain, row: int, answer: Answering) -> str:
    """The calls of one row; returns its conclusion."""
    inputs, text = {"passage": passage_of(row)}, ""
    for depth, (name, predict) in enumerate(chain.named_predictors()):
        ask = Ask(name, f"{name}/{row}", predict, dict(inputs), depth)
        text = inputs[ask.output] = value_of(ask, await answer(ask)).text
    return text


async def conclusions(base: str, rows: int, concurrency: int, path: Path) -> list[str]:
    """The conclusion of every row, with everything paid for in the journal at `path`."""
    models = ModelTable(Settings(model="openai/bench", api_base=base, concurrency=concurrency))
    chain, gate, budget = Chain(), Gate(concurrency), Budget()
    window = asyncio.Semaphore(gate.texts)
    with Journal(path) as journal:
        asking = Caller(models.of, TryRules())
        caller = JournaledCaller(asking, journal, gate, Ledger(), budget, models.reach)

        async def conclusion(row: int) -> str:
            try:
                return await conclusion_of(chain, row, caller.answer)
            finally:
                window.release()

        with dspy.context(adapter=PassageFirstAdapter(), disable_history=True, trace=None):
            tasks = []
            # As the runner begins its texts.
            for row in range(rows):
                await window.acquire()
                tasks.append(asyncio.create_task(conclusion(row)))
                await asyncio.sleep(0)
            gate.ending = True
            found = await asyncio.gather(*tasks)
    await models.close()
    return found


def main(base: str, rows: int, concurrency: int) -> None:
    collect_seldom()
    with tempfile.TemporaryDirectory() as name, stopwatch():
        found = asyncio.run(conclusions(base, rows, concurrency, Path(name) / "rows.journal.jsonl"))
        if len(set(found)) != rows:
            raise SystemExit("some rows got no conclusion of their own")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
