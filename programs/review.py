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
from programs.errors import UserError
from programs.files import beside, ending_of

if TYPE_CHECKING:
    from rich.console import Console

    from programs.judges.review_list import ReviewItem
    from programs.judges.walk import ReviewLabels


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
    from rich.console import Console

    from programs.judges.review_list import ReviewList, review_sample
    from programs.judges.walk import ReviewLabels

    console = Console(highlight=False)
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
        ids = [item.id for item in items]
        if not ids:
            why = "no trace came" if options.random else "no two judges are far apart; see --random"
            console.print(f"nothing to review: {why}", soft_wrap=True)
            return 0
        labels = held.enter_context(ReviewLabels(options.labels or beside(document, "labels")))
        review(items, ids, labels, console)
        _tell(ids, labels, console)
    return 0


def review(items: "Sequence[ReviewItem]", ids: Sequence[str], labels: "ReviewLabels", console: "Console") -> None:
    """Shows one trace after another and takes a line for each, until all are decided, the person quits or the input
    ends. Raises `JournalError` when a label cannot be written."""
    from programs.judges.walk import HELP, Said, show_item, show_passage, understood

    def undecided(start: int) -> list[int]:
        return [number for number in range(start, len(ids)) if not labels.said.get(ids[number], Said()).decided]

    console.print(HELP, style="dim")
    been: list[int] = []
    rest, shown = undecided(0), None
    while rest:
        place, item = rest[0], items[rest[0]]
        if shown != place:
            show_item(item, f"{place + 1} of {len(ids)}, {len(undecided(0))} without a label", labels.of(item), console)
            shown = place
        try:
            line = understood(console.input("> "), labels.of(item))
        except EOFError:
            return
        if line.said is not None:
            labels.say(item, line.said)
        if line.problem is not None:
            console.print(line.problem, style="yellow")
        if line.move == "quit":
            return
        if line.move == "next":
            been.append(place)
            rest = undecided(place + 1)
        elif line.move == "passage":
            show_passage(item, console)
        elif line.move == "back":
            # To what was shown before, or else to what stands before it in the list.
            if not been and not place:
                console.print("this is the first one", style="yellow")
            rest = [been.pop() if been else max(place - 1, 0)]


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


def _tell(ids: Sequence[str], labels: "ReviewLabels", console: "Console") -> None:
    decided = [labels.said[name] for name in ids if name in labels.said and labels.said[name].decided]
    counts = {
        "accepted": sum(one.correct is True for one in decided),
        "rejected": sum(one.correct is False for one in decided),
        "rated": sum(one.overall is not None for one in decided),
        "without a label": len(ids) - len(decided),
    }
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.print(f"{told}; in {labels.path}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    run_cli(main)
