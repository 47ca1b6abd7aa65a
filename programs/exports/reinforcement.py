"""The formats for rewards. `grpo`: questions with a reference answer, that of the best trace, with its grades, and what
reward functions check by (`programs.exports.rewards`): short answer and rubric. `verifiers`: the same for questions with a
short answer, in a folder that is an environment package. `prm`: the steps of a thought, each with whether it is right.

The labels of steps come from a model that checked them (`--check-steps`) and from the thought itself, never from a guess:

    false   the passage contradicts the step, by the model's word; or the step is of the kind `wrong`
    true    the passage supports the step, or the step follows from it, by the model's word

Each label is about its own paragraph alone, so a row holds steps that follow one another and all have a label, and what was
thought before them stands in its prompt, after the question.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from programs.exports.rewards import NAMES
from programs.exports.view import FACTS, MESSAGES, Columns, Format, Row, View, rating
from programs.records import GRADES, StepRecord
from programs.run.attempts import ReadTrace

LABELS = {"supported": True, "inferred": True, "contradicted": False}

_SHORT: Columns = {
    **dict.fromkeys(("kind", "text", "unit"), "string"),
    **dict.fromkeys(("value", "tolerance"), "float64"),
    "options": ["string"],
    "aliases": ["string"],
}
_POINT: Columns = {"kind": "string", "text": "string", "weight": "int64"}
_CHECKS: Columns = {"short_answer": _SHORT, "rubric": [_POINT], "rewards": ["string"]}
_QUESTION: Columns = {"prompt": MESSAGES, "solution": "string", **_CHECKS}


def _question_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row]:
    best = max((trace.record for trace in traces), key=rating)
    short, rubric = best.short_answer, [point.model_dump(include=set(_POINT)) for point in best.rubric]
    # Where rules check the answer, the prompt says how it has to end.
    end = f"\n\n{view.tag.inert(short.asked_for)}" if short else ""
    checks: Row = {
        "solution": view.answer(best),
        "short_answer": short and short.model_dump(include=set(_SHORT)),
        "rubric": rubric,
        "rewards": [name for name, there in zip(NAMES, (short, rubric), strict=True) if there],
        **{name: getattr(best.answer_grades, name, None) for name in GRADES},
    }
    return view.rows(best, lambda asked: {"prompt": asked._replace(question=asked.question + end).messages, **checks})


def _environment_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    for row in _question_rows(traces, view):
        yield row if row["short_answer"] else "it has no short answer that rules can check"


def _step_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    record = traces[0].record
    steps = [(view.tag.inert(step.text.strip()), label_of(step)) for step in record.steps]
    if all(label is None for _, label in steps):
        yield "no step of it has a label (generate with --check-steps)"
    before: list[str] = []
    for known, run in groupby(steps, key=lambda step: step[1] is not None):
        texts, labels = map(list, zip(*run, strict=True))
        if known:
            for row in view.rows(record, lambda prompt: {"prompt": prompt.user}):
                yield {**row, "prompt": "\n\n".join([row["prompt"], *before]), "completions": texts, "labels": labels}
        before += texts


def label_of(step: StepRecord) -> bool | None:
    """Whether a step is right; None: nobody knows."""
    return False if step.kind == "wrong" else LABELS.get(step.status or "")


_RULES = "programs.text.short_answers"
_PROJECT = """\
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
    """The module of the environment in a folder: the folder's name, as Python has names that are not taken."""
    name = re.sub(r"\W+", "_", folder.name.lower(), flags=re.ASCII).strip("_")
    taken = {"data", "datasets", "pint", "verifiers", *sys.stdlib_module_names}
    return name if name[:1].isalpha() and name not in taken else f"env_{name}".rstrip("_")


def write_package(folder: Path, output: Path) -> None:
    """Makes an environment package of an export's folder, which has its data already and will stand at `output`."""
    # Only now: --help needs none of it.
    from programs.asking.adapter import PassageFirstAdapter
    from signatures.grade import CheckRubric

    rooms, module = Path(__file__).parents[1], package_name(output)
    code = (rooms / "exports/verifiers_package.py").read_text(encoding="utf-8")
    # What the judge of a rubric is asked, to be filled in.
    inputs = {name: f"{{{name}}}" for name in ("prompt", "answer", "points")}
    asked = PassageFirstAdapter().format(CheckRubric, [], inputs)
    (folder / module).mkdir()
    for name, text in {
        "pyproject.toml": _PROJECT.format(name=module.replace("_", "-"), module=module),
        f"{module}/__init__.py": code.replace(f"from {_RULES}", f"from {module}.short_answers"),
        f"{module}/short_answers.py": (rooms / "text/short_answers.py").read_text(encoding="utf-8"),
        f"{module}/judge.txt": "\n\n".join(message["content"] for message in asked),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


GRPO = Format(
    "grpo",
    "a question (`prompt`), its reference answer (`solution`), the short answer and the rubric that rewards go by, and the "
    "grades of the reference",
    lambda _: {**_QUESTION, **dict.fromkeys(GRADES, "float64"), **FACTS},
    _question_rows,
    grouped=True,
    thought="message",
)
VERIFIERS = Format(
    "verifiers",
    "a task of an environment package for `verifiers`: a question (`prompt`), its short answer, and its rubric",
    lambda _: {**_QUESTION, **FACTS},
    _environment_rows,
    grouped=True,
    thought="message",
    package=write_package,
)
PRM = Format(
    "prm",
    "a question (`prompt`), the steps of a thought (`completions`), and whether each is right (`labels`)",
    lambda _: {"prompt": "string", "completions": ["string"], "labels": ["bool"], **FACTS},
    _step_rows,
)
