"""The report of a compilation: what was done, what it cost, and what it is worth on texts that no optimizer saw."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import dspy
import jinja2
from pydantic import BaseModel

from optimize.compilation import Compilation, counts
from optimize.program import tuned_parts
from optimize.proof import FEWEST_SOURCES, Compared, Failures, Proof
from optimize.recording import Recorder
from programs.files import in_place
from programs.versions import git_commit, stamp, versions


class TunedPredictor(BaseModel):
    """One predictor before and after; demonstrations and temperature are those after. `changed`: in any of these."""

    instructions_before: str
    instructions_after: str
    demonstrations: int
    temperature: float | None
    changed: bool


class Report(BaseModel):
    """Everything about a compilation but the program itself. `data` has the hash and the size of each split, `spent` what
    was paid by purpose over all sessions. `judges` optimised, `report_judges` judged the proof (with `--stage judge`: were
    tuned, and proved), `weights` make the composite."""

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
    warnings: list[str]
    predictors: dict[str, TunedPredictor]
    judges: list[str]
    report_judges: list[str]
    weights: dict[str, float]
    proof: Proof


def report_of(compilation: Compilation, after: dspy.Module, proof: Proof, recorder: Recorder) -> Report:
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
        warnings=compilation.warnings(proof),
        predictors=predictors,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights=compilation.weights,
        proof=proof,
    )


def tuned_predictors(before: dspy.Module, after: dspy.Module) -> dict[str, TunedPredictor]:
    """What became of every predictor."""
    earlier = tuned_parts(before)
    return {
        name: TunedPredictor(
            instructions_before=earlier[name].instructions,
            instructions_after=part.instructions,
            demonstrations=len(part.demos),
            temperature=part.temperature,
            changed=part != earlier[name],
        )
        for name, part in tuned_parts(after).items()
    }


def write_report(report: Report, folder: Path) -> None:
    """Writes report.json, for programs, and report.md, for people."""
    for name, text in (("report.json", report.model_dump_json(indent=2) + "\n"), ("report.md", markdown(report))):
        with in_place(folder / name) as file:
            file.write(text.encode())


def markdown(report: Report) -> str:
    """The report for a person, by report.md.jinja."""
    proof, stages = report.proof, report.proof.stages
    total = {name: sum(getattr(one, name) for one in stages.values()) for name in Failures.model_fields}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"counts": counts, "number": _number, "interval": _interval, "cell": _cell}
    template = environment.from_string(Path(__file__).with_name("report.md.jinja").read_text(encoding="utf-8"))
    text = template.render(
        report=report,
        proof=proof,
        verdict=verdict(report),
        warned=warned(report),
        scores={"composite": proof.composite, **proof.metrics},
        failures={**stages, "all": total},
    )
    return f"{text.strip()}\n"


def warned(report: Report) -> list[str]:
    """What a reader should know before believing the outcome, a sentence each."""
    return [f"Warning: {warning}." for warning in report.warnings]


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    found = report.proof.composite
    if not any(tuned.changed for tuned in report.predictors.values()):
        return "Nothing better was found: the program is as it was."
    if found.interval is None:
        return "Too few texts could be scored to compare the programs."
    if report.improved:
        outcome = "The compiled program is better"
    elif found.interval.low > 0:
        outcome = "Too few sources prove to call the compiled program better"
    else:
        outcome = f"The compiled program is {'worse' if found.interval.high < 0 else 'not shown to be better'}"
    return f"{outcome}: {found.before:.3f} before, {found.after:.3f} after; the difference {_interval(found)}."


def _interval(compared: Compared) -> str:
    """A difference with its interval. A few that are all alike tell no bounds."""
    if compared.interval is None:
        return "-"
    found = compared.interval
    if found.low == found.high and compared.pairs < FEWEST_SOURCES:
        return f"{found.difference:+.3f}"
    return str(found)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
