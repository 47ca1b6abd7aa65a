"""Counts what goes into an export, and makes its card (card.md.jinja, with the header for the Hub) and `export.json`."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

from programs.exports.licences import UNKNOWN, hub_names, licence_of
from programs.exports.options import ExportOptions
from programs.exports.view import Columns, Kind, Row, rests_on_passage
from programs.files import run_name
from programs.run.attempts import ReadTrace
from programs.statistics.counts import count_name
from programs.versions import utc_now, version_of


@dataclass
class Exported:
    """The counts of an export. `metadata` is the document's own; `note` says what its origin lacks.

    `rows` are counted by split. `with_passage` rows have the passage in the prompt; `without_needed` rows lack it although
    the trace rests on it. In `counts`, `read` has the traces read, by outcome, and `skipped` the reasons why a trace (in a
    grouped format, also a question) gave no row; `examples` has a trace for some. `judges`, `programs` (the prompts'
    fingerprints) and `models` (by stage) count the traces that gave rows (in a grouped format, all of their questions'),
    `labels` the labels in the rows, and all others rows."""

    options: ExportOptions
    is_journal: bool
    note: str | None
    metadata: dict[str, Any]
    created: str = field(default_factory=utc_now)
    rows: Counter[str] = field(default_factory=Counter)
    with_passage: int = 0
    without_needed: int = 0
    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[str, str] = field(default_factory=dict)

    def count(self, group: str, name: str) -> None:
        # Names beyond the first 1000 are counted together, to bound memory.
        count_name(self.counts[group], name, 1000)

    def add(self, split: str, rows: Sequence[Row], traces: Sequence[ReadTrace]) -> None:
        """Counts the rows that were made from these traces of one question."""
        paper, asked = traces[0].record.source_paper, traces[0].record.user_interaction
        needing = {trace.record.id for trace in traces if rests_on_passage(trace.record)}
        for row in rows:
            self.rows[split] += 1
            self.count("licences", licence_of(paper.extra) or UNKNOWN)
            self.count("domains", paper.domain if paper.domain_given else UNKNOWN)
            self.count("question_types", asked.question_type)
            self.count("difficulties", asked.difficulty_level)
            for label in row.get("labels", [row["label"]] if "label" in row else []):
                self.count("labels", str(label).lower())
            self.with_passage += row.get("context") == "passage"
            self.without_needed += row.get("context") == "none" and row["id"] in needing
        for record in (trace.record for trace in traces):
            for judge in {verdict.judge for verdict in record.verdicts}:
                self.count("judges", judge)
            if generation := record.generation:
                for stage, model in {"trace": generation.model, **generation.models}.items():
                    self.count("models", f"{stage}: {model}")
                if generation.program:
                    self.count("programs", generation.program)

    def manifest(self) -> dict[str, Any]:
        """The content of `export.json`. It has no paths, which may contain a person's name."""
        numbers = {"rows": self.rows.total(), "with_passage": self.with_passage, "without_needed": self.without_needed}
        counts = {name: dict(counter.most_common()) for name, counter in self.counts.items()}
        files = {"document", "output", "overwrite", "decontaminate"}
        return {
            "format": self.options.to,
            "document": self.options.document.name,
            "created": self.created,
            "options": self.options.model_dump(mode="json", exclude=files),
            "benchmarks": self.options.benchmark_names,
            "splits": self.rows,
            "counts": {**numbers, **counts, "examples": self.examples},
            "synthreasoner": version_of(),
        }


def card_text(exported: Exported) -> str:
    """The text of README.md."""
    options, counts = exported.options, exported.counts
    title = f"{run_name(options.document)} ({options.to})"
    body = render_markdown(
        Path(__file__).with_name("card.md.jinja"),
        exported=exported,
        options=options,
        title=title,
        repository=re.sub(r'["\\\s]', "-", options.output.name),
        funnel=((exported.metadata.get("run") or {}).get("funnel") or {}).get("steps"),
        contents={
            "model by stage": counts["models"],
            "question type": counts["question_types"],
            "difficulty": counts["difficulties"],
            "licence of the passage": counts["licences"],
            "domain": dict(counts["domains"].most_common(20)),
            "label": counts["labels"],
        },
    )
    # No `configs`: with them, `datasets` takes its cached rows of an earlier export for those of the folder. Without, it
    # finds the splits by the names of their files, and looks whether these have changed.
    header = {
        "license": hub_names(counts["licences"]),
        "pretty_name": title,
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "reasoning", "science", "synthreasoner", options.to],
        "dataset_info": {"features": features(options.format.columns(options))},
    }
    return f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)}---\n\n{body}"


def features(columns: Columns) -> list[dict[str, Any]]:
    """The columns as a card's `dataset_info.features` (the YAML form of `datasets.Features`)."""

    def feature(kind: Kind) -> dict[str, Any]:
        if isinstance(kind, list):
            return {"list": features(kind[0]) if isinstance(kind[0], dict) else kind[0]}
        return {"struct": features(kind)} if isinstance(kind, dict) else {"dtype": kind}

    return [{"name": name, **feature(kind)} for name, kind in columns.items()]


def render_markdown(template: Path, **values: Any) -> str:
    """Renders a Jinja template as Markdown. Each expression becomes one escaped line, unless it is marked as safe."""
    environment = Environment(finalize=_escaped_line, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    text = environment.from_string(template.read_text(encoding="utf-8")).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _escaped_line(text: Any) -> str:
    """A value as one escaped line of at most 300 characters, safe in a table cell; unchanged if marked as safe."""
    if hasattr(text, "__html__"):
        return str(text)
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))[:300]
