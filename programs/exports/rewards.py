"""Reward functions for the rows of a `grpo` export, as TRL's GRPOTrainer calls them.

from programs.exports.rewards import reward, rubric_reward
GRPOTrainer(reward_funcs=[reward, rubric_reward("openai/judge", api_base="http://localhost:8000/v1")], ...)

A reward is None, which the trainer ignores, if the row has nothing to check against or the judge's reply is unreadable.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from programs.text.short_answers import after_thought, points_share, score

Completion = str | Sequence[Mapping[str, Any]]
"""A string, or messages, of which the assistant's last one is read."""
Rewards = list[float | None]
REWARD_NAMES = ("reward", "rubric_reward")
"""The reward functions for rows with a short answer, and for rows with a rubric."""


def reward(completions: Sequence[Completion], short_answer: Sequence[Any], **_columns: Any) -> Rewards:
    """1.0 for a completion that gives its row's short answer and no other, else 0.0 (`programs.text.short_answers`)."""
    rows = zip(completions, short_answer, strict=True)
    return [None if short is None else score(text_of(completion), short) for completion, short in rows]


def rubric_reward(model: str, api_base: str | None = None, **options: Any) -> Callable[..., Rewards]:
    """Makes a reward function that asks the judge `model` which points of the row's rubric a completion has. The reward,
    within 0-1, is the sum of their weights over the sum of the positive weights. `options` are those of
    `programs.lms.resolve.resolve`, which also raises the errors."""
    # Imported here, since `reward` does not need them.
    from programs.asking.ask import gather_all
    from programs.asking.caller import Caller, with_default_adapter
    from programs.background_loop import run_in_background
    from programs.lms.resolve import resolve
    from programs.stages.grade import RubricStage

    judge = resolve(model, api_base=api_base, **options)
    stage = RubricStage()
    caller = Caller(model_of=lambda _ask: judge)

    async def judge_one(number: int, prompt: Any, completion: Completion, points: Any) -> float | None:
        answer = after_thought(text_of(completion))
        if not points:
            return None
        # A text this long is no answer, and not worth a judge's tokens.
        if not answer or len(answer) > 20_000:
            return 0.0
        question = prompt if isinstance(prompt, str) else str(prompt[-1]["content"])
        ask = stage.ask(question, answer, [point["text"] for point in points], str(number), model)
        reply = await caller.answer(ask)
        return points_share(ask.value_of(reply).met, points) if reply.status == "ok" else None

    def rubric_reward(prompts: Any, completions: Sequence[Completion], rubric: Any, **_columns: Any) -> Rewards:
        rows = zip(prompts, completions, rubric, strict=True)
        with with_default_adapter():
            return run_in_background(gather_all([judge_one(number, *row) for number, row in enumerate(rows)]))

    return rubric_reward


def text_of(completion: Completion) -> str:
    """The text of a completion; empty if there is none."""
    if isinstance(completion, str):
        return completion
    contents = [message.get("content") for message in completion if message.get("role") == "assistant"]
    last = (contents[-1] if contents else None) or ""
    return last if isinstance(last, str) else "".join(part["text"] for part in last if part.get("type") == "text")
