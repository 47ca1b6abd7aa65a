"""Builds the wheel: the packages of this checkout under one import package, so that nothing called `programs` or `optimize`
lies in a user's site-packages.

In a checkout one imports `programs.tracer`, from the wheel `synthreasoner.programs.tracer`, or `load_tracer` from
`synthreasoner` itself; where a message or a docstring says `python -m programs.generate`, the wheel's says `synthreasoner
generate`.
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
    """Puts each file of `FOLDERS` under `PACKAGE`, with its own imports renamed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install is the checkout itself; any other wheel gets renamed copies."""
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
        """Deletes the copies."""
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
    """Python source with the names of the folders as they are under the package."""
    source = _COMMAND.sub(rf"{PACKAGE} \1", source)
    source = _IMPORTED.sub(rf"\1 {PACKAGE}.\2", source)
    return _DOTTED.sub(rf"{PACKAGE}.\1", source)
