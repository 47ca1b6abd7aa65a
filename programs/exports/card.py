"""The data set's card (card.md.jinja), with the header that the Hub and `datasets` read, and the counts that it shows."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from programs.exports.chat_template import Check
from programs.exports.files import Columns, Kind, Row
from programs.exports.licences import UNKNOWN, hub_names, licence_of
from programs.exports.options import SPLITS, ExportOptions
from programs.exports.view import rests_on_passage
from programs.files import run_name
from programs.run.attempts import ReadTrace
from programs.statistics.counts import count_name

MOST = 1000
"""Different values that a count names; more are counted together, so that memory does not grow with them."""


class Tally:
    """What went into an export. Of `counts`, `read` are the traces looked at by what became of them, `skipped` why there is
    no row of a trace (or, in a grouped format, of a question); `judges`, `programs` (their prompts' fingerprints) and
    `models` (by stage) count the traces of the rows, all others rows. `with_passage` rows have the passage in the prompt,
    `without_needed` ones do not though the trace rests on it. `examples` has for some reasons a trace that was skipped, and
    what it is like."""

    def __init__(self) -> None:
        self.rows = self.with_passage = self.without_needed = 0
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.examples: dict[str, str] = {}

    def count(self, what: str, name: str) -> None:
        count_name(self.counts[what], name, MOST)

    def add(self, row: Row, traces: Sequence[ReadTrace]) -> None:
        """Counts a row of these traces, which have the question in common."""
        paper, asked = traces[0].record.source_paper, traces[0].record.user_interaction
        self.count("licences", licence_of(paper.extra) or UNKNOWN)
        self.count("domains", paper.domain if paper.domain_given else UNKNOWN)
        self.count("question_types", asked.question_type)
        self.count("difficulties", asked.difficulty_level)
        for label in row.get("labels", [row["label"]] if "label" in row else []):
            self.count("labels", str(label).lower())
        self.rows += 1
        self.with_passage += row.get("context") == "passage"
        if row.get("context") == "none":
            needing = {trace.record.id for trace in traces if rests_on_passage(trace.record)}
            self.without_needed += row["id"] in needing

    def used(self, traces: Sequence[ReadTrace]) -> None:
        """Counts what made the traces of a row, or of several."""
        for trace in traces:
            for judge in {verdict.judge for verdict in trace.record.verdicts}:
                self.count("judges", judge)
            if made := trace.record.generation:
                for stage, model in {"trace": made.model, **made.models}.items():
                    self.count("models", f"{stage}: {model}")
                if made.program:
                    self.count("programs", made.program)

    def plain(self) -> dict[str, Any]:
        """The same as JSON."""
        numbers = {name: getattr(self, name) for name in ("rows", "with_passage", "without_needed")}
        counts = {name: dict(counter.most_common()) for name, counter in self.counts.items()}
        return {**numbers, **counts, "examples": self.examples}


class Exported(NamedTuple):
    """An export that is done. `metadata` is what the document says of itself, `note` what its origin lacks, `rows` counts
    those of each split, and `checked` is what the chat template that was asked about makes of one."""

    options: ExportOptions
    is_journal: bool
    note: str | None
    metadata: dict[str, Any]
    tally: Tally
    rows: dict[str, int]
    created: str
    checked: Check | None


def card(done: Exported) -> str:
    """The whole README.md."""
    options, counts = done.options, done.tally.counts
    run = done.metadata.get("run") or {}
    funnel = (run.get("funnel") or {}).get("steps")
    title = f"{run_name(options.document)} ({options.to})"
    body = rendered(
        Path(__file__).with_name("card.md.jinja"),
        **done._asdict(),
        title=title,
        format=options.format,
        repository=re.sub(r'["\\\s]', "-", options.output.name),
        benchmarks=options.benchmark_names,
        contents={
            "model by stage": counts["models"],
            "question type": counts["question_types"],
            "difficulty": counts["difficulties"],
            "licence of the passage": counts["licences"],
            "domain": dict(counts["domains"].most_common(20)),
            "label": counts["labels"],
        },
        funnel=funnel,
        left_out={
            **{f"looked at by this export: {became}": count for became, count in counts["read"].items()},
            **{f"not exported: {reason}": count for reason, count in counts["skipped"].most_common()},
            "rows": done.tally.rows,
        },
    )
    header = yaml.safe_dump(_header(done, title), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{header}---\n\n{body}"


def rendered(template: Path, **values: Any) -> str:
    """A page in Markdown by a Jinja template, whose expressions are escaped, as one line, unless marked as safe."""
    from jinja2 import Environment

    environment = Environment(finalize=_line, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    text = environment.from_string(template.read_text(encoding="utf-8")).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _header(done: Exported, title: str) -> dict[str, Any]:
    files = [{"split": name, "path": f"data/{name}.jsonl"} for name in SPLITS if name in done.rows]
    return {
        "license": hub_names(done.tally.counts["licences"]),
        "pretty_name": title,
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "reasoning", "science", "synthreasoner", done.options.to],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": features(done.options.format.columns(done.options))},
    }


def features(columns: Columns) -> list[dict[str, Any]]:
    """The columns as `dataset_info.features` of a card holds them (the form of `datasets.Features`)."""

    def feature(kind: Kind) -> dict[str, Any]:
        if isinstance(kind, list):
            return {"list": features(kind[0]) if isinstance(kind[0], dict) else kind[0]}
        return {"struct": features(kind)} if isinstance(kind, dict) else {"dtype": kind}

    return [{"name": name, **feature(kind)} for name, kind in columns.items()]


def _line(text: Any) -> str:
    """Any text as one line that stays within its cell, for names are data; what the template marks as safe stays."""
    if hasattr(text, "__html__"):
        return str(text)
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))[:300]
