"""`--follow`: what the stages said, shown as it comes, so that one reads while the rest is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.inputs.cleaning import clean
from signatures.answer import FinalAnswer

TITLES = {"trace": "thought"}
"""What stages are called here whose names in journals are others."""


def follower(console: Console) -> Callable[[Ask, Reply], None]:
    """What prints each reply (`Ledger.on_reply`); before the first question of a text, the text."""
    shown = set[str]()

    def on_reply(ask: Ask, reply: Reply) -> None:
        if ask.stage == "questions" and ask.sample not in shown:
            shown.add(ask.sample)
            console.print(Text("passage", style="bold"))
            console.print(Padding(Text(_plain(str(ask.inputs["passage"]))), (0, 0, 1, 2)))
        show_reply(console, ask, reply)

    return on_reply


def show_reply(console: Console, ask: Ask, reply: Reply) -> None:
    """Prints what a stage said, or in one line why it said nothing. What comes from a model or a paper never becomes
    markup."""
    took = f"{reply.spent.seconds:.0f} s"
    title = f"{TITLES.get(ask.stage, ask.stage)} ({took})"
    if reply.status != "ok":
        title += f": not usable: {'; '.join(reply.problems)}"
    console.print(Text(_plain(title), style="bold"))
    if reply.status == "ok":
        console.print(Padding(Text("\n".join(lines_of(reply.output))), (0, 0, 1, 2)))


def lines_of(said: Any) -> Iterator[str]:
    """A reply as lines: names with what they say, lists with dashes, a thought's paragraphs and an answer as prose."""
    if isinstance(said, Mapping):
        yield from _of_mapping(said)
    elif isinstance(said, Sequence) and not isinstance(said, str):
        for item in said:
            first, *rest = lines_of(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _plain(str(said))


def _of_mapping(said: Mapping[str, Any]) -> Iterator[str]:
    if "paragraphs" in said:
        yield from "\n\n".join(_plain(paragraph["text"]) for paragraph in said["paragraphs"]).splitlines()
        return
    if "text" in said and set(said) <= set(FinalAnswer.model_fields):
        yield _plain(said["text"])
        return
    for name, value in said.items():
        if isinstance(value, str | int | float) or value is None:
            yield f"{name.replace('_', ' ')}: {_plain(str(value))}"
        elif all(isinstance(item, int) for item in value):
            yield f"{name.replace('_', ' ')}: {', '.join(map(str, value))}"
        else:
            yield f"{name.replace('_', ' ')}:"
            yield from (f"  {line}" for line in lines_of(value))


def _plain(text: str) -> str:
    """Without what would control the terminal."""
    return clean(text) or ""
