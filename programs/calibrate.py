"""Measure how far judges agree with people, and by how much each of them rates too high.

python -m programs.calibrate --labels cosmology.labels.jsonl --judge-models gpt4o claudesonnet45
python -m programs.generate --quality-check --judge-models gpt4o claudesonnet45 --judge-calibration judge_calibration.json
"""

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict, Field

from programs.cli.options import INTERRUPTED, Many, parse, run_cli
from programs.errors import UserError
from programs.files import beside, in_place
from programs.option_groups import ConnectionOptions, ModelNames
from programs.settings import Settings
from programs.telemetry.logs import LogOptions, logged

if TYPE_CHECKING:
    from programs.judges.labels import Labelled
    from programs.tracer import Tracer

log = logging.getLogger("synthreasoner")


class CalibrateSettings(ConnectionOptions, LogOptions):
    """The options of a calibration."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    groups: ClassVar[dict[str, tuple[str, ...]]] = {
        "what is measured": ("labels", "judge_models", "output", "judged_correct_from"),
        "models and servers": (*ConnectionOptions.model_fields, "seed"),
        "the calibration": ("dry_run", "max_calls"),
        "logs": (*LogOptions.model_fields,),
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
        Path("judge_calibration.json"),
        description="the report, which generate takes as --judge-calibration; the judges' replies are in a journal "
        "beside it",
    )
    seed: int = Field(0, ge=0, description="fixes the sampling seeds, and the intervals")
    dry_run: bool = Field(False, description="say what would be asked, and ask nothing")
    max_calls: int | None = Field(None, ge=1, description="calls after which it stops, to be resumed")

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
    from programs.judges.labels import read_labels
    from programs.tracer import load_tracer

    _refuse_others(settings.output)
    labels = read_labels(*settings.labels)
    for reason, count in labels.skipped.items():
        print(f"{count} records left out: {reason}")
    tracer = load_tracer(settings.program, prompt_order=settings.prompt_order)
    calls = len(labels.answers) * len(settings.judge_models)
    print(f"{len(labels.answers)} answers, {len(settings.judge_models)} judges: at most about {calls} calls")
    if settings.dry_run:
        return 0
    log.info("the calibration begins", extra={"settings": settings.model_dump(mode="json")})
    return asyncio.run(_calibrate(settings, labels.answers, tracer))


async def _calibrate(settings: CalibrateSettings, answers: "Sequence[Labelled]", tracer: "Tracer") -> int:
    from programs.errors import AccessDenied, FatalError, UnknownModel
    from programs.judges.calibration import judged
    from programs.judges.figures import in_words, report_of
    from programs.run.ledger import Ledger
    from programs.traces.verdicts import LEAST_RATINGS, prompt_of

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
    prompt = prompt_of(tracer.judge, settings.prompt_order)
    report = report_of(settings.labels, prompt, answers, verdicts, settings.judged_correct_from, settings.seed)
    with in_place(settings.output) as file:
        file.write(f"{report.model_dump_json(indent=2)}\n".encode())
    log.info("the calibration ends: the report is in %s", settings.output)
    print(*in_words(report), f"the report is in {settings.output}", sep="\n")
    if all(judge.ratings >= LEAST_RATINGS for judge in report.judges.values()):
        print(f"use the biases with --judge-calibration {settings.output}")
    return 0


def _refuse_others(path: Path) -> None:
    """Raises `UserError` for a file that is there and none of ours: it would be written over."""
    try:
        ours = not path.exists() or {"labels", "correct_from", "judges"} <= json.loads(path.read_bytes()).keys()
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise UserError(f"--output: {path} is there already, and no file of programs.calibrate; name another")


if __name__ == "__main__":
    run_cli(main)
