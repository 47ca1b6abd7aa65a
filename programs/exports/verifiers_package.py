"""An environment for `verifiers` (0.4 and later). Each export `--to verifiers` is a package with this file as its module,
a copy of `programs.text.short_answers`, the judge's prompt and the data (`programs.exports.reinforcement` builds it).

The reward of a rollout is 1 if it gives the question's short answer, else 0. `GroundedJudge`, if plugged into
`taskset.task.judges` under the package's name, adds the share of the rubric's weights.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import verifiers.v1 as vf

from programs.text.short_answers import after_thought, points_share, score

_HERE = Path(__file__).parent


class GroundedData(vf.TaskData):
    short_answer: dict[str, Any]
    rubric: list[dict[str, Any]]
    solution: str = ""


class GroundedTask(vf.Task[GroundedData]):
    """A question with a short answer that rules can check."""

    @vf.reward  # type: ignore[untyped-decorator]
    async def short_answer(self, trace: vf.Trace) -> float:
        return score(trace.last_reply, self.data.short_answer)


class GroundedConfig(vf.TasksetConfig):
    split: str = "train"


class GroundedTaskset(vf.Taskset[GroundedTask, GroundedConfig]):
    """The rows of one split of the export, in order."""

    def load(self) -> Iterator[GroundedTask]:
        # A wheel has the data inside the package; the export's folder has it beside the package.
        folder = next(path for path in (_HERE / "data", _HERE.parent / "data") if path.is_dir())
        for line in (folder / f"{self.config.split}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            *system, user = (message["content"] for message in row["prompt"])
            fields = {name: row[name] for name in ("id", "short_answer", "rubric", "solution")}
            data = GroundedData(prompt=user, system_prompt="".join(system) or None, **fields)
            yield GroundedTask(data, self.config.task)


class GroundedJudge(vf.Judge[list[int]]):
    """Asks a model which points of the rubric an answer has. Raises ValueError if its reply is unreadable."""

    prompt = (_HERE / "judge.txt").read_text(encoding="utf-8")

    async def score(self, task: GroundedData, trace: vf.Trace) -> float:
        """The sum of the weights of the points that the answer has, over the sum of all positive ones; within 0-1."""
        answer = after_thought(trace.last_reply)
        if not answer or not task.rubric:
            return 0.0
        points = "\n".join(f"{number}. {point['text']}" for number, point in enumerate(task.rubric, start=1))
        found = await self.evaluate(trace=trace, prompt=task.prompt_text, answer=answer, points=points)
        return points_share(found.parsed, task.rubric)

    def parse(self, response: vf.JudgeResponse[list[int]]) -> list[int]:
        """The numbers of the points, from the reply's JSON object."""
        reply = json.loads(response.text[response.text.index("{") : response.text.rindex("}") + 1])
        return reply["rubric"]["met"]  # type: ignore[no-any-return]


def load_environment(**config: Any) -> vf.Env:
    """The environment: one reply per task, without tools. `config` configures the taskset."""
    taskset = {"id": __name__, **config}
    return vf.load_environment(vf.resolve_env_config({"taskset": taskset, "agent": {"harness": {"id": "null"}}}))


__all__ = ["GroundedJudge", "GroundedTaskset", "load_environment"]
