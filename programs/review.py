"""Judge the traces on which the judges are far apart, or a random sample: what you say are labels that judges are tuned by.

python -m programs.review cosmology.json
python -m programs.review cosmology.json --random 30
python -m optimize.compile --stage judge --trainset cosmology.labels.jsonl --judge-models gpt4o
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, Field

from programs.cli.options import parse, run_cli
from programs.cli.terminal import console as plain_console
from programs.errors import UserError
from programs.files import beside, ending_of

if TYPE_CHECKING:
    from programs.judges.review_list import ReviewItem


class ReviewOptions(BaseModel):
    """Options of `python -m programs.review`."""

    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document, or the review list beside it")
    random: int | None = Field(
        None, ge=1, description="show this many traces drawn at random, instead of the review list"
    )
    seed: int = Field(0, description="of the draw; a larger sample of the same seed goes on with the smaller")
    labels: Path | None = Field(
        None, description="where your labels go (default: NAME.labels.jsonl beside the document)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Walks through traces: one line of standard input for each decision, saved at once."""
    options = parse(ReviewOptions, "python -m programs.review", __doc__ or "", arguments)
    from programs.judges.review_list import ReviewList, review_sample
    from programs.judges.walk import ReviewLabels, walk

    console = plain_console()
    ending = ending_of("review")
    document = options.document
    if document.name.endswith(ending):
        document = document.with_name(f"{document.name.removesuffix(ending)}.json")
    with contextlib.ExitStack() as held:
        items: Sequence[ReviewItem]
        if options.random is None:
            listed = options.document if document != options.document else _list_of(document)
            items = held.enter_context(contextlib.closing(ReviewList(listed)))
        else:
            items = review_sample(document, options.random, options.seed)
        if not items:
            why = "no trace came" if options.random else "no two judges are far apart; see --random"
            console.print(f"nothing to review: {why}", soft_wrap=True)
            return 0
        labels = held.enter_context(ReviewLabels(options.labels or beside(document, "labels")))
        walk(items, labels, console)
    return 0


def _list_of(document: Path) -> Path:
    """The review list of a document. Raises `UserError` where there is no document, or nothing in it was judged."""
    path = beside(document, "review")
    if path.exists():
        return path
    if document.exists():
        raise UserError(f"no judges rated the traces of {document}; --random 30 shows some of them all the same")
    if beside(document, "journal").exists():
        raise UserError(
            f"{document} is not there yet: python -m programs.document {document} makes it from its journal"
        )
    raise UserError(f"there is neither {document} nor {path}")


if __name__ == "__main__":
    run_cli(main)
