"""The report of a compilation: what was done, what it cost, and what it is worth on texts that no optimizer saw."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dspy
from pydantic import BaseModel

from optimize.optimizers.tuned import tuned_part
from optimize.proof import Proof
from optimize.recording.recorder import Recorder
from optimize.settings import CompileSettings
from programs.clock import stamp
from programs.files.in_place import in_place
from programs.versions import git_commit, versions


class Tuned(BaseModel):
    """One predictor before and after; demonstrations and temperature are those after. `changed`: any of them is other
    than it was."""

    instructions_before: str
    instructions_after: str
    demonstrations: int
    temperature: float | None
    changed: bool


class Outcome(BaseModel):
    """What there is to tell of any compilation. `data` has the hash and the size of each split, `spent` what was paid by
    purpose over all sessions, `replayed` what the last session took from the journal instead."""

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
    predictors: dict[str, Tuned]

    @property
    def changed(self) -> bool:
        """Whether anything of the program is other than it was."""
        return any(tuned.changed for tuned in self.predictors.values())


class Report(Outcome):
    """Everything about a compilation of stages that write but the program itself. `judges` optimised, `report_judges`
    judged the proof, `weights` make the composite."""

    judges: list[str]
    report_judges: list[str]
    weights: dict[str, float]
    proof: Proof


def facts_of(settings: CompileSettings, recorder: Recorder, before: dspy.Module, after: dspy.Module) -> dict[str, Any]:
    """Those fields of an `Outcome` that every compilation fills in the same way."""
    account = recorder.account
    return {
        "model": settings.model,
        "optimizer": settings.optimizer,
        "stages": settings.stage,
        "settings": settings.model_dump(mode="json", exclude={"api_base"}),
        "created": stamp(),
        "versions": {**versions(), "optuna": version("optuna"), "gepa": version("gepa")},
        "git_commit": git_commit(),
        "spent": {purpose: asdict(spend) for purpose, spend in account.paid.items()},
        "replayed": {purpose: asdict(spend) for purpose, spend in account.replayed.items()},
        "predictors": tuned_predictors(before, after),
    }


def hash_of(names: Iterable[str]) -> str:
    """Tells two sides of a split apart, whatever their order."""
    return hashlib.blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()


def tuned_predictors(before: dspy.Module, after: dspy.Module) -> dict[str, Tuned]:
    """What became of every predictor."""
    earlier = dict(before.named_predictors())
    return {
        name: Tuned(
            instructions_before=earlier[name].signature.instructions,
            instructions_after=predictor.signature.instructions,
            demonstrations=len(predictor.demos),
            temperature=predictor.config.get("temperature"),
            changed=tuned_part(predictor) != tuned_part(earlier[name]),
        )
        for name, predictor in after.named_predictors()
    }


def write_files(report: Outcome, text: str, folder: Path) -> None:
    """Writes a report for programs, report.json, and its text for people, report.md."""
    for name, content in (("report.json", report.model_dump_json(indent=2) + "\n"), ("report.md", text)):
        with in_place(folder / name) as file:
            file.write(content.encode())
