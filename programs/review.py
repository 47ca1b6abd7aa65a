"""Judge the traces on which the judges are far apart, or a random sample: what you say are labels that judges are tuned by.

python -m programs.review cosmology.json
python -m programs.review cosmology.json --random 30
python -m optimize.compile --stage judge --trainset cosmology.labels.jsonl --judge-models gpt4o
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, Field

from programs.cli.options import parse, run_cli
from programs.errors import UserError
from programs.files import beside, ending_of
from programs.judges.review_labels import ReviewLabels
from programs.judges.review_list import review_path
from programs.judges.review_walk import HELP, Reviewed, ReviewList, Walk, understood

if TYPE_CHECKING:
    from rich.console import Console

REVIEW_ENDING = ending_of("review")


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
    """Walks through a review list: one line of standard input for each decision, saved at once."""
    options = parse(ReviewOptions, "python -m programs.review", __doc__ or "", arguments)
    from rich.console import Console

    console = Console(highlight=False)
    items = _items_of(options)
    with contextlib.closing(items):
        if len(items) == 0:
            why = "no trace came" if options.random else "no two judges are far apart; see --random"
            console.print(f"nothing to review: {why}", soft_wrap=True)
            return 0
        with ReviewLabels(options.labels or _labels_beside(options.document)) as labels:
            review(items, labels, console)
            _told(items, labels, console)
    return 0


def review(items: Reviewed, labels: ReviewLabels, console: "Console") -> None:
    """Shows one trace after another and takes a line for each, until all are decided, the person quits or the input
    ends. Raises `JournalError` when a label cannot be written."""
    from programs.judges.review_look import show_item, show_passage

    walk, shown = Walk(items.ids, labels), None
    console.print(HELP, style="dim")
    while walk.place is not None:
        item = items[walk.place]
        if shown != walk.place:
            show_item(item, f"{walk.place + 1} of {len(items)}, {walk.left} without a label", labels.of(item), console)
            shown = walk.place
        try:
            line = console.input("> ")
        except EOFError:
            return
        word = understood(line, labels.of(item))
        if word.said is not None:
            labels.say(item, word.said)
        if word.problem is not None:
            console.print(word.problem, style="yellow")
        if word.move == "quit":
            return
        if word.move == "next":
            walk.forward()
        elif word.move == "passage":
            show_passage(item, console)
        elif word.move == "back" and not walk.back():
            console.print("this is the first one", style="yellow")


def _items_of(options: ReviewOptions) -> Reviewed:
    """The traces that are meant. Raises `UserError` where there are none to choose from."""
    if options.random is None:
        return ReviewList(_list_of(options.document))
    from programs.judges.review_sample import ReviewSample

    return ReviewSample(_document_of(options.document), options.random, options.seed)


def _list_of(document: Path) -> Path:
    """The review list that is meant. Raises `UserError` where there is no document, or nothing in it was judged."""
    if document.name.endswith(REVIEW_ENDING):
        return document
    path = review_path(document)
    if path.exists():
        return path
    if not document.exists():
        if beside(document, "journal").exists():
            raise UserError(
                f"{document} is not there yet: python -m programs.document {document} makes it from its journal"
            )
        raise UserError(f"there is neither {document} nor {path}")
    raise UserError(f"no judges rated the traces of {document}; --random 30 shows some of them all the same")


def _document_of(path: Path) -> Path:
    """The document of what the person named: itself, or that beside the review list."""
    if not path.name.endswith(REVIEW_ENDING):
        return path
    return path.with_name(f"{path.name.removesuffix(REVIEW_ENDING)}.json")


def _labels_beside(path: Path) -> Path:
    return beside(_document_of(path), "labels")


def _told(items: Reviewed, labels: ReviewLabels, console: "Console") -> None:
    said = [labels.said[name] for name in items.ids if name in labels.said]
    decided = [one for one in said if one.decided]
    counts = {
        "accepted": sum(one.correct is True for one in decided),
        "rejected": sum(one.correct is False for one in decided),
        "rated": sum(one.overall is not None for one in decided),
        "without a label": len(items) - len(decided),
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.print(f"{told}; in {labels.path}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    run_cli(main)
