"""What files record about their origin: the versions of the program and its dependencies, its commit, and the time."""

import platform
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

NAME = "synthreasoner"


def versions() -> dict[str, str]:
    """The versions on which a run's results depend."""
    found = {name: version_of(name) for name in (NAME, "dspy", "pydantic", "httpx")}
    return {"python": platform.python_version(), **{name: number for name, number in found.items() if number}}


def version_of(name: str = NAME) -> str | None:
    """The version of an installed package, by default of this program; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """The commit of the checkout that this program runs from; None without a checkout, or if git fails."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def utc_now() -> str:
    """The current time in UTC, to the second: 2026-01-31T12:00:00Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
