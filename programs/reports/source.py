"""What a report is made from: a document's journal, which alone has what was turned down, or the document; and what is
counted of all its traces, at a memory that does not grow with their number."""

import contextlib
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from programs.document import read_metadata, read_records, reading
from programs.option_groups import Price
from programs.reports.charts import CHARTS, Cell
from programs.reports.traces import NUMBERS, KeptTrace, kept, notable
from programs.run.attempts import ReadTrace, find_source, variations_in, viewed
from programs.run.funnel import Findings, Funnel, cost_of, findings_of, funnel_of
from programs.run.journal import JournalReader
from programs.schema import DocumentMetadata, JudgeAgreement
from programs.statistics.agreement import AgreementCount
from programs.statistics.counts import Spread

NO_JOURNAL = "No journal lies beside this document, so it shows no attempt that was turned down."


class Counts:
    """`became` counts all traces by what became of them; `agreement` is over every judged one, `charts` are the counts of
    `CHARTS`. All else is of the accepted traces."""

    def __init__(self) -> None:
        self.became, self.notable, self.agreement = Counter[str](), Counter[str](), AgreementCount()
        self.charts = [Counter[Cell]() for _ in CHARTS]
        self.numbers = {name: Spread(digits) for name, (digits, _) in NUMBERS.items()}

    def add(self, seen: ReadTrace) -> None:
        record, accepted = seen.record, seen.became == "accepted"
        self.became[seen.became] += 1
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
    """A run that was read. `newest` are the last of its traces; `judges` says how far the judges agree. All else is what
    the run says about itself; None is what it does not say. `spent` is over all runs of the journal, by stage and model
    (`programs.run.index.Index.spent`); `made` says with what the latest run worked; `note` what the source lacks."""

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


def read_run(path: Path, most: int) -> ReportedRun:
    """Reads a document's journal as it stands at this moment, or the document where there is none, once and as a stream,
    and keeps the last `most` traces. Raises `UserError` for what is neither, `StorageError` for what cannot be read."""
    source, counts, newest = find_source(path), Counts(), deque[KeptTrace](maxlen=most)
    traces: Iterable[ReadTrace] = map(ReadTrace, read_records(source.path))
    with contextlib.ExitStack() as held:
        if source.is_journal:
            journal = held.enter_context(viewed(source.path))
            traces, said = chain.from_iterable(variations_in(journal)), _said_by(journal)
        else:
            with reading(source.path):
                said = dict(DocumentMetadata.model_validate(read_metadata(source.path)))
        for trace in traces:
            counts.add(trace)
            newest.append(kept(trace))
    run = said["run"] or {}
    faults = (run.get("this_run") or {}).get("faults") or {}
    return ReportedRun(
        path=source.path,
        note=None if source.is_journal else NO_JOURNAL,
        counts=counts,
        newest=newest,
        # A document knows what was turned down.
        judges=said.get("judges") or counts.agreement.result(),
        status=said["status"],
        written=said["generation_timestamp"],
        made={**{f"requests repeated: {kind}": count for kind, count in faults.items()}, **run.get("made", {})},
        funnel=Funnel.model_validate(run["funnel"]) if run.get("funnel") else None,
        findings=Findings.model_validate(run["findings"]) if run.get("findings") else None,
        spent=run.get("spent_in_all") or [],
        cost=run.get("cost"),
    )


def _said_by(journal: JournalReader) -> dict[str, Any]:
    """What a document made of this journal now would say of itself."""
    line, index = journal.latest("run", "") or {}, journal.index
    settings, summary, spent = line.get("settings") or {}, line.get("summary") or {}, index.spent()
    prices = {model: Price.model_validate(price) for model, price in (settings.get("prices") or {}).items()}
    run = {
        **summary,
        # What a run reads is in its summary, which it writes at its end.
        "funnel": summary.get("funnel") or funnel_of(index, prices).model_dump(),
        "findings": findings_of(index).model_dump(),
        "spent_in_all": spent,
        "cost": cost_of(spent, prices),
        "made": {"git commit": line.get("git_commit") or "not known", **(line.get("versions") or {}), **settings},
    }
    return {"status": line.get("status"), "generation_timestamp": line.get("ended") or line.get("started"), "run": run}
