"""Measure how far judges agree with people, and write down by how much each of them rates too high.

python -m programs.calibrate --labels cosmology.labels.jsonl --judge-models gpt4o claudesonnet45 --apply biases.json
python -m programs.generate --quality-check --judge-models gpt4o claudesonnet45 --judge-calibration biases.json
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from programs.cli.options import INTERRUPTED, parse, run_cli
from programs.errors import UserError
from programs.judges.calibrate_settings import CalibrateSettings
from programs.telemetry.logs import logged
from programs.telemetry.tracing import traced

if TYPE_CHECKING:
    from rich.console import Console

    from programs.judges.calibration_report import CalibrationReport
    from programs.judges.labels import Labelled
    from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Exit codes: 0 done, 1 stopped early, 2 a mistake to mend, 130 interrupted; all are resumable."""
    settings = parse(CalibrateSettings, "python -m programs.calibrate", __doc__ or "", arguments)
    with logged(settings, None if settings.dry_run else settings.output):
        return _command(settings)


def _command(settings: CalibrateSettings) -> int:
    from rich.console import Console

    from programs.judges.calibration import Calibration
    from programs.judges.calibration_report import CalibrationReport
    from programs.judges.labels import read_answers
    from programs.tracer import load_tracer

    console = Console(soft_wrap=True, markup=False, highlight=False)
    _refuse_others("--output", settings.output, CalibrationReport)
    _refuse_others("--apply", settings.apply, Calibration)
    labels = read_answers(settings.labels)
    for reason, count in labels.skipped.items():
        console.print(f"{count} records left out: {reason}")
    _check_apply(settings, labels.answers)
    tracer = load_tracer(settings.program, prompt_order=settings.prompt_order)
    calls = len(labels.answers) * len(settings.judge_models)
    console.print(f"{len(labels.answers)} answers, {len(settings.judge_models)} judges: at most about {calls} calls")
    if settings.dry_run:
        return 0
    log.info("the calibration begins", extra={"settings": settings.model_dump(mode="json")})
    with traced(settings):
        return asyncio.run(_calibrate(settings, labels.answers, tracer, console))


async def _calibrate(
    settings: CalibrateSettings, answers: "Sequence[Labelled]", tracer: "Tracer", console: "Console"
) -> int:
    from programs.errors import AccessDenied, FatalError, UnknownModel
    from programs.files import in_place
    from programs.judges.calibration_report import in_words, report_of
    from programs.judges.judging import judged
    from programs.run.ledger import Ledger

    ledger = Ledger()
    try:
        found = await judged(settings, tracer.judge, answers, ledger)
    except asyncio.CancelledError:
        console.print("stopped at once; run the same command again to go on")
        return INTERRUPTED
    except (AccessDenied, UnknownModel) as error:
        raise UserError(str(error)) from None
    except FatalError as error:
        print(f"error: {error}; run the same command again to go on", file=sys.stderr)
        return 1
    console.print(f"{ledger.total.calls} calls made, {ledger.reused} replies from {settings.journal}")
    if not found.complete:
        print("error: stopped before every answer was judged; run the same command again to go on", file=sys.stderr)
        return INTERRUPTED if found.interrupted else 1
    report = report_of(settings, answers, found.verdicts)
    with in_place(settings.output) as file:
        file.write(f"{report.model_dump_json(indent=2)}\n".encode())
    for line in in_words(report):
        console.print(line)
    log.info("the calibration ends: the report is in %s", settings.output)
    console.print(f"the report is in {settings.output}")
    if settings.apply is not None:
        _apply(settings, report, tracer, console)
    return 0


def _refuse_others(option: str, path: Path | None, kind: type[BaseModel]) -> None:
    """Raises `UserError` for a file that is there and none of ours: it would be written over."""
    if path is None or not path.exists():
        return
    try:
        kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise UserError(f"{option}: {path} is there already, and no file of programs.calibrate; name another") from None


def _check_apply(settings: CalibrateSettings, answers: "Sequence[Labelled]") -> None:
    """Raises `UserError`, before anything is asked, where a bias could not be measured on these labels."""
    from programs.judges.calibration import LEAST_RATINGS

    rated = sum(answer.overall is not None for answer in answers)
    if settings.apply is not None and rated < LEAST_RATINGS:
        raise UserError(
            f"--apply needs at least {LEAST_RATINGS} labels from 1 to 10, and there are {rated}: labels that only say "
            "right or wrong cannot tell by how much a judge rates too high; leave out --apply for the report"
        )


def _apply(settings: CalibrateSettings, report: "CalibrationReport", tracer: "Tracer", console: "Console") -> None:
    from programs.files import in_place
    from programs.judges.calibration import LEAST_RATINGS, Calibration, JudgeBias, prompt_of

    assert settings.apply is not None
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
    calibration = Calibration(prompt=prompt_of(tracer.judge, settings.prompt_order), judges=biases)
    with in_place(settings.apply) as file:
        file.write(f"{calibration.model_dump_json(indent=2)}\n".encode())
    console.print(f"the biases are in {settings.apply}; use them with --judge-calibration {settings.apply}")


if __name__ == "__main__":
    run_cli(main)
