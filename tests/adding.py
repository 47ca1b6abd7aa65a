"""Lines added to the project's modules in memory, as a newcomer would add them to the files.

ADDED = {"signatures.grade": {"    completeness:": '    brevity: Percent = Field(description="says no more than it must")'}}
install(ADDED)     # in a new process, before anything else is imported: each line stands before the one that begins so
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
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
