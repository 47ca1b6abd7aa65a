"""Judge the traces on which the judges are far apart: what you say of them are labels that judges are tuned by.

python -m programs.review cosmology.json
python -m optimize.compile --stage judge --trainset cosmology.labels.jsonl --judge-models gpt4o
"""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, Field

from programs.cli.options import parse, run_cli
from programs.errors import UserError
from programs.files.beside import beside, ending_of
from programs.judges.review_labels import ReviewLabels
from programs.judges.review_list import review_path
from programs.judges.review_walk import HELP, ReviewList, Walk, understood

if TYPE_CHECKING:
    from rich.console import Console

REVIEW_ENDING = ending_of("review")


class ReviewOptions(BaseModel):
    """Options of `python -m programs.review`."""

    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document, or the review list beside it")
    labels: Path | None = Field(
        None, description="where your labels go (default: NAME.labels.jsonl beside the document)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Walks through a review list: one line of standard input for each decision, saved at once."""
    options = parse(ReviewOptions, "python -m programs.review", __doc__ or "", arguments)
    from rich.console import Console

    console = Console(highlight=False)
    path = _list_of(options.document)
    if path is None:
        console.print("nothing to review: no judges rated these traces", soft_wrap=True)
        return 0
    items = ReviewList(path)
    try:
        if len(items) == 0:
            console.print("nothing to review: no two judges are far apart", soft_wrap=True)
            return 0
        with ReviewLabels(options.labels or _labels_beside(path)) as labels:
            review(items, labels, console)
            _told(items, labels, console)
    finally:
        items.close()
    return 0


def review(items: ReviewList, labels: ReviewLabels, console: "Console") -> None:
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


def _list_of(document: Path) -> Path | None:
    """The review list that is meant; None where nothing was judged. Raises `UserError` where there is no document."""
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
    return None


def _labels_beside(path: Path) -> Path:
    stem = path.name.removesuffix(REVIEW_ENDING)
    return beside(path.with_name(f"{stem}.json"), "labels")


def _told(items: ReviewList, labels: ReviewLabels, console: "Console") -> None:
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
