"""The report of a compilation for people: report.md."""

from pathlib import Path
from typing import Any

from optimize.proof import Compared, Failures, Proof
from optimize.report import Outcome, Report, Tuned, write_files


def write_report(report: Report, folder: Path) -> None:
    """Writes report.json and report.md."""
    write_files(report, markdown(report), folder)


def markdown(report: Report) -> str:
    """The report for a person."""
    parts = [
        f"# {report.optimizer} on {', '.join(report.stages)}, for {report.model}",
        verdict(report),
        *warned(report),
        HOLDS_TEXTS,
        f"## On {report.data['test']['texts']} texts of other sources",
        _measured_by(report),
        _scores(report.proof),
        "First tries of a stage that failed (missing, cut off, unreadable, repetitive, or against its check):",
        _failures(report.proof.stages),
        *how_it_was_made(report),
    ]
    return "\n\n".join(parts) + "\n"


def warned(report: Outcome) -> list[str]:
    """What a reader should know before believing the outcome, a sentence each."""
    return [f"Warning: {warning}." for warning in report.warnings]


HOLDS_TEXTS = "program.json holds training texts in its demonstrations: share it only where you may share those."


def how_it_was_made(report: Outcome) -> list[str]:
    """The last sections of every report: the cost, the instructions, the circumstances."""
    return [
        "## What it cost",
        _spent(report),
        "## The instructions",
        *(_instructions(name, tuned) for name, tuned in report.predictors.items() if tuned.changed),
        "## How it was made",
        _facts(report),
    ]


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    found = report.proof.composite
    if not report.changed:
        return "Nothing better was found: the program is as it was."
    if found.interval is None:
        return "Too few texts could be scored to compare the programs."
    change = f"{found.before:.3f} before, {found.after:.3f} after; the difference {shown_interval(found)}"
    if report.improved:
        return f"The compiled program is better: {change}."
    if found.interval.low > 0:
        return f"Too few sources prove to call the compiled program better: {change}."
    if found.interval.high < 0:
        return f"The compiled program is worse: {change}."
    return f"The compiled program is not shown to be better: {change}."


def _scores(proof: Proof) -> str:
    rows = [("composite", proof.composite), *proof.metrics.items()]
    lines = [f"| {name} | {shown(c.before)} | {shown(c.after)} | {shown_interval(c)} | {c.pairs} |" for name, c in rows]
    if proof.diversity_before is not None or proof.diversity_after is not None:
        lines.append(f"| diversity | {shown(proof.diversity_before)} | {shown(proof.diversity_after)} | - | - |")
    return "\n".join(
        ["| metric | before | after | difference (95% interval) | texts |", "|---|---|---|---|---|", *lines]
    )


def _measured_by(report: Report) -> str:
    weights = ", ".join(f"{name} {weight:g}" for name, weight in report.weights.items())
    judges = ", ".join(report.report_judges) or "nobody"
    optimised = ", ".join(report.judges) or "nobody"
    return f"The composite: {weights}. Judged by {judges}; while tuning by {optimised}."


def _failures(stages: dict[str, Failures]) -> str:
    lines = [
        f"| {name} | {one.failed_before} of {one.asked_before} | {one.failed_after} of {one.asked_after} |"
        for name, one in stages.items()
    ]
    before = f"{sum(s.failed_before for s in stages.values())} of {sum(s.asked_before for s in stages.values())}"
    after = f"{sum(s.failed_after for s in stages.values())} of {sum(s.asked_after for s in stages.values())}"
    return "\n".join(["| stage | before | after |", "|---|---|---|", *lines, f"| all | {before} | {after} |"])


def _spent(report: Outcome) -> str:
    lines = [
        f"| {purpose} | {spend['calls']} | {_tokens(spend, 'prompt_tokens')} | {_tokens(spend, 'completion_tokens')} |"
        for purpose, spend in report.spent.items()
    ]
    return "\n".join(["| for | calls | tokens read | tokens written |", "|---|---|---|---|", *lines])


def _tokens(spend: dict[str, Any], which: str) -> str:
    return f"at least {spend[which]}" if spend["uncounted"] else str(spend[which])


def _instructions(name: str, tuned: Tuned) -> str:
    temperature = "as it was" if tuned.temperature is None else tuned.temperature
    head = f"### {name}: demonstrations {tuned.demonstrations}, temperature {temperature}"
    if tuned.instructions_before == tuned.instructions_after:
        return f"{head}\n\nThe instruction is as it was."
    cells = [
        text.replace("|", "\\|").replace("\n", "<br>") for text in (tuned.instructions_before, tuned.instructions_after)
    ]
    return f"{head}\n\n| before | after |\n|---|---|\n| {cells[0]} | {cells[1]} |"


def _facts(report: Outcome) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    splits = "; ".join(f"{name}: {_side(part)}" for name, part in report.data.items())
    return "\n".join(
        [
            f"- {report.created}, commit {report.git_commit or 'unknown'}, {versions}",
            f"- {splits}",
            f"- seed {report.settings['seed']}, {report.unscored} examples without a score while tuning",
        ]
    )


def _side(part: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {what}" for what, count in part.items() if what != "hash")
    return f"{counts}, hash {part['hash']}"


def shown_interval(compared: Compared) -> str:
    """A difference with its interval, for a table."""
    if compared.interval is None:
        return "-"
    found = compared.interval
    return f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def shown(value: float | None) -> str:
    """A number for a table."""
    return "-" if value is None else f"{value:.3f}"
