"""Loads an environment package, the one argument, scores canned rollouts, and prints the results as JSON.
`test_verifiers.py` runs it with another Python, which has `verifiers` but none of our code."""

import asyncio
import importlib
import json
import sys
from typing import Any

import verifiers.v1 as vf


async def rewards_of(task: Any, reply: str) -> dict[str, float]:
    """The rewards of a rollout with this reply."""
    config = vf.AgentConfig()
    trace = vf.Trace(
        agent=vf.AgentInfo(config=config),
        task=vf.TraceTask(type=type(task).__name__, data=task.data),
        state=vf.State(),
        root_reply=reply,
    )
    await task.score(trace)
    return {name: reward.score for name, reward in trace.rewards.items()}


def main(name: str) -> None:
    """Prints the tasks' prompts, and the rewards of a right, a wrong and an empty rollout of the first task."""
    package = importlib.import_module(name)
    environment = package.load_environment()
    tasks = list(environment.taskset)
    replies = ("<think>So.</think> It is \\boxed{1.1}.", "It is \\boxed{7}.", "")
    judge = vf.load_judge(vf.judge_config_type(name)(id=name))
    print(
        json.dumps(
            {
                "environment": type(environment).__name__,
                "prompts": [task.data.prompt_text for task in tasks],
                "rewards": [asyncio.run(rewards_of(tasks[0], reply)) for reply in replies],
                "judge": judge.build_messages(prompt="Why?", answer="{points}", points="1. x"),
                "met": judge.parse(vf.JudgeResponse(text='So: {"rubric": {"met": [1, 3]}}')),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
