"""How much of a demonstration a small model recites: the embedded model, with a good example for every stage.

`shown.json` holds one output of each stage, written by hand about a passage of the sample data. The program makes one
trace of each of some other passages without the examples and with them. Counted are the first tries of every stage that
failed, and those of them that took words from the example (`programs.checks.borrowed`). Calls that were answered before are
kept in `--folder`.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from optimize.compilation import prepared
from optimize.measure import Measured
from optimize.settings import CompileSettings
from optimize.stages import STAGES
from optimize.tuning import proven
from optimize.workspace import workspace
from programs.checks.borrowed import BORROWED
from programs.tracer import Tracer
from tests.bench.options import Options
from tests.bench.prefix import TIMEOUT

TEXTS, QUICK_TEXTS = 4, 1
SHOWN = Path(__file__).with_name("shown.json")
ABOUT = "Cavity power and radiative cooling in eighteen cool-core clusters"
"""The title of the passage that the examples are about."""


def shown() -> Tracer:
    """The program with an example for every stage."""
    tracer, examples = Tracer(), json.loads(SHOWN.read_bytes())
    for name, predictor in tracer.named_predictors():
        predictor.demos = [examples[name]] if name in examples else []
    return tracer


def made(folder: Path, texts: int) -> tuple[list[Measured], list[Measured]]:
    """What the program makes of so many texts, without the examples and with them."""
    chosen = {"model": "embedded", "output": folder, "timeout": TIMEOUT}
    settings = CompileSettings.model_validate({**chosen, "num_train": 8, "num_val": 12, "num_test": 30})
    console, course = Console(stderr=True), prepared(settings)
    few = course.splits.val[:texts]
    if ABOUT in {sample.title for sample in few}:
        raise SystemExit(f"the examples are about one of the texts: {ABOUT}")
    course = replace(course, splits=replace(course.splits, test=few))
    with workspace(settings, "recited", console) as (models, _):
        return proven(course, models, course.tracer, console), proven(course, models, shown(), console)


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """Four texts, one when `quick`; a row for each stage."""
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        without, with_examples = made(folder, QUICK_TEXTS if options.quick else TEXTS)
    for stage in STAGES:
        yield {
            "first tries of": stage,
            "failed without": _share(without, stage),
            "failed with": _share(with_examples, stage),
            "took words": _share(with_examples, stage, BORROWED),
        }
    yield {
        "first tries of": "(texts that gave no trace)",
        "failed without": f"{sum(one.record is None for one in without)} of {len(without)}",
        "failed with": f"{sum(one.record is None for one in with_examples)} of {len(with_examples)}",
    }


def _share(measures: list[Measured], stage: str, reason: str = "") -> str:
    """How many first tries of a stage failed, for this reason, of those that were made."""
    asked = [one.stages[stage] for one in measures if stage in one.stages]
    return f"{sum(why is not None and reason in why for why in asked)} of {len(asked)}"
