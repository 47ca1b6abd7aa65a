"""What students made, without a server: outputs of single stages, and predictions of the whole program.

asked("critique", alternative="A drift.", rejected=("no JSON",))
prediction(Answers(evidence=lambda ask: {...}))
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import dspy

from optimize.stages import Asked
from programs.asking.ask import Ask
from programs.asking.reply import Rejected, Reply
from programs.background_loop import run
from programs.settings import TracerOptions
from tests.making import TEXT, Answers, good_output, sample, tracer


def prediction(answers: Answers | None = None, text: str = TEXT) -> dspy.Prediction:
    """What a `Student` gives for a text whose stages are answered so."""
    answers, kept = answers or Answers(), dict[str, Asked]()

    async def answer(ask: Ask) -> Reply:
        reply = answers.reply(ask)
        kept[ask.stage] = Asked(ask, reply)
        return reply

    made = run(tracer().made(sample(text), TracerOptions(), answer))
    failures = [made.failure] if made.failure else []
    failures += [variation.failure for variation in made.variations if variation.failure]
    return dspy.Prediction(asked=kept, variations=made.variations, pool=made.pool, failures=failures)


def asked(
    stage: str, *, status: Any = "ok", problems: tuple[str, ...] = (), rejected: tuple[str, ...] = (), **output: Any
) -> Asked:
    """A stage that replied with the fields of `output` (without any: what the scientist says), after rejected tries."""
    ask = _asks()[stage].ask
    tries = [Rejected(problems=[why]) for why in rejected]
    said = None if status == "unread" else {**good_output(ask), **output}
    return Asked(ask, Reply(status=status, output=said, problems=list(problems), rejected=tries))


@lru_cache(maxsize=1)
def _asks() -> dict[str, Asked]:
    found: dict[str, Asked] = prediction().asked
    return found
