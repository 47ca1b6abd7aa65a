"""The project with lines added, as a newcomer would add them, and what its commands do with them.

ADDED = {"signatures/grade.py": {"    completeness:": '    brevity: Percent = Field(description="is short")'}}
copied(FOLDER, ADDED)             # each line stands before the one that begins so

python -m tests.adding FOLDER     # in that folder: prints what the commands do, as JSON
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
from tests.optimize.compiling import workshop
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn


def copied(folder: Path, added: Mapping[str, Mapping[str, str]]) -> None:
    """Puts the project's packages there with lines added to files. Fails where a line's place is not there once."""
    for package in ("programs", "signatures", "optimize", "data"):
        shutil.copytree(lab.ROOT / package, folder / package)
    for name, lines in added.items():
        path = folder / name
        source = path.read_text(encoding="utf-8")
        for place, line in lines.items():
            assert source.count(f"\n{place}") == 1, f"{name} has not one line that begins {place!r}"
            source = source.replace(f"\n{place}", f"\n{line}\n{place}")
        path.write_text(source, encoding="utf-8")


def everything(folder: Path) -> dict[str, Any]:
    """A run that uses every addition, its exports, its report and a compilation."""

    def called(main: Any, *words: Any) -> str:
        done = lab.called(*map(str, words), main=main)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    unseen = "Not for print\n\nThis is what nobody is to see."
    (folder / "papers.notes").write_text(f"{lab.passage(1)}\n\n{unseen}\n", encoding="utf-8")
    output, brain = folder / "out.json", Scientist()
    with StandIn(brain, argo_user=lab.USER) as argo, StandIn(brain) as mine:
        os.environ.update(ARGO_USER=lab.USER, ARGO_BASE_URL=argo.url)
        given = {"input_file": folder / "papers.notes", "prefilter": True, "output": output, "model": "odd1"}
        given |= {"quality_check": True, "judge_models": "mine/any", "api_base": f"mine/any={mine.openai_base}"}
        given |= {"grade_answers": True, "traces_per_sample": 8, "least_words": 5}
        generated = called(generate, *lab.options(given))
        bodies = [*argo.bodies, *mine.bodies]
        assert not argo.surprises + mine.surprises
    exported, trained = folder / "plain", folder / "grpo"
    called(export, output, "--to", "plain", "--output", exported)
    called(export, output, "--to", "grpo", "--output", trained)
    called(report, output)
    with workshop(folder) as shop:
        tuned = {"optimizer": "at-once", "metric": "brief", "stage": "answer"}
        called(compile_program, *lab.options({**shop.base, **tuned}))
        compiled = shop.text, json.dumps(shop.server.bodies)
    journal = map(json.loads, output.with_suffix(".journal.jsonl").read_text(encoding="utf-8").splitlines())
    return {
        "records": json.loads(output.read_bytes())["questions"],
        "old": [json.loads(one.model_dump_json()) for one in read_records(lab.ROOT / "tests/old/document.json")],
        "asked": json.dumps(bodies),
        "sent": {body["model"]: "temperature" in body for body in bodies},
        "settings": next(line for line in journal if line["kind"] == "run")["settings"],
        "generated": generated,
        "help": called(generate, "--help"),
        "reference": reference.page(),
        "completion": script("bash"),
        "rows": rows(exported),
        "grpo": rows(trained)[0],
        "card": (exported / "README.md").read_text(encoding="utf-8"),
        "page": output.with_suffix(".html").read_text(encoding="utf-8"),
        "compiled": compiled,
    }


if __name__ == "__main__":
    print(json.dumps(everything(Path(sys.argv[1]))))
