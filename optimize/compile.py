"""Tune the prompts and demonstrations of the program to a model, with proof on texts that no optimizer saw.

python -m optimize.compile --model openai/Qwen3-32B --api-base http://localhost:8000/v1 --trainset papers.jsonl
python -m optimize.compile --model gpt41 --optimizer gepa --judge-models claudesonnet45 --report-judge-models gemini25pro
python -m optimize.compile --model embedded --stage hypotheses critique --optimizer bootstrap --output compiled
python -m optimize.compile --model gpt41 --stage judge --trainset labelled.jsonl --output judge
"""

import logging
import sys
from typing import TYPE_CHECKING

from optimize.settings import CompileSettings
from programs.cli.logs import logged
from programs.cli.options import parse, run_cli
from programs.cli.terminal import console as plain_console
from programs.errors import UserError
from programs.files import move_aside

if TYPE_CHECKING:
    from rich.console import Console

    from optimize.compilation import Compilation
    from optimize.report import Report

log = logging.getLogger("synthreasoner")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Exit codes: 0 done, 1 stopped early, 2 a mistake to mend, 130 interrupted; all are resumable."""
    settings = parse(CompileSettings, arguments, __doc__)
    with logged(settings, None if settings.dry_run else settings.output):
        return _command(settings)


def _command(settings: CompileSettings) -> int:
    from optimize.hub import check_token, push
    from optimize.recording import BudgetSpent
    from programs.errors import AccessDenied, BackendError, UnknownModel

    console = plain_console(soft_wrap=True)
    compilation = prepared(settings)
    for part, calls in compilation.calls_at_most(compilation.runs).items():
        console.print(f"at most about {calls} calls: {part}")
    if settings.dry_run:
        return 0
    if settings.push_to_hub:
        check_token(settings.push_to_hub)
    try:
        if not settings.resume:
            move_aside(settings.output)
    except OSError as error:
        raise UserError(f"--output: {settings.output} cannot be moved aside: {error.strerror}") from None
    log.info("the compilation begins", extra={"settings": settings.model_dump(mode="json")})
    try:
        report = compiled(compilation, console)
    except (AccessDenied, UnknownModel) as error:
        raise UserError(str(error)) from None
    except BackendError as error:
        how = "raise --max-calls and run the command" if isinstance(error, BudgetSpent) else "run the same command"
        print(f"error: {error}; {how} again to go on", file=sys.stderr)
        return 1
    log.info("the compilation ends", extra={"improved": report.improved})
    use = f"use it with --program {settings.output}" if report.improved else "its report.md says more"
    console.print(f"the compiled program is in {settings.output}; {use}")
    if settings.push_to_hub:
        console.print(f"pushed to {push(report, settings.output, settings.push_to_hub)}; a new repository is private")
    return 0


def prepared(settings: CompileSettings) -> "Compilation":
    """Reads the examples. Asks nothing. Raises `UserError`."""
    from optimize.judging import JudgeCompilation
    from optimize.texts import TextCompilation

    return JudgeCompilation(settings) if settings.tunes_judges else TextCompilation(settings)


def compiled(compilation: "Compilation", console: "Console") -> "Report":
    """Tunes, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    from optimize.compilation import counts, tuned, workspace
    from optimize.report import report_of, verdict, warned, write_report
    from programs.compiled import write_program

    settings = compilation.settings
    tests = counts(compilation.data["test"])
    with workspace(compilation, console) as models:
        console.print(f"proof: {tests}, before")
        before = compilation.proven(compilation.tracer, models)
        tracer = tuned(compilation, models, console)
        console.print(f"proof: {tests}, after")
        proof = compilation.proof(before, compilation.proven(tracer, models))
        report = report_of(compilation, tracer, proof, models.recorder)
    write_program(tracer, settings.output / "program.json", model=compilation.model)
    write_report(report, settings.output)
    for line in (verdict(report), *warned(report)):
        console.print(line)
    return report


if __name__ == "__main__":
    run_cli(main)
