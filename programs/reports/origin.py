"""Where a report's traces come from: a document's journal, which alone has those that were turned down, or the document."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import ijson
from pydantic import ValidationError

from programs.document import read_records
from programs.errors import UserError
from programs.records import DocumentMetadata, JudgeAgreement, Record
from programs.reports.journal_view import JournalView
from programs.run.funnel import Findings, Funnel, cost_of, findings_of, funnel_of, lost_questions, lost_traces
from programs.run.merge_sources import find_sources
from programs.settings import Price
from programs.traces.unit_line import attempts_of


@dataclass(frozen=True)
class Seen:
    """One trace as it was read. `became` is as in `programs.traces.unit_line.attempts_of`; `unit` names the unit that it
    is an attempt at, None where no journal says."""

    record: Record
    became: str = "accepted"
    unit: str | None = None


@dataclass
class Facts:
    """What a run says about itself; None is what it does not say. `spent` is over all runs of the journal, by stage and
    model (`programs.run.index.Index.spent`); `lost_questions` and `lost_traces` count reasons; `faults` are the kinds
    of HTTP requests that the latest run had to repeat."""

    status: str | None = None
    written: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    funnel: Funnel | None = None
    findings: Findings | None = None
    judges: JudgeAgreement | None = None
    spent: list[dict[str, Any]] | None = None
    cost: float | None = None
    lost_questions: dict[str, int] | None = None
    lost_traces: dict[str, int] | None = None
    faults: dict[str, int] | None = None


class Origin(Protocol):
    """What is read. `note` says what it lacks, if anything."""

    @property
    def path(self) -> Path: ...

    @property
    def note(self) -> str | None: ...

    def facts(self) -> Facts: ...

    def seen(self) -> Iterator[Seen]:
        """All traces, in order, those that were not taken beside those that were. Raises `UserError` or `JournalError`."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Origin]:
    """The journal of a document as it stands at this moment, or the document where there is none. Raises `UserError` for
    what is neither, `JournalError` for what cannot be read."""
    found = find_sources([str(path)])
    if len(found) != 1:
        raise UserError(f"{path} names {len(found)} files; name one (python -m programs.merge makes one of several)")
    (source,) = found
    if source.is_journal:
        with JournalView(source.path) as view:
            yield InJournal(view)
    else:
        yield InDocument(source.path)


class InJournal:
    """A journal."""

    note = None

    def __init__(self, view: JournalView) -> None:
        self.path = view.path
        self._view = view

    def facts(self) -> Facts:
        run, index = self._view.latest_run(), self._view.index
        summary, settings = run.get("summary") or {}, run.get("settings") or {}
        spent = index.spent()
        prices = {model: Price.model_validate(price) for model, price in (settings.get("prices") or {}).items()}
        # What a run reads is in its summary, which it writes at its end.
        funnel = _valid_funnel(summary) or funnel_of(index, prices)
        return Facts(
            status=run.get("status"),
            written=run.get("ended") or run.get("started"),
            settings=settings,
            versions=run.get("versions") or {},
            git_commit=run.get("git_commit"),
            funnel=funnel,
            findings=findings_of(index),
            spent=spent or None,
            cost=cost_of(spent, prices),
            lost_questions=lost_questions(index),
            lost_traces=lost_traces(index),
            faults=(summary.get("this_run") or {}).get("faults"),
        )

    def seen(self) -> Iterator[Seen]:
        for line in self._view.units():
            for became, content in attempts_of(line):
                yield Seen(Record.model_validate(content), became, line["key"])


class InDocument:
    """A document without a journal."""

    note = "No journal lies beside this document, so it shows no attempt that was turned down."

    def __init__(self, path: Path) -> None:
        self.path = path

    def facts(self) -> Facts:
        said = self._metadata()
        run = said.run or {}
        funnel, spent = _valid_funnel(run), run.get("spent_in_all")
        lost = {step.what: step.lost for step in funnel.steps} if funnel else {}
        findings = run.get("findings")
        return Facts(
            status=said.status,
            written=said.generation_timestamp,
            funnel=funnel,
            findings=Findings.model_validate(findings) if findings else None,
            judges=said.judges,
            spent=spent or None,
            cost=run.get("cost"),
            lost_questions=lost.get("questions drafted"),
            lost_traces=lost.get("traces tried"),
            faults=(run.get("this_run") or {}).get("faults"),
        )

    def seen(self) -> Iterator[Seen]:
        yield from (Seen(record) for record in read_records(self.path))

    def _metadata(self) -> DocumentMetadata:
        try:
            with self.path.open("rb") as file:
                found = next(iter(ijson.items(file, "metadata", use_float=True)), None)
            return DocumentMetadata.model_validate(found)
        except (ijson.JSONError, ValidationError) as error:
            raise UserError(f"{self.path} is not a document of this program: {str(error).splitlines()[0]}") from None


def _valid_funnel(summary: dict[str, Any]) -> Funnel | None:
    funnel = summary.get("funnel")
    return Funnel.model_validate(funnel) if funnel else None
