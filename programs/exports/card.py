"""The data set's card: README.md with the header that the Hub and `datasets` read, and what a person must know."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from programs.exports.columns import features
from programs.exports.exported import Exported
from programs.exports.licences import UNKNOWN, hub_name

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)

LIMITS = (
    "Questions, thoughts and answers were written by language models, from passages of papers. No person checked "
    "them, unless it says so here.",
    "The thoughts hold a wrong turn and its correction by design. They read like thinking; that does not make them right.",
    "Judges' ratings and grades are opinions of language models. A trace without one was not judged, or the judge's reply "
    "could not be read; nothing was put in its place.",
    "Questions were asked of one passage. Whether an answer holds beyond it is not known.",
    "In texts, think tags and the tokens of chat templates are broken visibly (`&lt;think&gt;`), so that they cannot end a "
    "thought or begin a turn.",
    "The licence above is that of the passages, as their records gave it. Whether it allows what you do is for you to see; "
    "the models' providers may have terms as well.",
)


def card(done: Exported) -> str:
    """The whole README.md."""
    header = yaml.safe_dump(_header(done), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{header}---\n\n{chr(10).join(_body(done))}\n"


def _header(done: Exported) -> dict[str, Any]:
    format, sizes = done.options.format, done.sizes
    licences = sorted({hub_name(licence) for licence in done.tally.licences})
    splits = [name for name in ("train", "validation", "test") if name in sizes]
    total = sum(size.rows for size in sizes.values())
    return {
        "license": licences[0] if len(licences) == 1 else licences,
        "pretty_name": _title(done),
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "reasoning", "science", "synthreasoner", format.name],
        "size_categories": [next((name for limit, name in _SIZES if total < limit), "100M<n<1B")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*"} for split in splits],
            }
        ],
        "dataset_info": {
            "features": features(format.columns(done.options.view)),
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
    yield f"# {_cell(_title(done))}"
    yield f"\nReasoning training data made by SynthReasoner. A row is {format.about}."
    yield "\n```python\nfrom datasets import load_dataset\n"
    yield f'data = load_dataset("{_repository(options.push_to_hub, options.output.name)}")\n```\n'
    yield from _table(("split", "rows"), {split: size.rows for split, size in done.sizes.items()})
    if len(done.sizes) > 1:
        yield f"\nSplits are by paper (`--splits {options.splits}`, by a hash of its name): no paper is in two of them."
    if not format.whole:
        yield from _how_shown(done)
    yield "\n## How it was made\n"
    yield f"Exported at {done.created} from {_kind_of_origin(done)}."
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


def _how_shown(done: Exported) -> Iterator[str]:
    options, view = done.options, done.options.view
    with_passage = {
        "none": "alone (closed book)",
        "passage": "with its passage",
        "both": "alone, and again with its passage",
    }
    yield f"\nThe question comes {with_passage[options.context]}."
    if view.reasoning_field:
        yield f"The thought stands in the message's field `{view.reasoning_field}`."
    elif options.to not in ("prm", "grpo"):
        yield f"The thought stands between `{view.tag.open}` and `{view.tag.close}`, as the system prompt says."
    if options.to == "dpo":
        pairs = "" if view.pairs is None else f", at most {view.pairs} pairs a question"
        yield f"The traces of a pair are at least {view.margin:g} apart on the {view.measure.name}' scale{pairs}."
    if options.min_score is not None:
        yield f"The {view.measure.name}' score from which on a trace is good enough is {options.min_score:g}."


def _kind_of_origin(done: Exported) -> str:
    kind = "a journal" if done.origin.is_journal else "a document"
    commit = done.metadata.get("git_commit")
    status = done.metadata.get("status")
    state = f" whose run was {status}" if status else ""
    return f"{kind}{state}" + (f", made at commit `{_cell(commit)}`" if commit else "")


def _made_by(done: Exported) -> Iterator[str]:
    tally = done.tally
    if tally.models:
        yield "\n| stage | models |\n|---|---|"
        yield from (f"| {_cell(stage)} | {_cell(', '.join(models))} |" for stage, models in tally.models.items())
    if tally.judges:
        yield f"\nJudges: {_cell(', '.join(tally.judges))}."
    agreement = (done.metadata.get("judges") or {}).get("alpha")
    if agreement is not None:
        yield f"Their agreement (Krippendorff's alpha, over all that was judged): {agreement:.2f}."
    if tally.programs:
        names = ", ".join(f"`{_cell(program)}`" for program in tally.programs)
        yield f"\nFingerprint of the prompts: {names}."
    versions = done.metadata.get("versions")
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
    counts["rows"] = done.tally.rows
    yield from _table(("", "count"), counts)
    if done.origin.note:
        yield f"\n{_cell(done.origin.note.replace(str(done.origin.path), done.origin.path.name))}."


def _run_counts(run: Mapping[str, Any]) -> dict[str, Any]:
    """What runs without a funnel say: those of older versions, and merges."""
    counts = {f"traces {status}": count for status, count in (run.get("traces") or {}).items()}
    return counts | {f"lost: {reason}": count for reason, count in (run.get("losses") or {}).items()}


def _table(titles: tuple[str, str], counts: Mapping[str, Any]) -> Iterator[str]:
    yield f"| {titles[0]} | {titles[1]} |\n|---|---|"
    yield from (f"| {_cell(name)} | {count} |" for name, count in counts.items())


def _cell(text: Any) -> str:
    """Any text as one line that stays within its cell: names of papers and models are data."""
    line = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", line)[:300] or UNKNOWN


def _repository(pushed: str | None, folder: str) -> str:
    return re.sub(r'["\\\s]', "-", pushed or folder)
