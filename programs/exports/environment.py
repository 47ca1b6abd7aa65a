"""`--to verifiers`: what makes of an export's folder an environment package (`programs.exports.verifiers_package`)."""

import re
from pathlib import Path

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
    """The module of the environment in a folder: the folder's name, as Python has names."""
    name = re.sub(r"\W+", "_", folder.name.lower(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"env_{name}".rstrip("_")


def write_package(folder: Path, output: Path) -> None:
    """Adds the package to an export's folder, which has its data already and will stand at `output`."""
    rooms, module = Path(__file__).parents[1], package_name(output)
    code = (rooms / "exports/verifiers_package.py").read_text(encoding="utf-8")
    (folder / module).mkdir()
    for name, text in {
        "pyproject.toml": _PROJECT.format(name=module.replace("_", "-"), module=module),
        f"{module}/__init__.py": code.replace(f"from {_RULES}", f"from {module}.short_answers"),
        f"{module}/short_answers.py": (rooms / "text/short_answers.py").read_text(encoding="utf-8"),
        f"{module}/judge.txt": judge_prompt(),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def judge_prompt() -> str:
    """What the judge of a rubric is asked, as one text with `{prompt}`, `{answer}` and `{points}` to be filled in."""
    # Only now: --help needs none of it.
    from programs.asking.adapter import PassageFirstAdapter
    from signatures.grade import CheckRubric

    inputs = {name: f"{{{name}}}" for name in ("prompt", "answer", "points")}
    return "\n\n".join(message["content"] for message in PassageFirstAdapter().format(CheckRubric, [], inputs))
