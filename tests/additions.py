"""Adds lines to a copy of the project, as a newcomer would, and runs its commands there.

ADDED = {"signatures/grade.py": {"    completeness:": '    brevity: Percent = Field(description="is short")'}}
copy_project(FOLDER, ADDED)       # inserts each line before the line that starts with its key

python -m tests.additions FOLDER     # in that folder: runs the commands and prints their results as JSON
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimize.compile import main as compile_program
from programs.completion import script
from programs.document import read_records
from programs.export import main as export
from programs.generate import main as generate
from programs.report import main as report
from tests import lab, reference
from tests.exports.building import rows
from tests.optimize.compiling import compile_lab
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def copy_project(folder: Path, added: Mapping[str, Mapping[str, str]]) -> None:
    """Copies the project's packages and inserts lines. Fails unless a key is the start of exactly one line of its file."""
    for package in ("programs", "signatures", "optimize", "data"):
        shutil.copytree(lab.ROOT / package, folder / package)
    for name, lines in added.items():
        path = folder / name
        source = path.read_text(encoding="utf-8")
        for start, line in lines.items():
            assert source.count(f"\n{start}") == 1, f"{name} must have exactly one line that starts with {start!r}"
            source = source.replace(f"\n{start}", f"\n{line}\n{start}")
        path.write_text(source, encoding="utf-8")


def run_everything(folder: Path) -> dict[str, Any]:
    """The results of a run that uses every addition, of its exports, its report and a compilation."""

    def call(main: Any, *arguments: Any) -> str:
        done = lab.run_command(*map(str, arguments), main=main)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    filtered = "Not for print\n\nThis is what nobody is to see."
    (folder / "papers.notes").write_text(f"{lab.passage(1)}\n\n{filtered}\n", encoding="utf-8")
    output, brain = folder / "out.json", Scientist()
    with StandIn(brain, argo_user=lab.USER) as argo, StandIn(brain) as own:
        os.environ.update(ARGO_USER=lab.USER, ARGO_BASE_URL=argo.url)
        settings = {"input_file": folder / "papers.notes", "prefilter": True, "output": output, "model": "odd1"}
        settings |= {"quality_check": True, "judge_models": "mine/any", "api_base": f"mine/any={own.openai_base}"}
        settings |= {"grade_answers": True, "traces_per_sample": 8, "least_words": 5}
        generated = call(generate, *lab.command_line_words(settings))
        bodies = [*argo.bodies, *own.bodies]
        assert not argo.brain_errors + own.brain_errors
    plain_export, grpo_export = folder / "plain", folder / "grpo"
    call(export, output, "--to", "plain", "--output", plain_export)
    call(export, output, "--to", "grpo", "--output", grpo_export)
    call(report, output)
    with compile_lab(folder) as shop:
        compile_settings = {"optimizer": "at-once", "metric": "brief", "stage": "answer"}
        call(compile_program, *lab.command_line_words({**shop.base, **compile_settings}))
        compiled = shop.report_text, json.dumps(shop.server.bodies)
    journal = map(json.loads, output.with_suffix(".journal.jsonl").read_text(encoding="utf-8").splitlines())
    return {
        "records": json.loads(output.read_bytes())["questions"],
        "old": [json.loads(record.model_dump_json()) for record in read_records(lab.ROOT / "tests/old/document.json")],
        "asked": json.dumps(bodies),
        "sent": {body["model"]: "temperature" in body for body in bodies},
        "settings": next(line for line in journal if line["kind"] == "run")["settings"],
        "generated": generated,
        "help": call(generate, "--help"),
        "reference": reference.reference_page(),
        "completion": script("bash"),
        "rows": rows(plain_export),
        "grpo": rows(grpo_export)[0],
        "card": (plain_export / "README.md").read_text(encoding="utf-8"),
        "page": output.with_suffix(".html").read_text(encoding="utf-8"),
        "compiled": compiled,
    }


if __name__ == "__main__":
    print(json.dumps(run_everything(Path(sys.argv[1]))))
