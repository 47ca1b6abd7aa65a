"""Generate reasoning training data from scientific text.

python -m programs.generate --model embedded --max-traces 3
python -m programs.generate --model gpt41 --input-file papers.jsonl --quality-check --grade-answers
python -m programs.generate --model openai/Qwen3-32B --api-base http://localhost:8000/v1 --concurrency 64
"""

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

from programs.background_loop import run_in_background
from programs.cli.logs import logging_to_file
from programs.cli.options import INTERRUPTED, parse, run_cli
from programs.cli.terminal import console as plain_console
from programs.cli.terminal import print_result
from programs.errors import AccessDenied, BackendError, UnknownModel, UserError
from programs.settings import Settings

# The modules that need DSPy are imported where they are used: `--help` and a mistyped option need not wait for them.
if TYPE_CHECKING:
    from rich.console import Console

    from programs.run.summary import Summary
    from programs.schema import DocumentMetadata

RESUME_HINT = "run the same command again to continue"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Exit codes: 0 done, 1 failed, 2 user error, 130 interrupted. Any of these runs can be resumed."""
    settings = parse(Settings, arguments, __doc__)
    only_shows = settings.list_models or settings.dry_run
    with logging_to_file(settings, None if only_shows else settings.output):
        if settings.list_models:
            return _list_models(settings)
        if settings.dry_run:
            from programs.run.dry_run import dry_run

            dry_run(settings, plain_console(soft_wrap=True))
            return 0
        return asyncio.run(_generate(settings, plain_console()))


async def _generate(settings: Settings, console: "Console") -> int:
    from programs.run.display import reply_printer, show_progress
    from programs.run.run import relax_gc, run
    from programs.run.summary import print_summary

    relax_gc()
    callbacks = {"on_reply": reply_printer(console)} if settings.follow else {}
    try:
        finished = await run(settings, lambda ledger: show_progress(ledger, settings, console), **callbacks)
    except asyncio.CancelledError:
        console.print(f"stopped at once; {RESUME_HINT}")
        return INTERRUPTED
    print_summary(finished.summary, settings, console)
    for line in cautions(finished.document):
        console.print(line)
    if isinstance(finished.failure, AccessDenied | UnknownModel | UserError):
        raise UserError(str(finished.failure))
    if finished.failure is not None:
        print(f"error: {finished.failure}; {RESUME_HINT}", file=sys.stderr)
        return 1
    if finished.status == "budget":
        console.print(f"the budget is spent; {RESUME_HINT}")
        return 0
    if finished.status == "interrupted":
        console.print(f"interrupted; {RESUME_HINT}")
        return INTERRUPTED
    if not finished.summary.traces.get("accepted"):
        print(f"error: no trace was made: {explain_no_traces(finished.summary)}", file=sys.stderr)
        return 1
    return 0


def explain_no_traces(summary: "Summary") -> str:
    """Why a completed run has no trace: the main reasons why traces and texts were lost, or else the funnel's losses."""
    lost = summary.losses
    if not lost and summary.funnel is not None:
        lost = {reason: count for step in summary.funnel.steps for reason, count in step.lost.items()}
    return ", ".join(f"{count} x {reason}" for reason, count in Counter(lost).most_common(3)) or "no text was read"


def cautions(document: "DocumentMetadata | None") -> list[str]:
    """Warnings if a document's thoughts are too much alike, and how far its judges agree."""
    from programs.statistics.agreement import agreement_in_words
    from programs.statistics.thought_counts import cautions_of

    cautioned = cautions_of(document.thoughts) if document and document.thoughts else []
    agreement = agreement_in_words(document.judges) if document and document.judges else []
    return [*(f"caution: {line}" for line in cautioned), *agreement]


def _list_models(settings: Settings) -> int:
    from programs.lms.addresses import bases_of
    from programs.lms.resolve import resolve

    bases = bases_of(settings.model, settings.api_base)
    model = resolve(settings.model, api_base=bases, timeout=settings.timeout)
    try:
        names = run_in_background(model.engine.list_models())
    except BackendError as error:
        raise UserError(str(error)) from None
    finally:
        model.close()
    print_result("\n".join(f"{name.request_name}  ({name.id})" for name in names))
    return 0


if __name__ == "__main__":
    run_cli(main)
