"""Reads the source of a report (a document's journal, which alone has rejected attempts, or else the document) and counts
all its traces, in memory that does not grow with their number."""

import contextlib
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from programs.option_groups import Price
from programs.reports.charts import CHARTS, Cell
from programs.reports.traces import NUMBERS, KeptTrace, keep_trace, notable
from programs.run.attempts import ReadTrace, attempts_by_variation, find_source, open_read_only
from programs.run.document import open_document, read_metadata, read_records
from programs.run.funnel import Findings, Funnel, cost_of, findings_of, funnel_of
from programs.run.journal import JournalReader
from programs.schema import DocumentMetadata, JudgeAgreement
from programs.statistics.agreement import AgreementCount
from programs.statistics.counts import Spread

NO_JOURNAL = "There is no journal beside this document, so rejected attempts are not shown."


class Counts:
    """`outcomes` counts all traces by their outcome, `agreement` covers all judged ones, and `charts` has the counts of
    `CHARTS`. Everything else counts accepted traces only."""

    def __init__(self) -> None:
        self.outcomes, self.notable = Counter[str](), Counter[str]()
        self.agreement = AgreementCount()
        self.charts = [Counter[Cell]() for _ in CHARTS]
        self.numbers = {name: Spread(digits) for name, (digits, _) in NUMBERS.items()}

    def add(self, trace: ReadTrace) -> None:
        record, accepted = trace.record, trace.outcome == "accepted"
        self.outcomes[trace.outcome] += 1
        if record.verdicts:
            self.agreement.add([verdict.model_dump() for verdict in record.verdicts])
        for chart, counts in zip(CHARTS, self.charts, strict=True):
            if accepted or chart.judged:
                chart.count(record, counts)
        if accepted:
            for name, spread in self.numbers.items():
                spread.add(NUMBERS[name][1](record))
            self.notable.update(notable(record))


@dataclass(frozen=True)
class ReportedRun:
    """A run as the report shows it. `note` says what the source lacks, `newest` are the last traces, and `judges` is the
    agreement of the judges. Everything else is what the run recorded about itself, or None. `spent` covers all runs of the
    journal, by stage and model (`programs.run.index.Index.spent`); `made` has the latest run's settings, versions etc."""

    path: Path
    note: str | None
    counts: Counts
    newest: Sequence[KeptTrace]
    judges: JudgeAgreement | None
    status: str | None
    written: str | None
    made: dict[str, Any]
    funnel: Funnel | None
    findings: Findings | None
    spent: list[dict[str, Any]]
    cost: float | None


def read_run(path: Path, max_traces: int) -> ReportedRun:
    """Streams a document's journal as it is now, or the document if there is none, and keeps the last `max_traces` traces.
    Raises `UserError` if the file is neither, and `StorageError` if it cannot be read."""
    source = find_source(path)
    counts = Counts()
    newest = deque[KeptTrace](maxlen=max_traces)
    traces: Iterable[ReadTrace] = map(ReadTrace, read_records(source.path))
    with contextlib.ExitStack() as held:
        if source.is_journal:
            journal = held.enter_context(open_read_only(source.path))
            traces = chain.from_iterable(attempts_by_variation(journal))
            metadata = _metadata_of(journal)
        else:
            with open_document(source.path):
                metadata = dict(DocumentMetadata.model_validate(read_metadata(source.path)))
        for trace in traces:
            counts.add(trace)
            newest.append(keep_trace(trace))
    run = metadata["run"] or {}
    faults = (run.get("this_run") or {}).get("faults") or {}
    return ReportedRun(
        path=source.path,
        note=None if source.is_journal else NO_JOURNAL,
        counts=counts,
        newest=newest,
        # A document's own figures include the rejected attempts, which it does not hold.
        judges=metadata.get("judges") or counts.agreement.result(),
        status=metadata["status"],
        written=metadata["generation_timestamp"],
        made={**{f"requests retried: {kind}": count for kind, count in faults.items()}, **run.get("made", {})},
        funnel=Funnel.model_validate(run["funnel"]) if run.get("funnel") else None,
        findings=Findings.model_validate(run["findings"]) if run.get("findings") else None,
        spent=run.get("spent_in_all") or [],
        cost=run.get("cost"),
    )


def _metadata_of(journal: JournalReader) -> dict[str, Any]:
    """The metadata that a document written from this journal now would have."""
    line = journal.latest("run", "") or {}
    index = journal.index
    settings, summary = line.get("settings") or {}, line.get("summary") or {}
    spent = index.spent()
    prices = {model: Price.model_validate(price) for model, price in (settings.get("prices") or {}).items()}
    run = {
        **summary,
        # Only the summary, written when a run ends, has what the run read.
        "funnel": summary.get("funnel") or funnel_of(index, prices).model_dump(),
        "findings": findings_of(index).model_dump(),
        "spent_in_all": spent,
        "cost": cost_of(spent, prices),
        "made": {"git commit": line.get("git_commit") or "not known", **(line.get("versions") or {}), **settings},
    }
    return {"status": line.get("status"), "generation_timestamp": line.get("ended") or line.get("started"), "run": run}
