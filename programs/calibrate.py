"""Measure how far judges agree with people, and write down by how much each of them rates too high.

python -m programs.calibrate --labels cosmology.labels.jsonl --judge-models gpt4o claudesonnet45 --apply biases.json
python -m programs.generate --quality-check --judge-models gpt4o claudesonnet45 --judge-calibration biases.json
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from programs.cli.options import INTERRUPTED, Many, parse, run_cli
from programs.errors import UserError
from programs.files import beside, in_place
from programs.option_groups import ConnectionOptions, ModelNames
from programs.settings import Settings
from programs.telemetry.logs import LogOptions, logged
from programs.telemetry.tracing import TraceOptions, traced

if TYPE_CHECKING:
    from programs.judges.figures import CalibrationReport
    from programs.judges.labels import Labelled
    from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")


class CalibrateSettings(ConnectionOptions, LogOptions, TraceOptions):
    """The options of a calibration."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is measured": ("labels", "judge_models", "output", "apply", "judged_correct_from"),
        "models and servers": (*ConnectionOptions.model_fields, "seed"),
        "the calibration": ("dry_run", "max_calls"),
        "logs and traces": (*LogOptions.model_fields, *TraceOptions.model_fields),
    }

    labels: Many = Field(
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="JSONL files of answers that people judged (programs/judges/labels.py)",
    )
    judge_models: ModelNames = Field(min_length=1, description="the judges, separated by commas or spaces")
    judged_correct_from: int = Field(
        6, ge=2, le=10, description="an overall rating from this on says that an answer is correct"
    )
    output: Path = Field(
        Path("judge_calibration.json"), description="the report; the judges' replies are in a journal beside it"
    )
    apply: Path | None = Field(
        None,
        description="also write each judge's mean bias, for programs.generate --judge-calibration; needs at least 30 "
        "labels from 1 to 10",
    )
    seed: int = Field(0, ge=0, description="fixes the sampling seeds, and the intervals")
    dry_run: bool = Field(False, description="say what would be asked, and ask nothing")
    max_calls: int | None = Field(None, ge=1, description="calls after which it stops, to be resumed")

    @model_validator(mode="after")
    def _different_files(self) -> "CalibrateSettings":
        if self.apply is not None and self.apply.resolve() == self.output.resolve():
            raise ValueError("--apply and --output must be different files")
        return self

    @property
    def of_a_run(self) -> Settings:
        """The same as settings of a run with these judges."""
        same = self.model_dump(include={*ConnectionOptions.model_fields, "judge_models", "seed", "max_calls"})
        return Settings.model_validate({**same, "model": self.judge_models[0], "quality_check": True})


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Exit codes: 0 done, 1 stopped early, 2 a mistake to mend, 130 interrupted; all are resumable."""
    settings = parse(CalibrateSettings, "python -m programs.calibrate", __doc__ or "", arguments)
    with logged(settings, None if settings.dry_run else settings.output):
        return _command(settings)


def _command(settings: CalibrateSettings) -> int:
    from programs.judges.figures import CalibrationReport
    from programs.judges.labels import read_labels
    from programs.tracer import load_tracer
    from programs.traces.verdicts import LEAST_RATINGS, Calibration

    _refuse_others("--output", settings.output, CalibrationReport)
    _refuse_others("--apply", settings.apply, Calibration)
    labels = read_labels(*settings.labels)
    for reason, count in labels.skipped.items():
        print(f"{count} records left out: {reason}")
    rated = sum(answer.overall is not None for answer in labels.answers)
    if settings.apply is not None and rated < LEAST_RATINGS:
        raise UserError(
            f"--apply needs at least {LEAST_RATINGS} labels from 1 to 10, and there are {rated}: labels that only say "
            "right or wrong cannot tell by how much a judge rates too high; leave out --apply for the report"
        )
    tracer = load_tracer(settings.program, prompt_order=settings.prompt_order)
    calls = len(labels.answers) * len(settings.judge_models)
    print(f"{len(labels.answers)} answers, {len(settings.judge_models)} judges: at most about {calls} calls")
    if settings.dry_run:
        return 0
    log.info("the calibration begins", extra={"settings": settings.model_dump(mode="json")})
    with traced(settings):
        return asyncio.run(_calibrate(settings, labels.answers, tracer))


async def _calibrate(settings: CalibrateSettings, answers: "Sequence[Labelled]", tracer: "Tracer") -> int:
    from programs.errors import AccessDenied, FatalError, UnknownModel
    from programs.judges.calibration import judged
    from programs.judges.figures import in_words, report_of
    from programs.run.ledger import Ledger

    ledger, journal = Ledger(), beside(settings.output, "journal")
    code, why = 1, "stopped before every answer was judged"
    verdicts = None
    try:
        verdicts = await judged(settings.of_a_run, journal, tracer.judge, answers, ledger)
    except asyncio.CancelledError:
        code = INTERRUPTED
    except (AccessDenied, UnknownModel) as error:
        raise UserError(str(error)) from None
    except FatalError as error:
        why = str(error)
    print(f"{ledger.total.calls} calls made, {ledger.reused} replies from {journal}")
    if verdicts is None:
        print(f"error: {why}; run the same command again to go on", file=sys.stderr)
        return code
    report = report_of(settings.labels, answers, verdicts, settings.judged_correct_from, settings.seed)
    _write(settings.output, report)
    log.info("the calibration ends: the report is in %s", settings.output)
    print(*in_words(report), f"the report is in {settings.output}", sep="\n")
    if settings.apply is not None:
        _apply(settings.apply, report, tracer, settings.prompt_order)
    return 0


def _refuse_others(option: str, path: Path | None, kind: type[BaseModel]) -> None:
    """Raises `UserError` for a file that is there and none of ours: it would be written over."""
    if path is None or not path.exists():
        return
    try:
        kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise UserError(f"{option}: {path} is there already, and no file of programs.calibrate; name another") from None


def _apply(path: Path, report: "CalibrationReport", tracer: "Tracer", prompt_order: str) -> None:
    from programs.traces.verdicts import LEAST_RATINGS, Calibration, JudgeBias, prompt_of

    short = [f"{name} {judge.rated}" for name, judge in report.judges.items() if judge.rated < LEAST_RATINGS]
    if short:
        raise UserError(
            f"--apply needs at least {LEAST_RATINGS} answers that people and the judge both rated from 1 to 10, and there "
            f"are: {', '.join(short)}"
        )
    biases = {
        name: JudgeBias(bias=judge.bias.value, ratings=judge.rated)
        for name, judge in report.judges.items()
        if judge.bias.value is not None
    }
    _write(path, Calibration(prompt=prompt_of(tracer.judge, prompt_order), judges=biases))
    print(f"the biases are in {path}; use them with --judge-calibration {path}")


def _write(path: Path, content: BaseModel) -> None:
    with in_place(path) as file:
        file.write(f"{content.model_dump_json(indent=2)}\n".encode())


if __name__ == "__main__":
    run_cli(main)
