"""Invariants of the printed summary:

1. Calls and tokens by stage and model are those of all runs of the journal, each counted once.
2. A cost is shown where a price is known, and called unknown where none is.
"""

import io
from pathlib import Path

from rich.console import Console

from programs.option_groups import Price
from programs.run.summary import show
from tests.lab import laboratory


def columns(text: str) -> dict[str, list[str]]:
    """The rows of the table by stage, each by its first word."""
    rows = text.split("spent in all")[1].splitlines()[1:]
    return {words[0]: words[1:] for line in rows if (words := line.split()) and words[0] != "stage"}


def test_calls_and_costs_by_stage_are_those_of_all_runs(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=3) as lab:
        lab.run(max_traces=1)
        finished = lab.run(max_traces=3)
        settings = lab.settings(max_traces=3)
        prices = {"openai/any": Price(prompt=1_000_000, completion=0)}
        for given in (settings, settings.model_copy(update={"prices": prices})):
            console = Console(width=200, record=True, file=io.StringIO())
            show(finished.summary, given, console)
            rows = columns(console.export_text())
            assert sum(int(words[1]) for words in rows.values()) == lab.calls == 24
            assert {words[0] for words in rows.values()} == {"openai/any"}
            assert all(words[-1] == (f"{int(words[3]):.4g}" if given.prices else "unknown") for words in rows.values())
