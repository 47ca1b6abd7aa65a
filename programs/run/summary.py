"""The summary of a run: what it read, skipped, asked, rejected, lost and spent."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, Field
from rich.console import Console
from rich.table import Table

from programs.lms.meter import ResourceUsage
from programs.run.funnel import (
    Findings,
    Funnel,
    cost_of,
    counts_line,
    findings_in_words,
    findings_of,
    funnel_in_words,
    funnel_of,
    losses,
)
from programs.run.index import Index
from programs.run.ledger import Ledger
from programs.run.resume import self_assessments
from programs.schema import Status
from programs.settings import Settings

MAX_SHOWN_LOSSES = 5


class Summary(BaseModel):
    """Facts about a run. `this_run` and `cost`: what it spent itself; `traces`, `spent_in_all` and `findings` cover every
    run of the journal. Tokens are as servers counted them. `cost_is_least`: some counts or prices were missing."""

    status: Status
    seconds: float
    model: str
    input: dict[str, Any]
    traces: dict[str, int]
    accepted_before: int
    already_done: int
    stages_from_journal: int
    losses: dict[str, int]
    this_run: ResourceUsage
    cost: float | None = None
    cost_is_least: bool = False
    budget_reached: str | None = None
    spent_in_all: list[dict[str, Any]] = Field(default_factory=list)
    findings: Findings = Field(default_factory=Findings)
    funnel: Funnel | None = None
    cautions: list[str] = Field(default_factory=list)


def summary_of(status: Status, ledger: Ledger, index: Index, settings: Settings) -> Summary:
    report = ledger.reading.report
    return Summary(
        status=status,
        seconds=round(ledger.seconds, 1),
        model=settings.model,
        input={
            **report.model_dump(include={"lines", "samples", "cut"}),
            "left_out_of_texts": dict(report.trimmed),
            "left_out_characters": dict(report.trimmed_chars),
            "done_before": report.done,
            "skipped": dict(report.skipped),
            "first_skipped": {reason: str(place) for reason, place in report.first_examples.items()},
        },
        traces=index.counts(),
        accepted_before=ledger.accepted_before,
        already_done=ledger.already_done + report.done,
        stages_from_journal=ledger.reused,
        losses=losses(index, ledger.since),
        this_run=ledger.total,
        cost=ledger.budget.cost,
        cost_is_least=not ledger.budget.cost_is_whole,
        budget_reached=ledger.budget.reached,
        spent_in_all=index.spent(),
        findings=findings_of(index),
        funnel=funnel_of(index, settings.prices, report),
        cautions=list(self_assessments(settings)),
    )


def print_summary(summary: Summary, settings: Settings, console: Console) -> None:
    """Prints the summary."""
    accepted = summary.traces.get("accepted", 0)
    title = f"{summary.status}: {accepted} traces in {settings.output}"
    console.print(_grid(title, _rows(summary, accepted - summary.accepted_before)))
    if summary.funnel is not None:
        console.print(_grid("from texts to traces", funnel_in_words(summary.funnel)))
    if summary.spent_in_all:
        console.print(_by_stage(summary.spent_in_all, settings))


def _grid(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(title=title, box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in rows:
        if value:
            table.add_row(name, value)
    return table


def _by_stage(spent: list[dict[str, Any]], settings: Settings) -> Table:
    several = len({row["model"] for row in spent}) > 1
    by = "stage and model" if several else f"stage, with {spent[0]['model']}"
    table = Table(title=f"spent in all, by {by}", box=None)
    table.add_column("stage", style="bold", no_wrap=True)
    if several:
        table.add_column("model", overflow="fold")
    for name in ("calls", "asked again", "tokens read", "from cache", "tokens written", "cost"):
        table.add_column(name, justify="right")
    for row in spent:
        cost = cost_of([row], settings.prices)
        tokens = ["unknown" if row["uncounted"] else str(row[name]) for name in ("prompt", "cached", "completion")]
        shown = "unknown" if cost is None else f"{cost:.4g}"
        model = [row["model"]] if several else []
        table.add_row(row["stage"], *model, str(row["calls"]), str(row["reasks"]), *tokens, shown)
    return table


def _rows(summary: Summary, new: int) -> Iterator[tuple[str, str]]:
    spent, report = summary.this_run, summary.input
    cut = f", {report['cut']} cut" if report["cut"] else ""
    made = f"{new} new traces" if new >= 0 else f"{-new} fewer traces"
    yield "made", f"{made} in {summary.seconds:.0f} s, {summary.accepted_before} from earlier runs"
    done = f", {summary.already_done} done by earlier runs" if summary.already_done else ""
    left_out = counts_line(report["left_out_of_texts"], "; left out: ")
    yield "read", f"{report['lines']} lines, {report['samples']} texts{cut}{done}{left_out}"
    first = report["first_skipped"]
    yield "skipped", ", ".join(f"{count} {why} (first: {first[why]})" for why, count in report["skipped"].items())
    yield (
        "not accepted",
        counts_line({status: count for status, count in summary.traces.items() if status != "accepted"}),
    )
    yield "why", "\n".join(f"{count} x {reason}" for reason, count in list(summary.losses.items())[:MAX_SHOWN_LOSSES])
    yield "calls", f"{spent.calls}, {spent.reasks} of them asked again{counts_line(spent.faults, '; faults: ')}"
    yield "from journal", f"{summary.stages_from_journal} stages" if summary.stages_from_journal else ""
    cached = f" ({spent.cached_tokens} from the server's cache)" if spent.cached_tokens else ""
    known = spent.prompt_tokens is not None and spent.completion_tokens is not None
    tokens = f"{spent.prompt_tokens} read{cached}, {spent.completion_tokens} written"
    yield "tokens", tokens if known else "not reported by the server"
    cost = "" if summary.cost is None else f"{'at least ' if summary.cost_is_least else ''}{summary.cost:.4g}"
    yield "cost", cost or "unknown: no prices in the config"
    yield from findings_in_words(summary.findings)
    yield "stopped at", f"the budget of {summary.budget_reached}" if summary.budget_reached else ""
