"""Tune the program's prompts and demonstrations to a model, and test the result on texts that no optimizer saw.

python -m optimize.compile --model openai/Qwen3-32B --api-base http://localhost:8000/v1 --trainset papers.jsonl
python -m optimize.compile --model gpt41 --optimizer gepa --judge-models claudesonnet45 --report-judge-models gemini25pro
python -m optimize.compile --model embedded --stage hypotheses critique --optimizer bootstrap --output compiled
python -m optimize.compile --model gpt41 --stage judge --trainset labelled.jsonl --output judge
"""

import logging
import sys
from typing import TYPE_CHECKING

from optimize.settings import CompileSettings
from programs.cli.logs import logging_to_file
from programs.cli.options import parse, run_cli
from programs.cli.terminal import console as plain_console
from programs.errors import AccessDenied, BackendError, UnknownModel, UserError
from programs.files import move_aside

if TYPE_CHECKING:
    from optimize.compilation import Compilation

log = logging.getLogger("synthreasoner")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Exit codes: 0 done, 1 stopped early, 2 user error, 130 interrupted; all can be resumed."""
    settings = parse(CompileSettings, arguments, __doc__)
    with logging_to_file(settings, None if settings.dry_run else settings.output):
        return _command(settings)


def _command(settings: CompileSettings) -> int:
    # DSPy is imported after the options were read, here and in `prepare`.
    from optimize.compilation import run_compilation
    from optimize.recording import BudgetSpent

    console = plain_console(soft_wrap=True)
    compilation = prepare(settings)
    console.print(f"at most about {compilation.max_calls_for(compilation.runs)} calls")
    if settings.dry_run:
        return 0
    try:
        if not settings.resume:
            move_aside(settings.output)
    except OSError as error:
        raise UserError(f"--output: {settings.output} cannot be moved aside: {error.strerror}") from None
    log.info("compilation started", extra={"settings": settings.model_dump(mode="json")})
    try:
        report = run_compilation(compilation, console)
    except (AccessDenied, UnknownModel) as error:
        raise UserError(str(error)) from None
    except BackendError as error:
        how = "raise --max-calls and run the command" if isinstance(error, BudgetSpent) else "run the same command"
        print(f"error: {error}; {how} again to continue", file=sys.stderr)
        return 1
    log.info("compilation finished", extra={"improved": report.improved})
    hint = f"use it with --program {settings.output}" if report.improved else "see its report.md"
    console.print(f"the compiled program is in {settings.output}; {hint}")
    return 0


def prepare(settings: CompileSettings) -> "Compilation":
    """Reads the examples, without calling a model. Raises `UserError`."""
    from optimize.judging import JudgeCompilation
    from optimize.texts import TextCompilation

    return JudgeCompilation(settings) if settings.tunes_judges else TextCompilation(settings)


if __name__ == "__main__":
    run_cli(main)
