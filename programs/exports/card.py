"""The data set's card: README.md with the header that the Hub and `datasets` read, and what a person must know."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from programs.exports.candidates import Origin
from programs.exports.columns import features
from programs.exports.files import SplitSize
from programs.exports.licences import UNKNOWN, hub_name
from programs.exports.options import ExportOptions
from programs.exports.splits import SPLITS
from programs.exports.tally import Tally

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")

LIMITS = (
    "Questions, thoughts and answers were written by language models, from passages of papers. No person checked "
    "them, unless it says so here.",
    "Some thoughts hold a wrong turn and its correction by design. They read like thinking; that does not make them right.",
    "Judges' ratings and grades are opinions of language models. A trace without one was not judged, or the judge's reply "
    "could not be read; nothing was put in its place.",
    "Questions were asked of one passage. Whether an answer holds beyond it is not known.",
    "In texts, think tags and the tokens of chat templates are broken visibly (`&lt;think&gt;`), so that they cannot end a "
    "thought or begin a turn.",
    "The licence above is that of the passages, as their records gave it. Whether it allows what you do is for you to see; "
    "the models' providers may have terms as well.",
)


@dataclass(frozen=True)
class Exported:
    """An export that is done. `metadata` is what the document says of itself."""

    options: ExportOptions
    origin: Origin
    metadata: dict[str, Any]
    tally: Tally
    sizes: dict[str, SplitSize]
    created: str


def card(done: Exported) -> str:
    """The whole README.md."""
    header = yaml.safe_dump(_header(done), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{header}---\n\n{chr(10).join(_body(done))}\n"


def _header(done: Exported) -> dict[str, Any]:
    format, sizes = done.options.format, done.sizes
    licences = sorted({hub_name(licence) for licence in done.tally.licences})
    splits = [name for name in SPLITS if name in sizes]
    files = [{"split": split, "path": f"data/{split}-*"} for split in splits]
    thousands = len(str(sum(size.rows for size in sizes.values()))) - 3
    return {
        "license": licences[0] if len(licences) == 1 else licences,
        "pretty_name": _title(done),
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "reasoning", "science", "synthreasoner", format.name],
        "size_categories": [_SIZES[min(max(thousands, 0), len(_SIZES) - 1)]],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {
            "features": features(format.columns(done.options)),
            "splits": [
                {"name": split, "num_bytes": sizes[split].bytes, "num_examples": sizes[split].rows} for split in splits
            ],
            "download_size": sum(size.file_bytes for size in sizes.values()),
            "dataset_size": sum(size.bytes for size in sizes.values()),
        },
    }


def _title(done: Exported) -> str:
    name = re.sub(r"(\.journal)?\.jsonl?$", "", done.options.document.name)
    return f"{name} ({done.options.to})"


def _body(done: Exported) -> Iterator[str]:
    options, tally, format = done.options, done.tally, done.options.format
    repository = re.sub(r'["\\\s]', "-", options.push_to_hub or options.output.name)
    yield f"# {_cell(_title(done))}"
    yield f"\nReasoning training data made by SynthReasoner. A row is {format.about}."
    yield f'\n```python\nfrom datasets import load_dataset\n\ndata = load_dataset("{repository}")\n```\n'
    yield from _table(("split", "rows"), {split: size.rows for split, size in done.sizes.items()})
    if len(done.sizes) > 1:
        yield f"\nSplits are by paper (`--splits {options.splits}`, by a hash of its name): no paper is in two of them."
    if not format.whole:
        yield from _how_shown(options, tally)
    yield "\n## How it was made\n"
    yield from _made_by(done)
    yield "\n## What is in it\n"
    for title, counts in (
        ("question type", tally.question_types),
        ("difficulty", tally.difficulties),
        ("licence of the passage", tally.licences),
        ("domain", dict(tally.domains.most_common(20))),
        ("label", {str(label).lower(): count for label, count in tally.labels.items()}),
    ):
        if counts:
            yield from _table((title, "rows" if title != "label" else "labels"), counts)
            yield ""
    yield "## What was left out\n"
    yield from _funnel(done)
    yield "\n## Limits\n"
    yield from (f"- {limit}" for limit in LIMITS)


def _how_shown(options: ExportOptions, tally: Tally) -> Iterator[str]:
    """How the rows show a trace, which a format that is `whole` does not."""
    shown = f"in {tally.with_passage} of {tally.rows} rows (`--context {options.context}`)"
    yield f"\nThe passage comes with the question {shown}."
    if tally.without_needed:
        yield f"{tally.without_needed} rows rest on a passage that they do not show (`--context auto` shows it)."
    if options.asker == "keep":
        yield "Who asks stands before the question, where the trace says it."
    if options.reasoning_field:
        yield f"The thought stands in the message's field `{options.reasoning_field}`."
    elif options.format.has_thought:
        yield f"The thought stands between `{options.tag.open}` and `{options.tag.close}`, as the system prompt says."
    if options.format.explain:
        yield options.format.explain(options)
    if options.min_score is not None:
        yield f"The {options.measure.name}' score from which on a trace is good enough is {options.min_score:g}."


def _made_by(done: Exported) -> Iterator[str]:
    tally, metadata = done.tally, done.metadata
    kind = "a journal" if done.origin.is_journal else "a document"
    state = f" whose run was {metadata['status']}" if metadata.get("status") else ""
    commit = f", made at commit `{_cell(metadata['git_commit'])}`" if metadata.get("git_commit") else ""
    yield f"Exported at {done.created} from {kind}{state}{commit}."
    if tally.models:
        yield ""
        yield from _table(("stage", "models"), {stage: ", ".join(models) for stage, models in tally.models.items()})
    if tally.judges:
        yield f"\nJudges: {_cell(', '.join(tally.judges))}."
    agreement = (metadata.get("judges") or {}).get("alpha")
    if agreement is not None:
        yield f"Their agreement (Krippendorff's alpha, over all that was judged): {agreement:.2f}."
    if tally.programs:
        names = ", ".join(f"`{_cell(program)}`" for program in tally.programs)
        yield f"\nFingerprint of the prompts: {names}."
    versions = metadata.get("versions")
    if isinstance(versions, Mapping):
        yield "Versions: " + ", ".join(f"{_cell(name)} {_cell(number)}" for name, number in versions.items()) + "."


def _funnel(done: Exported) -> Iterator[str]:
    """From the texts to the rows: what the latest run says, then what the export left out."""
    run = done.metadata.get("run") or {}
    steps = (run.get("funnel") or {}).get("steps") or []
    if steps:
        yield "| step | went in | lost | left |\n|---|---|---|---|"
        for step in steps:
            lost = "; ".join(f"{count} {reason}" for reason, count in step["lost"].items()) or "0"
            left = f"{step['left']} {step['became']}"
            yield f"| {_cell(step['what'])} | {step['entered']} | {_cell(lost)} | {_cell(left)} |"
        yield ""
    counts = {} if steps else _run_counts(run)
    counts |= {f"looked at by this export: {became}": count for became, count in done.tally.read.items()}
    counts |= {f"not exported: {reason}": count for reason, count in done.tally.skipped.most_common()}
    yield from _table(("", "count"), {**counts, "rows": done.tally.rows})
    if done.origin.note:
        yield f"\n{_cell(done.origin.note.replace(str(done.origin.path), done.origin.path.name))}."


def _run_counts(run: Mapping[str, Any]) -> dict[str, Any]:
    """What runs without a funnel say: those of older versions, and merges."""
    counts = {f"traces {status}": count for status, count in (run.get("traces") or {}).items()}
    return counts | {f"lost: {reason}": count for reason, count in (run.get("losses") or {}).items()}


def _table(titles: tuple[str, str], counts: Mapping[str, Any]) -> Iterator[str]:
    yield f"| {titles[0]} | {titles[1]} |\n|---|---|"
    yield from (f"| {_cell(name)} | {_cell(count)} |" for name, count in counts.items())


def _cell(text: Any) -> str:
    """Any text as one line that stays within its cell: names of papers and models are data."""
    line = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", line)[:300] or UNKNOWN
