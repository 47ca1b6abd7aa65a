"""The report of a compilation: what was done, what it cost, and what it is worth on texts that no optimizer saw."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dspy
from pydantic import BaseModel

from optimize.compilation import Compilation, counts
from optimize.program import tuned_part
from optimize.proof import FEWEST_SOURCES, Compared, Failures, Proof
from optimize.recording import Recorder
from programs.files import in_place
from programs.versions import git_commit, stamp, versions


class TunedPredictor(BaseModel):
    """One predictor before and after; demonstrations and temperature are those after. `changed`: any of them is other
    than it was."""

    instructions_before: str
    instructions_after: str
    demonstrations: int
    temperature: float | None
    changed: bool


class Report(BaseModel):
    """Everything about a compilation but the program itself. `data` has the hash and the size of each split, `spent` what
    was paid by purpose over all sessions, `replayed` what the last session took from the journal instead. `judges`
    optimised, `report_judges` judged the proof (with `--stage judge`: were tuned, and proved), `weights` make the
    composite."""

    model: str
    optimizer: str
    stages: list[str]
    settings: dict[str, Any]
    created: str
    versions: dict[str, str]
    git_commit: str | None
    data: dict[str, dict[str, Any]]
    improved: bool
    spent: dict[str, Any]
    replayed: dict[str, Any]
    unscored: int
    warnings: list[str]
    predictors: dict[str, TunedPredictor]
    judges: list[str]
    report_judges: list[str]
    weights: dict[str, float]
    proof: Proof

    @property
    def changed(self) -> bool:
        """Whether anything of the program is other than it was."""
        return any(tuned.changed for tuned in self.predictors.values())


def report_of(compilation: Compilation, after: dspy.Module, proof: Proof, recorder: Recorder, unscored: int) -> Report:
    """The report of a compilation that made `after` of the program that it began with."""
    settings = compilation.settings
    predictors = tuned_predictors(compilation.tracer, after)
    return Report(
        model=settings.model,
        optimizer=settings.optimizer,
        stages=settings.stage,
        settings=settings.model_dump(mode="json", exclude={"api_base"}),
        created=stamp(),
        versions={**versions(), "optuna": version("optuna"), "gepa": version("gepa")},
        git_commit=git_commit(),
        data=compilation.data,
        improved=proof.improved and any(tuned.changed for tuned in predictors.values()),
        spent={purpose: dict(spend) for purpose, spend in recorder.paid.items()},
        replayed={purpose: dict(spend) for purpose, spend in recorder.replayed.items()},
        unscored=unscored,
        warnings=compilation.warnings(proof),
        predictors=predictors,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights=compilation.weights,
        proof=proof,
    )


def tuned_predictors(before: dspy.Module, after: dspy.Module) -> dict[str, TunedPredictor]:
    """What became of every predictor."""
    earlier = dict(before.named_predictors())
    return {
        name: TunedPredictor(
            instructions_before=earlier[name].signature.instructions,
            instructions_after=predictor.signature.instructions,
            demonstrations=len(predictor.demos),
            temperature=predictor.config.get("temperature"),
            changed=tuned_part(predictor) != tuned_part(earlier[name]),
        )
        for name, predictor in after.named_predictors()
    }


def write_report(report: Report, folder: Path) -> None:
    """Writes report.json, for programs, and report.md, for people."""
    for name, text in (("report.json", report.model_dump_json(indent=2) + "\n"), ("report.md", markdown(report))):
        with in_place(folder / name) as file:
            file.write(text.encode())


def markdown(report: Report) -> str:
    """The report for a person."""
    parts = [
        f"# {report.optimizer} on {', '.join(report.stages)}, for {report.model}",
        verdict(report),
        *warned(report),
        HOLDS_TEXTS,
        f"## Held out: {counts(report.data['test'])}",
        _measured_by(report),
        _scores(report.proof),
        REPEATED,
        FAILED,
        _failures(report.proof.stages),
        "## What it cost",
        _spent(report),
        "## The instructions",
        *(_instructions(name, tuned) for name, tuned in report.predictors.items() if tuned.changed),
        "## How it was made",
        _facts(report),
    ]
    return "\n\n".join(parts) + "\n"


def warned(report: Report) -> list[str]:
    """What a reader should know before believing the outcome, a sentence each."""
    return [f"Warning: {warning}." for warning in report.warnings]


HOLDS_TEXTS = "program.json holds training texts in its demonstrations: share it only where you may share those."


REPEATED = (
    "The interval holds for one comparison. Of five optimizers that are proved on one test split and change nothing, one "
    "is found better by luck in 12 to 23% of cases: prove what you choose again, with another --seed."
)
FAILED = (
    "First tries of a stage that failed (missing, cut off, unreadable, repetitive, or against its check); for a judge, "
    "answers without a verdict:"
)


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


def _table(head: str, rows: Iterable[Iterable[object]]) -> str:
    names = head.split(", ")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _scores(proof: Proof) -> str:
    rows = [("composite", proof.composite), *proof.metrics.items()]
    cells: list[tuple[object, ...]] = [
        (name, shown(c.before), shown(c.after), shown_interval(c), c.pairs) for name, c in rows
    ]
    if proof.diversity_before is not None or proof.diversity_after is not None:
        cells.append(("diversity", shown(proof.diversity_before), shown(proof.diversity_after), "-", "-"))
    return _table("metric, before, after, difference (95% interval), compared", cells)


def _measured_by(report: Report) -> str:
    weights = ", ".join(f"{name} {weight:g}" for name, weight in report.weights.items())
    judges = ", ".join(report.report_judges) or "nobody"
    optimised = ", ".join(report.judges) or "nobody"
    return f"The composite: {weights}. Judged by {judges}; while tuning by {optimised}."


def _failures(stages: dict[str, Failures]) -> str:
    names = list(Failures.model_fields)
    total = Failures(**{name: sum(getattr(one, name) for one in stages.values()) for name in names})
    rows = [
        (name, f"{one.failed_before} of {one.asked_before}", f"{one.failed_after} of {one.asked_after}")
        for name, one in {**stages, "all": total}.items()
    ]
    return _table("stage or judge, before, after", rows)


def _spent(report: Report) -> str:
    rows = [
        (purpose, spend["calls"], _tokens(spend, "prompt_tokens"), _tokens(spend, "completion_tokens"))
        for purpose, spend in report.spent.items()
    ]
    return _table("for, calls, tokens read, tokens written", rows)


def _tokens(spend: dict[str, Any], which: str) -> str:
    return f"at least {spend[which]}" if spend["uncounted"] else str(spend[which])


def _instructions(name: str, tuned: TunedPredictor) -> str:
    temperature = "as it was" if tuned.temperature is None else tuned.temperature
    head = f"### {name}: demonstrations {tuned.demonstrations}, temperature {temperature}"
    if tuned.instructions_before == tuned.instructions_after:
        return f"{head}\n\nThe instruction is as it was."
    cells = [
        text.replace("|", "\\|").replace("\n", "<br>") for text in (tuned.instructions_before, tuned.instructions_after)
    ]
    return f"{head}\n\n{_table('before, after', [cells])}"


def _facts(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    splits = "; ".join(f"{name}: {counts(part)}, hash {part['hash']}" for name, part in report.data.items())
    seed, unscored = report.settings["seed"], report.unscored
    return (
        f"- {report.created}, commit {report.git_commit or 'unknown'}, {versions}\n- {splits}\n"
        f"- seed {seed}, {unscored} examples without a score while tuning"
    )


def shown_interval(compared: Compared) -> str:
    """A difference with its interval, for a table. A few that are all alike tell no bounds."""
    if compared.interval is None:
        return "-"
    found = compared.interval
    if found.low == found.high and compared.pairs < FEWEST_SOURCES:
        return f"{found.difference:+.3f}"
    return f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def shown(value: float | None) -> str:
    """A number for a table."""
    return "-" if value is None else f"{value:.3f}"
