"""Builds the wheel. It puts the packages of this checkout under one package, `synthreasoner`, so that no package called
`programs` or `optimize` is installed into a user's site-packages. In a checkout they are top-level, so that a command is
`python -m programs.NAME` without an installation.

`programs.tracer` in a checkout is `synthreasoner.programs.tracer` in the wheel, and `load_tracer` can be imported from
`synthreasoner` itself. In messages and docstrings, `python -m programs.generate` becomes `synthreasoner generate`.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "synthreasoner"
FOLDERS = ("programs", "signatures", "optimize")
SAMPLE = "heuristic_filtered_cosmo_limited.jsonl"

_NAMES = "|".join(FOLDERS)
_COMMAND = re.compile(rf"python -m (?:{_NAMES})\.(\w+)")
_DOTTED = re.compile(rf"(?<![\w./-])({_NAMES})(?=\.[a-zA-Z_])")
_IMPORTED = re.compile(rf"(?<![\w.])(from|import) ({_NAMES})(?=\s)")


class UnderOnePackage(BuildHookInterface[Any]):
    """Puts each file of `FOLDERS` under `PACKAGE`, with its imports of our packages renamed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds renamed copies of all files to the wheel, except to that of an editable install, which uses the checkout."""
        root, included = Path(self.root), build_data["force_include"]
        if version == "editable":
            return
        scripts = self.metadata.core.scripts
        scripts.update({name: renamed(target) for name, target in scripts.items()})
        self._copies = tempfile.TemporaryDirectory()
        copies = Path(self._copies.name)
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    included[str(self._copied(path, copies))] = f"{PACKAGE}/{path.relative_to(root)}"
        front = copies / "__init__.py"
        front.write_text(renamed((root / "programs/__init__.py").read_text("utf-8")), "utf-8")
        included[str(front)] = f"{PACKAGE}/__init__.py"
        included[str(root / "data" / SAMPLE)] = f"{PACKAGE}/programs/resources/{SAMPLE}"

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        """Deletes the renamed copies."""
        if version != "editable":
            self._copies.cleanup()

    def _copied(self, path: Path, copies: Path) -> Path:
        copy = copies / path.relative_to(self.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".py", ".jinja"):
            copy.write_text(renamed(path.read_text("utf-8")), "utf-8")
        else:
            copy.write_bytes(path.read_bytes())
        return copy


def renamed(source: str) -> str:
    """Python source in which imports and names of our packages, and commands, are as they are in the wheel."""
    source = _COMMAND.sub(rf"{PACKAGE} \1", source)
    source = _IMPORTED.sub(rf"\1 {PACKAGE}.\2", source)
    return _DOTTED.sub(rf"{PACKAGE}.\1", source)
