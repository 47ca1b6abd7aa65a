"""What a report is made from: a document's journal, which alone has what was turned down, or the document; and what is
counted of all its traces, at a memory that does not grow with their number."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from programs.document import read_metadata, read_records, reading
from programs.document_metadata import DocumentMetadata, JudgeAgreement, ThoughtDistributions
from programs.option_groups import Price
from programs.records import Grades, Record
from programs.reports.traces import KeptTrace, kept
from programs.run.attempts import ReadTrace, find_source, variations_in, viewed
from programs.run.funnel import Findings, Funnel, cost_of, findings_of, funnel_of
from programs.statistics.agreement import AgreementCount
from programs.statistics.counts import OTHERS, Spread
from programs.statistics.thought_counts import ThoughtCount
from programs.text.thought import bare_thought

NO_JOURNAL = "No journal lies beside this document, so it shows no attempt that was turned down."

MOST = 500
"""Different names that are counted apart; more are counted together."""

SCORE = "judges' mean rating (1-10)"
NUMBERS: dict[str, tuple[int, Callable[[Record], float | None]]] = {
    SCORE: (2, lambda record: record.metadata.quality_score),
    "points between the judges": (1, lambda record: record.metadata.quality_spread),
    "authenticity, by the judges (0-1)": (2, lambda record: record.metadata.authenticity_score),
    "measured difficulty (0-1)": (2, lambda record: record.blind_solve.difficulty if record.blind_solve else None),
    "words of the passage": (0, lambda record: _words(record.source_paper.text)),
    "words of the question": (0, lambda record: _words(record.user_interaction.question)),
    "words of the thought": (0, lambda record: _words(bare_thought(record.reasoning_trace))),
    "words of the answer": (0, lambda record: _words(record.final_answer)),
}
"""Numbers that each accepted trace has, or may have (None), and how many digits of each count. A new one is a line here."""


def _words(text: str | None) -> int | None:
    return None if text is None else len(text.split())


class Counts:
    """`became` counts all traces by what became of them; `agreement` is over every judged one. All else is of the accepted
    traces: `types` by question type and difficulty, `steps` by kind and status (None: not judged)."""

    def __init__(self) -> None:
        self.became = Counter[str]()
        self.agreement, self.thoughts = AgreementCount(), ThoughtCount()
        self.types = Counter[tuple[str, str]]()
        self.steps = Counter[tuple[str, str | None]]()
        self.grades = {name: Spread(3) for name in Grades.model_fields if name != "reason"}
        self.numbers = {name: Spread(digits) for name, (digits, _) in NUMBERS.items()}

    def add(self, seen: ReadTrace) -> None:
        record = seen.record
        self.became[seen.became] += 1
        if record.verdicts:
            self.agreement.add([verdict.model_dump() for verdict in record.verdicts])
        if seen.became == "accepted":
            self._accepted(record)

    def _accepted(self, record: Record) -> None:
        kind = (record.user_interaction.question_type, record.user_interaction.difficulty_level)
        self.types[kind if kind in self.types or len(self.types) < MOST else (OTHERS, OTHERS)] += 1
        self.thoughts.add(record)
        self.steps.update((step.kind, step.status) for step in record.steps if step.kind is not None)
        for name, spread in self.grades.items():
            spread.add(getattr(record.answer_grades, name) if record.answer_grades else None)
        for name, spread in self.numbers.items():
            spread.add(NUMBERS[name][1](record))


@dataclass(frozen=True)
class ReportedRun:
    """A run that was read. `newest` are the last of its traces; `thoughts` says how those that were accepted are
    distributed, and `judges` how far the judges agree.

    All else is what the run says about itself; None is what it does not say. `spent` is over all runs of the journal, by
    stage and model (`programs.run.index.Index.spent`); `made` says with what and how the latest run worked; `note`
    says what the source lacks."""

    path: Path
    counts: Counts
    newest: Sequence[KeptTrace]
    thoughts: ThoughtDistributions | None
    judges: JudgeAgreement | None
    status: str | None
    written: str | None
    made: dict[str, Any]
    funnel: Funnel | None
    findings: Findings | None
    spent: list[dict[str, Any]]
    cost: float | None
    note: str | None = None


def read_run(path: Path, most: int) -> ReportedRun:
    """Reads a document's journal as it stands at this moment, or the document where there is none, once and as a stream,
    and keeps the last `most` traces. Raises `UserError` for what is neither, `StorageError` for what cannot be read."""
    source = find_source(path)
    return (_read_journal if source.is_journal else _read_document)(source.path, most)


def _read_journal(path: Path, most: int) -> ReportedRun:
    with viewed(path) as view:
        counts, newest = _read_traces(chain.from_iterable(variations_in(view)), most)
        run, index = view.latest("run", "") or {}, view.index
        summary, settings = run.get("summary") or {}, run.get("settings") or {}
        spent = index.spent()
        prices = {model: Price.model_validate(price) for model, price in (settings.get("prices") or {}).items()}
        return ReportedRun(
            path=path,
            counts=counts,
            newest=newest,
            thoughts=counts.thoughts.result(),
            judges=counts.agreement.result(),
            status=run.get("status"),
            written=run.get("ended") or run.get("started"),
            made={**_made(run.get("git_commit"), summary), **(run.get("versions") or {}), **settings},
            # What a run reads is in its summary, which it writes at its end.
            funnel=_funnel_in(summary) or funnel_of(index, prices),
            findings=findings_of(index),
            spent=spent,
            cost=cost_of(spent, prices),
        )


def _read_document(path: Path, most: int) -> ReportedRun:
    counts, newest = _read_traces(map(ReadTrace, read_records(path)), most)
    with reading(path):
        said = DocumentMetadata.model_validate(read_metadata(path))
    run = said.run or {}
    return ReportedRun(
        path=path,
        counts=counts,
        newest=newest,
        thoughts=counts.thoughts.result(),
        # The document knows what was turned down.
        judges=said.judges or counts.agreement.result(),
        status=said.status,
        written=said.generation_timestamp,
        made=_made(None, run),
        funnel=_funnel_in(run),
        findings=Findings.model_validate(run["findings"]) if run.get("findings") else None,
        spent=run.get("spent_in_all") or [],
        cost=run.get("cost"),
        note=NO_JOURNAL,
    )


def _read_traces(traces: Iterable[ReadTrace], most: int) -> tuple[Counts, Sequence[KeptTrace]]:
    counts, newest = Counts(), deque[KeptTrace](maxlen=most)
    for trace in traces:
        counts.add(trace)
        newest.append(kept(trace))
    return counts, newest


def _funnel_in(summary: dict[str, Any]) -> Funnel | None:
    return Funnel.model_validate(summary["funnel"]) if summary.get("funnel") else None


def _made(commit: str | None, summary: dict[str, Any]) -> dict[str, Any]:
    faults = (summary.get("this_run") or {}).get("faults") or {}
    return {"git commit": commit or "not known", **{f"requests repeated: {kind}": n for kind, n in faults.items()}}
