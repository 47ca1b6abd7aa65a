"""How a trace under review looks in the terminal."""

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from programs.inputs.cleaning import clean
from programs.judges.review_labels import Said
from programs.judges.review_list import ReviewItem
from programs.records import RATINGS

LONG_PASSAGE = 3000
"""Characters; of a longer passage only the evidence is shown, and the whole on demand."""


def show_item(item: ReviewItem, place: str, said: Said, console: Console) -> None:
    """Prints a trace with its verdicts, and what was said of it before."""
    console.print(Rule(_text(f"{place}: {item.title}")))
    if item.key_passage is None:
        console.print(_text("the passage is not known", "dim"))
    elif len(item.key_passage) <= LONG_PASSAGE:
        show_passage(item, console)
    else:
        _show_evidence(item, console)
    console.print(_text(f"question, by {item.asked_by}", "cyan"))
    _body(item.question, console, "bold")
    console.print(_text("thought", "cyan"))
    _body(item.thought, console)
    console.print(_text("answer", "green"))
    _body(item.answer, console)
    console.print(_verdicts(item) if item.verdicts else _text(f"no judge was asked ({item.became})", "dim"))
    if said.decided or said.comment:
        console.print(_text(f"you said: {_in_words(said)}", "magenta"))


def show_passage(item: ReviewItem, console: Console) -> None:
    """Prints the whole passage."""
    console.print(_text("passage", "cyan"))
    _body(item.key_passage or "", console)


def _show_evidence(item: ReviewItem, console: Console) -> None:
    console.print(_text(f"evidence, out of {len(item.key_passage or '')} characters (p shows all)", "cyan"))
    for evidence in item.evidence:
        _body(evidence.quote or f"not found in the passage: {evidence.claim}", console, "italic")


def _verdicts(item: ReviewItem) -> Table:
    apart = "" if item.spread is None else f", {item.spread:g} apart"
    table = Table(title=f"the judges{apart} ({item.became})", box=None, title_justify="left")
    dimensions = ["overall", *(name for name in RATINGS if name != "overall")]
    for name in ("judge", *dimensions, "in words"):
        table.add_column(name.replace("_", " "))
    for verdict in item.verdicts:
        raw = "" if verdict.raw_overall is None else f" (said {verdict.raw_overall})"
        ratings = (getattr(verdict, name) for name in dimensions)
        overall, *others = ["-" if rating is None else f"{rating:g}" for rating in ratings]
        table.add_row(_text(verdict.judge), overall + raw, *others, _text(verdict.words))
    return table


def _in_words(said: Said) -> str:
    parts = [] if said.correct is None else ["accepted" if said.correct else "rejected"]
    parts += [] if said.overall is None else [f"{said.overall} of 10"]
    parts += [f"comment: {said.comment}"] if said.comment else []
    return ", ".join(parts)


def _body(text: str, console: Console, style: str = "") -> None:
    console.print(Padding(_text(text, style), (0, 0, 0, 2)))


def _text(text: str, style: str = "") -> Text:
    """A text as it stands: what looks like markup is none, and no control character reaches the terminal."""
    return Text(clean(text), style)
