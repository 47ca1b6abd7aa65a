"""Moving aside what somebody may still want."""

from datetime import datetime, timezone
from pathlib import Path


def move_aside(*paths: Path) -> None:
    """Renames those of these files and folders that exist to NAME.TIME.old, all with the same time. Raises OSError."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    for path in paths:
        if path.exists():
            path.rename(path.with_name(f"{path.name}.{stamp}.old"))
