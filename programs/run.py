"""One run from its settings to its document: what `python -m programs.generate` does."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import dspy

from programs.adapter import PassageFirstAdapter, StockOrderAdapter
from programs.calling import Caller, takes
from programs.decision import QualityRules
from programs.document import import_document, write_document
from programs.errors import AccessDenied, FatalError, JournalError, UnknownModel, UserError
from programs.fingerprint import git_commit, program_fingerprint, versions
from programs.gate import Gate
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import expand
from programs.journal import Journal
from programs.ledger import Ledger
from programs.lms.base_url import read_base_url
from programs.load import load_tracer
from programs.models import ModelTable, concurrency_of, passage_chars_of
from programs.records import Status
from programs.runner import Goal, JournaledCaller, Runner
from programs.settings import Settings
from programs.summary import Summary, summary_of
from programs.tries import TryRules

log = logging.getLogger("synthreasoner")


@dataclass
class Finished:
    """How a run ended: `error` is the one line that says why it stopped early, `mistake` whether the user must mend
    something before it can go on."""

    status: Status
    summary: Summary
    error: str | None = None
    mistake: bool = False


async def run(settings: Settings, ledger: Ledger, report: ReadReport) -> Finished:
    """Makes what the settings ask for. Raises `UserError` before any work begins."""
    expand(settings.input_file)
    tracer = load_tracer(settings.program)
    fingerprint = program_fingerprint(tracer, settings.prompt_order)
    models = ModelTable(settings)
    try:
        with Journal(_prepared(settings)) as journal:
            if journal.mended:
                log.warning("%s: a torn last line of %d bytes was cut off", settings.journal, journal.mended)
            mixing = _mixing(settings, fingerprint)
            _refuse_mixture(journal, mixing, settings)
            if settings.output.exists() and journal.index.counts() == {}:
                log.info("%d traces taken over from %s", import_document(journal, settings.output), settings.output)
            return await _make(settings, tracer, models, journal, mixing, ledger, report)
    finally:
        await models.close()


async def _make(
    settings: Settings,
    tracer: dspy.Module,
    models: ModelTable,
    journal: Journal,
    mixing: dict[str, Any],
    ledger: Ledger,
    report: ReadReport,
) -> Finished:
    gate = Gate(settings.concurrency or concurrency_of(models.main))
    goal = _goal(settings, models)
    facts = {"settings": _public(settings), "mixing": mixing, "versions": versions(), "git_commit": git_commit()}
    journal.append("run", None, status="running", started=_now(), **facts)
    caller = JournaledCaller(
        Caller(models.of, TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens)), journal, gate, ledger
    )
    max_chars = settings.max_passage_chars or passage_chars_of(models.main)

    # Later passes over the input read it again, which is not reading more of it.
    reports = chain([report], repeat(None))

    def samples() -> Iterator[Sample]:
        return read_samples(settings.input_file, max_chars=max_chars, report=next(reports) or ReadReport())

    runner = Runner(tracer, caller, journal, gate, goal, ledger, samples, program=mixing["program"], seed=settings.seed)

    def summary(status: Status) -> Summary:
        return summary_of(status, ledger, report, journal.index, settings)

    status: Status = "completed"
    error: str | None = None
    mistake = False
    adapter = PassageFirstAdapter() if settings.prompt_order == "passage-first" else StockOrderAdapter()
    with dspy.context(adapter=adapter, disable_history=True, trace=None):
        async with _documents(journal, settings, lambda: summary("running")), _interruptible(gate) as interrupted:
            try:
                await runner.run()
            except (FatalError, JournalError) as failure:
                status, error = "failed", str(failure)
                mistake = isinstance(failure, AccessDenied | UnknownModel)
    if interrupted.is_set() and error is None:
        status = "interrupted"
    final = summary(status)
    with contextlib.suppress(JournalError) if error else contextlib.nullcontext():
        journal.append("run", None, status=status, ended=_now(), summary=final.model_dump(mode="json"), **facts)
        write_document(journal, settings.output, status, final.model_dump(mode="json"))
    return Finished(status, final, error, mistake)


def _goal(settings: Settings, models: ModelTable) -> Goal:
    return Goal(
        traces=settings.traces_per_sample,
        variations=settings.traces_per_question,
        max_traces=settings.max_traces,
        seed=settings.seed,
        temperature=settings.temperature,
        takes_sampling=takes(models.main, "temperature"),
        quality=QualityRules(
            check=settings.quality_check,
            threshold=settings.min_quality_score,
            judges=settings.judges if settings.quality_check else (),
            max_attempts=settings.max_attempts,
        ),
        grader=settings.grader,
    )


def _prepared(settings: Settings) -> Path:
    """The journal's path; a fresh start first moves what lies there aside."""
    journal, output = settings.journal, settings.output
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    if not settings.resume:
        with contextlib.suppress(FileNotFoundError):
            Journal(journal).close() if journal.exists() else None
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        for path in (journal, output):
            if path.exists():
                path.rename(path.with_name(f"{path.name}.{stamp}.old"))
        Path(f"{journal}.index").unlink(missing_ok=True)
    return journal


def _mixing(settings: Settings, fingerprint: str) -> dict[str, Any]:
    """The settings whose difference would mix unlike data."""
    return {
        "model": settings.model,
        "stage-model": settings.stage_models,
        "program": fingerprint,
        "seed": settings.seed,
        "temperature": settings.temperature,
    }


def _refuse_mixture(journal: Journal, mixing: dict[str, Any], settings: Settings) -> None:
    earlier = journal.latest("run", "")
    if earlier is None or settings.allow_mixed:
        return
    differences = [
        f"--{name} was {earlier['mixing'].get(name)} and is now {value}"
        for name, value in mixing.items()
        if earlier["mixing"].get(name) != value
    ]
    if differences:
        raise UserError(
            f"{settings.journal} was made otherwise: {'; '.join(differences)}. "
            "Choose another --output, start afresh with --no-resume, or mix on purpose with --allow-mixed"
        )


@contextlib.asynccontextmanager
async def _documents(journal: Journal, settings: Settings, summary: Any) -> AsyncIterator[None]:
    """Writes the document every so often while the run goes on."""

    async def write_often() -> None:
        while True:
            await asyncio.sleep(settings.document_interval)
            state = summary().model_dump(mode="json")
            try:
                await asyncio.to_thread(write_document, journal, settings.output, "running", state)
            except JournalError as error:
                log.warning("%s", error)

    task = asyncio.create_task(write_often())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _interruptible(gate: Gate) -> AsyncIterator[asyncio.Event]:
    """On the first SIGINT or SIGTERM no new call starts and those in flight are finished; a second one stops at once."""
    interrupted = asyncio.Event()
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if interrupted.is_set() and main is not None:
            main.cancel()
            return
        interrupted.set()
        log.warning("stopping: waiting for the calls in flight; interrupt again to stop at once")
        gate.close()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield interrupted
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


def _public(settings: Settings) -> dict[str, Any]:
    """The settings as a record may show them: an address never with the credentials that someone put into it."""
    values = settings.model_dump(mode="json")
    values["api_base"] = read_base_url(settings.api_base).url if settings.api_base else None
    return values


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
