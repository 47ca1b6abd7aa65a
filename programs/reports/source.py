"""What a report is made from: a document's journal, which alone has what was turned down, or the document."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from programs.document import read_metadata, read_records, reading
from programs.document_metadata import DocumentMetadata, JudgeAgreement, ThoughtDistributions
from programs.option_groups import Price
from programs.reports.counting import Counts
from programs.reports.traces import KeptTrace, kept
from programs.run.attempts import ReadTrace, variations_in
from programs.run.funnel import Findings, Funnel, cost_of, findings_of, funnel_of
from programs.run.journal import JournalReader
from programs.run.trace_source import find_source, viewed

NO_JOURNAL = "No journal lies beside this document, so it shows no attempt that was turned down."


@dataclass(frozen=True)
class ReportedFacts:
    """What a run says about itself; None is what it does not say. `spent` is over all runs of the journal, by stage and
    model (`programs.run.index.Index.spent`); `made` says with what and how the latest run worked; `note` says what the
    source lacks."""

    status: str | None
    written: str | None
    made: dict[str, Any]
    funnel: Funnel | None
    findings: Findings | None
    spent: list[dict[str, Any]]
    cost: float | None
    judges: JudgeAgreement | None = None
    note: str | None = None


@dataclass(frozen=True)
class ReportedRun:
    """A run that was read. `newest` are the last of its traces."""

    path: Path
    facts: ReportedFacts
    counts: Counts
    newest: Sequence[KeptTrace]

    @property
    def judges(self) -> JudgeAgreement | None:
        """How far the judges agree: as the document says, which knows what was turned down, else as counted."""
        return self.facts.judges or self.counts.agreement.result()

    def lost(self, what: str) -> dict[str, int]:
        """Why things that went into this step of the funnel were lost, and how many for each reason."""
        steps = self.facts.funnel.steps if self.facts.funnel else []
        return next((step.lost for step in steps if step.what == what), {})

    @property
    def thoughts(self) -> ThoughtDistributions | None:
        """How the accepted traces' thoughts are distributed; None without one."""
        return self.counts.thoughts.result()


def read_run(path: Path, most: int) -> ReportedRun:
    """Reads a document's journal as it stands at this moment, or the document where there is none, once and as a stream.
    Raises `UserError` for what is neither, `JournalError` for what cannot be read."""
    source = find_source(path)
    counts, newest = Counts(), deque[KeptTrace](maxlen=most)

    def read(traces: Iterable[ReadTrace]) -> None:
        for trace in traces:
            counts.add(trace)
            newest.append(kept(trace))

    if source.is_journal:
        with viewed(source.path) as view:
            read(chain.from_iterable(variations_in(view)))
            facts = _journal_facts(view)
    else:
        read(map(ReadTrace, read_records(source.path)))
        facts = _document_facts(source.path)
    return ReportedRun(source.path, facts, counts, newest)


def _journal_facts(view: JournalReader) -> ReportedFacts:
    run, index = view.latest("run", "") or {}, view.index
    summary, settings = run.get("summary") or {}, run.get("settings") or {}
    spent = index.spent()
    prices = {model: Price.model_validate(price) for model, price in (settings.get("prices") or {}).items()}
    return ReportedFacts(
        status=run.get("status"),
        written=run.get("ended") or run.get("started"),
        made={**_made(run.get("git_commit"), summary), **(run.get("versions") or {}), **settings},
        # What a run reads is in its summary, which it writes at its end.
        funnel=_funnel_in(summary) or funnel_of(index, prices),
        findings=findings_of(index),
        spent=spent,
        cost=cost_of(spent, prices),
    )


def _document_facts(path: Path) -> ReportedFacts:
    with reading(path):
        said = DocumentMetadata.model_validate(read_metadata(path))
    run = said.run or {}
    return ReportedFacts(
        status=said.status,
        written=said.generation_timestamp,
        made=_made(None, run),
        funnel=_funnel_in(run),
        findings=Findings.model_validate(run["findings"]) if run.get("findings") else None,
        judges=said.judges,
        spent=run.get("spent_in_all") or [],
        cost=run.get("cost"),
        note=NO_JOURNAL,
    )


def _funnel_in(summary: dict[str, Any]) -> Funnel | None:
    return Funnel.model_validate(summary["funnel"]) if summary.get("funnel") else None


def _made(commit: str | None, summary: dict[str, Any]) -> dict[str, Any]:
    faults = (summary.get("this_run") or {}).get("faults") or {}
    return {"git commit": commit or "not known", **{f"requests repeated: {kind}": n for kind, n in faults.items()}}
