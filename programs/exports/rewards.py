"""Reward functions for the rows of a `grpo` export, as TRL's GRPOTrainer calls them.

from programs.exports.rewards import reward, rubric_reward
GRPOTrainer(reward_funcs=[reward, rubric_reward("openai/judge", api_base="http://localhost:8000/v1")], ...)

Of a row that has nothing to be rewarded by, or whose answer the judge said nothing readable about, the reward is None,
which the trainer leaves out: never a guess.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from programs.text.short_answers import after_thought, points_share, score

Completion = str | Sequence[Mapping[str, Any]]
"""A text, or messages of which the last assistant's counts."""
Rewards = list[float | None]
NAMES = ("reward", "rubric_reward")
"""The functions of this module for a row that has a short answer, and for one that has a rubric."""


def reward(completions: Sequence[Completion], short_answer: Sequence[Any], **_columns: Any) -> Rewards:
    """1.0 for each completion that gives its row's short answer and no other, else 0.0 (`programs.text.short_answers`)."""
    rows = zip(completions, map(_read, short_answer), strict=True)
    return [None if short is None else score(text_of(completion), short) for completion, short in rows]


def rubric_reward(model: str, api_base: str | None = None, **options: Any) -> Callable[..., Rewards]:
    """A reward function that asks a judge, named as everywhere, which points of its row's rubric a completion has: their
    weights, as a share of all above 0. `options` are those of `programs.lms.resolve.resolve`, and so are its errors."""
    # Only now: `reward` needs none of it.
    from programs.asking.ask import together
    from programs.asking.caller import Caller, adapted
    from programs.background_loop import run
    from programs.lms.resolve import resolve
    from programs.stages.grade import RubricStage

    judge = resolve(model, api_base=api_base, **options)
    stage, caller = RubricStage(), Caller(model_of=lambda _ask: judge)

    async def judged(number: int, prompt: Any, completion: Completion, rubric: Any) -> float | None:
        answer, points = after_thought(text_of(completion)), _read(rubric)
        if not points:
            return None
        # So long an answer is none, and no judge is to read it.
        if not answer or len(answer) > 20_000:
            return 0.0
        asked = prompt if isinstance(prompt, str) else str(prompt[-1]["content"])
        ask = stage.ask(asked, answer, [point["text"] for point in points], str(number), model)
        reply = await caller.answer(ask)
        return points_share(ask.value_of(reply).met, points) if reply.status == "ok" else None

    def rubric_reward(prompts: Any, completions: Sequence[Completion], rubric: Any, **_columns: Any) -> Rewards:
        rows = zip(prompts, completions, rubric, strict=True)
        with adapted():
            return run(together([judged(number, *row) for number, row in enumerate(rows)]))

    return rubric_reward


def text_of(completion: Completion) -> str:
    """The text of a completion; empty where it has none."""
    if isinstance(completion, str):
        return completion
    said = [message.get("content") for message in completion if message.get("role") == "assistant"]
    last = (said[-1] if said else None) or ""
    return last if isinstance(last, str) else "".join(part["text"] for part in last if part.get("type") == "text")


def _read(value: Any) -> Any:
    """A column's value: JSON where it is a text."""
    return json.loads(value) if isinstance(value, str) else value
