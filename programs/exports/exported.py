"""What an export made."""

from dataclasses import dataclass
from typing import Any

from programs.exports.candidates import Origin
from programs.exports.files import SplitSize
from programs.exports.options import ExportOptions
from programs.exports.tally import Tally


@dataclass(frozen=True)
class Exported:
    """An export that is done. `metadata` is what the document says of itself."""

    options: ExportOptions
    origin: Origin
    metadata: dict[str, Any]
    tally: Tally
    sizes: dict[str, SplitSize]
    created: str
