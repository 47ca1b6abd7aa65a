"""What the files beside a document are called: `NAME.KIND.jsonl` for `NAME.json`."""

from pathlib import Path
from typing import Literal, get_args

Kind = Literal["journal", "dropped", "review", "labels"]


def beside(document: Path, kind: Kind) -> Path:
    """The file of this kind beside a document."""
    return document.with_name(f"{stem_of(document)}{ending_of(kind)}")


def stem_of(document: Path) -> str:
    """What the names of a document and of what lies beside it have in common: NAME."""
    return document.stem if document.suffix == ".json" else document.name


def ending_of(kind: Kind) -> str:
    """What the names of this kind end with."""
    return f".{kind}.jsonl"


ENDINGS = tuple(ending_of(kind) for kind in get_args(Kind))
