"""What the order of the prompt does to what a model makes: the embedded model, the texts of a compilation's proof.

Both orders make one trace of each of the same texts. Compared are the metrics that need no model, and how often the first
try of a stage failed. Calls that were answered before are kept in `--folder`, so that a run can be gone on with.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from optimize.compilation import prepared
from optimize.measure import Measured
from optimize.proof import Compared, prove
from optimize.settings import CompileSettings
from optimize.tuning import proven
from optimize.workspace import workspace
from tests.bench.options import Options
from tests.bench.prefix import TIMEOUT, WEIGHTS

TEXTS, QUICK_TEXTS = 30, 2


def made(order: str, texts: int, folder: Path) -> list[Measured]:
    """What one order made of the texts."""
    chosen = {"model": "embedded", "prompt_order": order, "output": folder / order, "timeout": TIMEOUT}
    settings = CompileSettings.model_validate({**chosen, "num_train": 8, "num_val": 6, "num_test": texts})
    console = Console(stderr=True)
    course = prepared(settings)
    (folder / order).mkdir(parents=True, exist_ok=True)
    with workspace(settings, order, console, settings.concurrency or 1) as (models, _):
        return proven(course, models, course.tracer, console)


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """30 texts, 2 when `quick`; a row for each metric and for each stage."""
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        texts = QUICK_TEXTS if options.quick else TEXTS
        stock, first = (made(order, texts, folder) for order in ("stock", "passage-first"))
    proof = prove(stock, first, seed=0, weights=WEIGHTS)
    for name, found in {"composite": proof.composite, **proof.metrics}.items():
        if found.pairs:
            yield {"of": name, **_compared(found)}
    for stage, failures in proof.stages.items():
        yield {
            "of": f"first tries of {stage} that failed",
            "stock": f"{failures.failed_before} of {failures.asked_before}",
            "passage_first": f"{failures.failed_after} of {failures.asked_after}",
        }


def _compared(found: Compared) -> dict[str, Any]:
    interval = found.interval
    return {
        "stock": None if found.before is None else round(found.before, 3),
        "passage_first": None if found.after is None else round(found.after, 3),
        "difference": None if interval is None else f"{interval.low:+.3f} to {interval.high:+.3f}",
        "texts": found.pairs,
    }
