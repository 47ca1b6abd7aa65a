"""Reads the source of a report (a document's journal, which alone has rejected attempts, or else the document) and counts
all its traces, in memory that does not grow with their number."""

import contextlib
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from programs.option_groups import Price
from programs.reports.charts import CHARTS, Cell
from programs.reports.traces import NUMBERS, KeptTrace, keep_trace, notable
from programs.run.attempts import ReadTrace, attempts_by_variation, find_source, open_read_only
from programs.run.document import open_document, read_metadata, read_records
from programs.run.funnel import cost_of, findings_of, funnel_of
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
        self.numbers = {name: Spread() for name in NUMBERS}

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
                spread.add(NUMBERS[name](record))
            self.notable.update(notable(record))


class ReportedRun(NamedTuple):
    """A run as the report shows it. `note` says what the source lacks, `newest` are the last traces. `metadata` is that of
    the document, or that which a document written from the journal now would have."""

    path: Path
    note: str | None
    counts: Counts
    newest: Sequence[KeptTrace]
    metadata: DocumentMetadata

    @property
    def summary(self) -> dict[str, Any]:
        """What the run recorded about itself."""
        return self.metadata.run or {}

    @property
    def judges(self) -> JudgeAgreement | None:
        """The agreement of the judges. A document's own figures include the rejected attempts, which it does not hold."""
        return self.metadata.judges or self.counts.agreement.result()


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
                metadata = DocumentMetadata.model_validate(read_metadata(source.path))
        for trace in traces:
            counts.add(trace)
            newest.append(keep_trace(trace))
    return ReportedRun(source.path, None if source.is_journal else NO_JOURNAL, counts, newest, metadata)


def _metadata_of(journal: JournalReader) -> DocumentMetadata:
    """The metadata that a document written from this journal now would have. Its `run` also has what only the journal
    tells: the cost of all runs (`cost_in_all`), and how the traces were made (`made`)."""
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
        "cost_in_all": cost_of(spent, prices),
        "made": {"git commit": line.get("git_commit") or "not known", **(line.get("versions") or {}), **settings},
    }
    return DocumentMetadata(
        generation_timestamp=line.get("ended") or line.get("started") or "",
        total_traces_generated=index.counts().get("accepted", 0),
        status=line.get("status") or "status unknown",
        run=run,
    )
