"""A compilation with Optuna that kills its own process once so many runs were made, for tests that go on with it.

python -m tests.optimize.optimizers.deadly FOLDER RUNS
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.optimize.optimizers.tuning import DULL, GOOD, MAGIC, Lab, Replies, is_good, small_laboratory


def lab_in(folder: Path, brain: Replies | None = None, **changes: Any) -> Lab:
    """The lab of the compilation, and of those that go on with it."""
    return small_laboratory(folder, brain, **{"runs": 60, "texts": (DULL, MAGIC, "Take your time."), **changes})


def main() -> int:
    folder, runs = Path(sys.argv[1]), int(sys.argv[2])
    brain = Replies()
    lab = lab_in(folder, brain)

    def said(prompt: str) -> str:
        if brain.asked > runs:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"I say {GOOD} dust." if is_good(prompt) else "Who knows."

    brain.said = said
    lab.compile("optuna")
    return 0


if __name__ == "__main__":
    sys.exit(main())
