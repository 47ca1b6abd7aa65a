"""Makes runs, merges them, and reads what tests compare."""

from pathlib import Path
from typing import Any

from programs import merge
from programs.run.old_lines import upgrade_line
from tests.lab import Lab

RUN_SPECIFIC = ("seconds", "created", "place", "line")
"""Fields that differ between one run and several: when something was made, and where its text is in the input."""


def part_journals(lab: Lab, parts: int) -> list[str]:
    return [str(lab.folder / f"part-{number}.journal.jsonl") for number in range(parts)]


def run_part(lab: Lab, number: int, parts: int, **options: Any) -> str:
    """Runs over the input's texts `number`, `number` + `parts`, and so on. Returns the journal."""
    (source,) = lab.base["input_file"]
    part = lab.folder / f"part-{number}.jsonl"
    part.write_bytes(b"".join(Path(source).read_bytes().splitlines(keepends=True)[number::parts]))
    return run_to_output(lab, f"part-{number}", input_file=[str(part)], **options)


def run_parts(lab: Lab, parts: int, **options: Any) -> list[str]:
    """Runs all parts of the input. Returns their journals."""
    return [run_part(lab, number, parts, **options) for number in range(parts)]


def run_to_output(lab: Lab, name: str, **options: Any) -> str:
    """Runs with its own output. Returns the journal."""
    lab.run(output=str(lab.folder / f"{name}.json"), **options)
    return str(lab.folder / f"{name}.journal.jsonl")


def merge_sources(lab: Lab, *sources: str, **options: Any) -> merge.Merged:
    return merge.merge(sources, lab.folder / "merged.json", **options)


def with_output(lab: Lab, name: str) -> Lab:
    """The same lab with another output."""
    return Lab(lab.folder, lab.server, lab.brain, {**lab.base, "output": str(lab.folder / f"{name}.json")})


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in RUN_SPECIFIC}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def records_by_id(lab: Lab) -> dict[str, Any]:
    records = {record["id"]: comparable(record) for record in lab.records}
    assert len(records) == len(lab.records)
    return records


def newest_by_key(lab: Lab, kind: str) -> dict[str, Any]:
    """The newest line of every key, without run-specific fields."""
    return {line["key"]: comparable(upgrade_line(line)) for line in lab.lines(kind)}


def user_files(folder: Path) -> dict[Path, bytes]:
    """The contents of all files that belong to the user, which excludes locks and indexes."""
    ours = (".lock", ".index", "-wal", "-shm")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(ours)}


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".*.merging*"))


def copy_journal(lab: Lab, journal: str, name: str) -> str:
    copy = lab.folder / f"{name}.journal.jsonl"
    copy.write_bytes(Path(journal).read_bytes())
    return str(copy)


def merge_outputs(folder: Path) -> list[str]:
    """The names of the files that look like a finished merge."""
    return [name for name in ("merged.json", "merged.journal.jsonl") if (folder / name).exists()]
