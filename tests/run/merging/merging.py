"""Runs to be merged, what merging them gives, and what there is to compare."""

from pathlib import Path
from typing import Any

from programs import merge
from programs.run.old_lines import upgrade_line
from tests.lab import Lab

TIMES = ("seconds", "created", "place", "line")
"""What differs between one run and several: when something was made, and in which file its text stands."""


def journals(lab: Lab, of: int) -> list[str]:
    return [str(lab.folder / f"part-{number}.journal.jsonl") for number in range(of)]


def run_part(lab: Lab, number: int, of: int, **given: Any) -> str:
    """A run over every `of`th text. Returns its journal."""
    (source,) = lab.base["input_file"]
    part = lab.folder / f"part-{number}.jsonl"
    part.write_bytes(b"".join(Path(source).read_bytes().splitlines(keepends=True)[number::of]))
    return run_as(lab, f"part-{number}", input_file=[str(part)], **given)


def run_parts(lab: Lab, of: int, **given: Any) -> list[str]:
    """Runs all parts of the input. Returns their journals."""
    return [run_part(lab, number, of, **given) for number in range(of)]


def run_as(lab: Lab, name: str, **given: Any) -> str:
    """A run with an output of its own. Returns its journal."""
    lab.run(output=str(lab.folder / f"{name}.json"), **given)
    return str(lab.folder / f"{name}.journal.jsonl")


def merged(lab: Lab, *sources: str, name: str = "merged", **options: Any) -> merge.Merged:
    return merge.merge(sources, lab.folder / f"{name}.json", **options)


def view(lab: Lab, name: str) -> Lab:
    """The lab with another output as its own."""
    return Lab(lab.folder, lab.server, lab.brain, {**lab.base, "output": str(lab.folder / f"{name}.json")})


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def records_by_id(lab: Lab) -> dict[str, Any]:
    found = {record["id"]: timeless(record) for record in lab.records}
    assert len(found) == len(lab.records)
    return found


def contents(lab: Lab, kind: str) -> dict[str, Any]:
    """The newest line of every key, without times."""
    return {line["key"]: timeless(upgrade_line(line)) for line in lab.lines(kind)}


def snapshot(folder: Path) -> dict[Path, bytes]:
    """What is the user's: no locks and no indexes."""
    ours = (".lock", ".index", "-wal", "-shm")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(ours)}


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".*.merging*"))


def copied(lab: Lab, journal: str, name: str) -> str:
    copy = lab.folder / f"{name}.journal.jsonl"
    copy.write_bytes(Path(journal).read_bytes())
    return str(copy)


def outputs(folder: Path) -> list[str]:
    """What a reader would take for a result."""
    return [name for name in ("merged.json", "merged.journal.jsonl") if (folder / name).exists()]
