"""A process that asks a recorded model numbered questions from threads, to be killed in the middle.

python -m tests.optimize.asker FOLDER BASE_URL COUNT
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from optimize.recording.recorded import recorded
from optimize.recording.recorder import Recorder
from programs.lms.resolve import resolve
from programs.lms.retry import RetryPolicy

THREADS = 4


def question(number: int) -> str:
    """The prompt with this number."""
    return f"question {number}"


def ask_all(folder: Path, base: str, count: int) -> list[str]:
    """The answers to `count` questions, asked in threads."""
    with Recorder(folder) as recorder:
        found = resolve("openai/any", api_base=base, retry=RetryPolicy(first_wait=0.01, patience=5), env={})
        model = recorded(found, recorder, "student")
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda number: str(model.lm(question(number))[0]), range(count)))
        model.close()
    return answers


def main() -> int:
    ask_all(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
