"""Input: from JSON lines, papers and tables to a stream of `Sample`s, whatever state the files are in.

report = ReadReport()
for sample in read_samples(["data/*.jsonl"], max_chars=20_000, report=report):
    ...
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from programs.inputs.reader import read_paper, read_samples
    from programs.inputs.report import ReadReport
    from programs.inputs.sources import DEFAULT_INPUT

_PLACES = {
    "DEFAULT_INPUT": "programs.inputs.sources",
    "ReadReport": "programs.inputs.report",
    "read_paper": "programs.inputs.reader",
    "read_samples": "programs.inputs.reader",
}

__all__ = ["DEFAULT_INPUT", "ReadReport", "read_paper", "read_samples"]


def __getattr__(name: str) -> Any:
    # The readers take a while to import, and all that needs a `Sample` would pay for them.
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
