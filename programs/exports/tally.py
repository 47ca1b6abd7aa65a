"""What went into an export, counted while it is written, at a memory that does not grow with it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from programs.counts import count_name
from programs.exports.format import Candidate, Row, Skip
from programs.exports.licences import UNKNOWN, licence_of
from programs.exports.view import needs_passage

MOST = 1000
"""Different values that a count names; more are counted together."""


@dataclass
class Tally:
    """`read` are the traces looked at by what became of them, `skipped` why there is no row of a trace (or, in a grouped
    format, of a question). Question types, difficulties, domains and licences count rows, `with_passage` those whose prompt
    holds the passage, `without_needed` those whose prompt does not though the trace rests on it; `models` by stage,
    `programs` (their prompts' fingerprints) and `judges` count the traces that rows were made from."""

    rows: int = 0
    with_passage: int = 0
    without_needed: int = 0
    read: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    labels: Counter[bool] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    question_types: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    judges: Counter[str] = field(default_factory=Counter)
    models: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def saw(self, candidate: Candidate) -> None:
        self.read[candidate.became] += 1

    def skip(self, reason: Skip) -> None:
        self.skipped[str(reason)] += 1

    def made(self, row: Row, traces: Sequence[Candidate]) -> None:
        """Counts a row of these traces, which have the question in common."""
        record = traces[0].record
        self.rows += 1
        count_name(self.licences, licence_of(record.source_paper.extra) or UNKNOWN, MOST)
        count_name(self.domains, record.source_paper.domain, MOST)
        count_name(self.question_types, record.user_interaction.question_type, MOST)
        count_name(self.difficulties, record.user_interaction.difficulty_level, MOST)
        needing = {trace.record.id for trace in traces if needs_passage(trace.record)}
        self.with_passage += row.get("context") == "passage"
        self.without_needed += row.get("context") == "none" and row["id"] in needing
        self.labels.update(row.get("labels", [row["label"]] if "label" in row else []))

    def used(self, traces: Sequence[Candidate]) -> None:
        """Counts what made the traces of a row, or of several."""
        for trace in traces:
            for judge in {verdict.judge for verdict in trace.record.verdicts}:
                count_name(self.judges, judge, MOST)
            made = trace.record.generation
            if made is None:
                continue
            for stage, model in {"trace": made.model, **made.models}.items():
                count_name(self.models[stage], model, MOST)
            if made.program:
                count_name(self.programs, made.program, MOST)

    def plain(self) -> dict[str, Any]:
        """The same as JSON."""
        counts = {
            name: dict(getattr(self, name).most_common())
            for name in ("read", "skipped", "licences", "question_types", "difficulties", "programs", "judges")
        }
        context = {"with_passage": self.with_passage, "without_needed": self.without_needed}
        models = {stage: dict(models.most_common()) for stage, models in self.models.items()}
        return {"rows": self.rows, **context, **counts, "models": models}
