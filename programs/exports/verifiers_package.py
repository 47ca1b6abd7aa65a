"""An environment of `verifiers` (0.4 and later), of which every export `--to verifiers` is a package: this file is its one
module, beside a copy of `programs.text.short_answers`, the judge's prompt and the data (`programs.exports.reinforcement`).

A rollout is worth 1 where it gives the question's short answer, else 0. `GroundedJudge`, where it is plugged into
`taskset.task.judges` under the package's own name, adds the share of the rubric's weights.
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
    """A question whose answer rules can check."""

    @vf.reward  # type: ignore[untyped-decorator]
    async def short_answer(self, trace: vf.Trace) -> float:
        return score(trace.last_reply, self.data.short_answer)


class GroundedConfig(vf.TasksetConfig):
    split: str = "train"


class GroundedTaskset(vf.Taskset[GroundedTask, GroundedConfig]):
    """The rows of the export, in their order."""

    def load(self) -> Iterator[GroundedTask]:
        # In a wheel the data lies in the package, in the folder beside it.
        folder = next(path for path in (_HERE / "data", _HERE.parent / "data") if path.is_dir())
        for line in (folder / f"{self.config.split}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            *system, user = (message["content"] for message in row["prompt"])
            kept = {name: row[name] for name in ("id", "short_answer", "rubric", "solution")}
            data = GroundedData(prompt=user, system_prompt="".join(system) or None, **kept)
            yield GroundedTask(data, self.config.task)


class GroundedJudge(vf.Judge[list[int]]):
    """Which points of the rubric an answer has, by a model. Raises ValueError where it says nothing readable."""

    prompt = (_HERE / "judge.txt").read_text(encoding="utf-8")

    async def score(self, task: GroundedData, trace: vf.Trace) -> float:
        """The weights of the points that the answer has, as a share of all above 0; within 0-1."""
        answer = after_thought(trace.last_reply)
        if not answer or not task.rubric:
            return 0.0
        points = "\n".join(f"{number}. {point['text']}" for number, point in enumerate(task.rubric, start=1))
        found = await self.evaluate(trace=trace, prompt=task.prompt_text, answer=answer, points=points)
        return points_share(found.parsed, task.rubric)

    def parse(self, response: vf.JudgeResponse[list[int]]) -> list[int]:
        """The numbers in the reply's JSON object."""
        said = json.loads(response.text[response.text.index("{") : response.text.rindex("}") + 1])
        return said["rubric"]["met"]  # type: ignore[no-any-return]


def load_environment(**config: Any) -> vf.Env:
    """The environment, with a model that is asked once and has no tools; `config` is of the taskset."""
    taskset = {"id": __name__, **config}
    return vf.load_environment(vf.resolve_env_config({"taskset": taskset, "agent": {"harness": {"id": "null"}}}))


__all__ = ["GroundedJudge", "GroundedTaskset", "load_environment"]
