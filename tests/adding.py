"""Lines added to the project's modules in memory, as a newcomer would add them to the files, and commands run with them.

ADDED = {"signatures.grade": {"    completeness:": '    brevity: Percent = Field(description="says no more than it must")'}}
install(ADDED)     # in a new process, before anything else is imported: each line stands before the one that begins so

python -m tests.adding FOLDER     # prints what the commands do, as JSON
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

Lines = Mapping[str, str]


class _Added(SourceFileLoader):
    """Loads a module with lines added to its source. Fails where their place is not there once."""

    def __init__(self, name: str, path: str, lines: Lines) -> None:
        super().__init__(name, path)
        self._lines = lines

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode()
        for place, line in self._lines.items():
            assert source.count(f"\n{place}") == 1, f"{fullname} has not one line that begins {place!r}"
            source = source.replace(f"\n{place}", f"\n{line}\n{place}")
        code: CodeType = self.source_to_code(source.encode(), self.path)
        return code


class _Finder(MetaPathFinder):
    def __init__(self, added: Mapping[str, Lines]) -> None:
        self._added = added

    def find_spec(self, fullname: str, path: Any, _target: Any = None) -> ModuleSpec | None:
        if fullname not in self._added:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Added(fullname, spec.origin, self._added[fullname])
        return spec


def install(added: Mapping[str, Lines]) -> None:
    """From now on these modules are imported with these lines."""
    assert not {*added} & {*sys.modules}, "already imported"
    sys.meta_path.insert(0, _Finder(added))


def everything(folder: Path) -> dict[str, Any]:
    """A run that uses every addition, its exports, its report and a compilation."""
    from optimize.compile import main as compile_program
    from programs.completion import script
    from programs.document import read_records
    from programs.export import main as export
    from programs.generate import main as generate
    from programs.report import main as report
    from tests import lab, reference
    from tests.optimize.compiling import workshop
    from tests.standin.scientist import Scientist
    from tests.standin.server import StandIn

    def called(main: Any, *words: Any) -> str:
        done = lab.called(*map(str, words), main=main)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    unseen = "Not for print\n\nThis is what nobody is to see."
    (folder / "papers.notes").write_text(f"{lab.passage(1)}\n\n{unseen}\n", encoding="utf-8")
    output, brain = folder / "out.json", Scientist()
    with StandIn(brain, argo_user=lab.USER) as argo, StandIn(brain) as mine:
        os.environ.update(ARGO_USER=lab.USER, ARGO_BASE_URL=argo.url)
        given = lab.options(
            {
                "input_file": folder / "papers.notes",
                "prefilter": True,
                "output": output,
                "model": "odd1",
                "quality_check": True,
                "judge_models": "mine/any",
                "api_base": f"mine/any={mine.openai_base}",
                "grade_answers": True,
                "traces_per_sample": 8,
                "least_words": 5,
            }
        )
        generated = called(generate, *given)
        bodies = [*argo.bodies, *mine.bodies]
        assert not argo.surprises + mine.surprises
    exported, trained = folder / "plain", folder / "grpo"
    called(export, output, "--to", "plain", "--output", exported)
    called(export, output, "--to", "grpo", "--output", trained)
    called(report, output)
    with workshop(folder) as shop:
        called(
            compile_program, *lab.options({**shop.base, "optimizer": "at-once", "metric": "brief", "stage": "answer"})
        )
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


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of an export."""
    return [json.loads(line) for file in folder.glob("data/*.jsonl") for line in file.read_text().splitlines()]


if __name__ == "__main__":
    print(json.dumps(everything(Path(sys.argv[1]))))
