"""The formats for rewards. `grpo`: questions with the best trace's answer as reference, its grades, and the short answer
and rubric that reward functions check (`programs.exports.rewards`). `verifiers`: the same for questions with a short
answer, in a folder that is an environment package. `prm`: the steps of a thought, each labelled right or wrong.

The labels of steps come from a model that checked them (`--check-steps`) and from the kind of the step, never from a guess:

    false   the model says that the passage contradicts the step, or the step is of the kind `wrong`
    true    the model says that the passage supports the step, or that the step follows from it

A label is about its own paragraph only, so a row holds consecutive labelled steps; its prompt has all steps before them.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from programs.exports.rewards import REWARD_NAMES
from programs.exports.view import FACTS, MESSAGES, Columns, Format, Row, RowOptions, rating
from programs.record_parts import GRADES, StepRecord
from programs.run.attempts import ReadTrace

_LABELS = {"supported": True, "inferred": True, "contradicted": False}

_SHORT: Columns = {
    **dict.fromkeys(("kind", "text", "unit"), "string"),
    **dict.fromkeys(("value", "tolerance"), "float64"),
    "options": ["string"],
    "aliases": ["string"],
}
_POINT: Columns = {"kind": "string", "text": "string", "weight": "int64"}
_CHECKS: Columns = {"short_answer": _SHORT, "rubric": [_POINT], "rewards": ["string"]}
_QUESTION: Columns = {"prompt": MESSAGES, "solution": "string", **_CHECKS}


def _question_rows(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[Row]:
    best = max((trace.record for trace in traces), key=rating)
    short = best.short_answer
    rubric = [point.model_dump(include=set(_POINT)) for point in best.rubric]
    # If rules check the answer, the prompt says how the answer has to end.
    ending = f"\n\n{view.tag.escape(short.prompt_ending)}" if short else ""
    checks: Row = {
        "solution": view.answer(best),
        "short_answer": short and short.model_dump(include=set(_SHORT)),
        "rubric": rubric,
        "rewards": [name for name, needed in zip(REWARD_NAMES, (short, rubric), strict=True) if needed],
        **{name: getattr(best.answer_grades, name, None) for name in GRADES},
    }
    return view.rows(
        best, lambda asked: {"prompt": asked._replace(question=asked.question + ending).messages, **checks}
    )


def _environment_rows(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[Row | str]:
    for row in _question_rows(traces, view):
        yield row if row["short_answer"] else "it has no short answer that rules can check"


def _step_rows(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[Row | str]:
    record = traces[0].record
    steps = [(view.tag.escape(step.text.strip()), label_of(step)) for step in record.steps]
    if all(label is None for _, label in steps):
        yield "none of its steps has a label (generate with --check-steps)"
    earlier: list[str] = []
    for labelled, run in groupby(steps, key=lambda step: step[1] is not None):
        texts, labels = map(list, zip(*run, strict=True))
        if labelled:
            for row in view.rows(record, lambda prompt: {"prompt": prompt.user}):
                yield {**row, "prompt": "\n\n".join([row["prompt"], *earlier]), "completions": texts, "labels": labels}
        earlier += texts


def label_of(step: StepRecord) -> bool | None:
    """Whether a step is right; None if unknown."""
    return False if step.kind == "wrong" else _LABELS.get(step.status or "")


_RULES_MODULE = "programs.text.short_answers"
_PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
description = "Questions with answers that rules can check, made by SynthReasoner"
requires-python = ">=3.11"
dependencies = ["verifiers>=0.4", "pint>=0.24"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]

[tool.hatch.build.targets.wheel.force-include]
"data" = "{module}/data"
"""


def package_name(folder: Path) -> str:
    """The module name of the environment in a folder: the folder's name as an identifier that hides no other module."""
    name = re.sub(r"\W+", "_", folder.name.lower(), flags=re.ASCII).strip("_")
    reserved = {"data", "datasets", "pint", "verifiers", *sys.stdlib_module_names}
    return name if name[:1].isalpha() and name not in reserved else f"env_{name}".rstrip("_")


def write_package(folder: Path, output: Path) -> None:
    """Turns an export's folder, which already has its data and will be moved to `output`, into an environment package."""
    # Imported here, since --help does not need them.
    from programs.asking.adapter import PassageFirstAdapter
    from signatures.grade import CheckRubric

    source, module = Path(__file__).parents[1], package_name(output)
    code = (source / "exports/verifiers_package.py").read_text(encoding="utf-8")
    # The prompt of the rubric's judge as a template.
    inputs = {name: f"{{{name}}}" for name in ("prompt", "answer", "points")}
    messages = PassageFirstAdapter().format(CheckRubric, [], inputs)
    (folder / module).mkdir()
    for name, text in {
        "pyproject.toml": _PYPROJECT.format(name=module.replace("_", "-"), module=module),
        f"{module}/__init__.py": code.replace(f"from {_RULES_MODULE}", f"from {module}.short_answers"),
        f"{module}/short_answers.py": (source / "text/short_answers.py").read_text(encoding="utf-8"),
        f"{module}/judge.txt": "\n\n".join(message["content"] for message in messages),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


_TRAINING = """\
from trl import GRPOConfig, GRPOTrainer

from programs.exports.rewards import reward

args = GRPOConfig(output_dir="trained")
GRPOTrainer("Qwen/Qwen3-0.6B", args=args, reward_funcs=[reward], train_dataset=data["train"]).train()"""

GRPO = Format(
    "grpo",
    "a question (`prompt`), its reference answer (`solution`), the short answer and the rubric that rewards check, and the "
    "grades of the reference",
    lambda _: {**_QUESTION, **dict.fromkeys(GRADES, "float64"), **FACTS},
    _question_rows,
    per_question=True,
    thought_in="message",
    training=_TRAINING,
)
VERIFIERS = Format(
    "verifiers",
    "a task of an environment package for `verifiers`: a question (`prompt`), its short answer, and its rubric",
    lambda _: {**_QUESTION, **FACTS},
    _environment_rows,
    per_question=True,
    thought_in="message",
    package=write_package,
)
PRM = Format(
    "prm",
    "a question (`prompt`), the steps of a thought (`completions`), and whether each is right (`labels`)",
    lambda _: {"prompt": "string", "completions": ["string"], "labels": ["bool"], **FACTS},
    _step_rows,
)
