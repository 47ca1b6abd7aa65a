"""Judge the traces on which the judges are far apart, or a random sample: what you say are labels that judges are tuned by.

python -m programs.review cosmology.json
python -m programs.review cosmology.json --random 30
python -m optimize.compile --stage judge --trainset cosmology.labels.jsonl --judge-models gpt4o
"""

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field

from programs.cli.options import parse, run_cli
from programs.cli.terminal import console as plain_console
from programs.files import beside

MOST = 200
"""Traces of one walk; the next one goes on behind them."""


class ReviewOptions(BaseModel):
    """Options of `python -m programs.review`."""

    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document, or its journal")
    random: int | None = Field(
        None, ge=1, description="show this many traces drawn at random, instead of those on which judges are far apart"
    )
    seed: int = Field(0, description="of the draw; a larger sample of the same seed goes on with the smaller")
    labels: Path | None = Field(
        None, description="where your labels go (default: NAME.labels.jsonl beside the document)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Walks through traces: one line of standard input for each decision, saved at once."""
    options = parse(ReviewOptions, "python -m programs.review", __doc__ or "", arguments)
    from programs.judges.review_list import far_apart, random_sample
    from programs.judges.walk import ReviewLabels, said_in, walk

    console, document = plain_console(), options.document
    path = options.labels or beside(document.with_name(document.name.removesuffix(".journal.jsonl")), "labels")
    if options.random is not None:
        items = random_sample(document, options.random, options.seed)
    else:
        items = far_apart(document, MOST, {name for name, said in said_in(path).items() if said.decided})
    if not items:
        why = "no trace came" if options.random else "no two judges are far apart without your label; see --random"
        console.print(f"nothing to review: {why}", soft_wrap=True)
        return 0
    with ReviewLabels(path) as labels:
        walk(items, labels, console)
    return 0


if __name__ == "__main__":
    run_cli(main)
