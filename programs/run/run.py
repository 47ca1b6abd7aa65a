"""One run from its settings to its document: what `python -m programs.generate` does."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import Caller, TryRules
from programs.asking.models import ModelTable, passage_chars_of
from programs.compiled import program_fingerprint
from programs.document import write_document
from programs.errors import AccessDenied, FatalError, StorageError, UnknownModel
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.inputs.sources import Source, sources
from programs.lms.addresses import address_of
from programs.run.budget import check_prices
from programs.run.gate import Gate, interruptible
from programs.run.intake import Intake
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Ledger
from programs.run.outcomes import JournalStore
from programs.run.reading import Reading
from programs.run.resume import cleared_for, mixing_of, take_up
from programs.run.rules import Rules
from programs.run.runner import Runner
from programs.run.summary import Summary, summary_of
from programs.schema import DocumentMetadata, Status
from programs.settings import Settings
from programs.tracer import Tracer, load_tracer
from programs.versions import git_commit, stamp, versions

log = logging.getLogger("synthreasoner")


@dataclass
class Finished:
    """How a run ended: `error` is the one line that says why it stopped early, `mistake` whether the user must mend
    something before it can go on, `document` what the document says of itself."""

    status: Status
    summary: Summary
    error: str | None = None
    mistake: bool = False
    document: DocumentMetadata | None = None


def program_of(settings: Settings) -> tuple[Tracer, dict[str, Any]]:
    """The program of a run, and what keeps its data apart from other data (`programs.run.resume.mixing_of`).
    Raises `UserError`."""
    tracer = load_tracer(
        settings.program, model=settings.model, question_types=settings.types, guidance=settings.guidance
    )
    return tracer, mixing_of(settings, program_fingerprint(tracer))


async def run(settings: Settings, ledger: Ledger, report: ReadReport) -> Finished:
    """Makes what the settings ask for. Raises `UserError` before any work begins."""
    inputs = sources(settings.input_file)
    tracer, mixing = program_of(settings)
    models = ModelTable.of_run(settings, on_retry=ledger.trouble.will_retry)
    check_prices(settings, models.names)
    rules, gate = Rules(settings), ledger.gate
    try:
        with Journal(cleared_for(settings)) as journal:
            take_up(journal, settings, mixing, models.without_effort)
            facts = _facts(settings, mixing, rules)
            journal.append("run", None, status="running", started=stamp(), **facts)
            log.info("the run begins", extra={**facts, "kept": journal.index.counts()})
            asking = Caller(models.of, TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens))
            caller = JournaledCaller(asking, journal, ledger, models.reach)
            store = JournalStore(journal, rules, ledger, {"program": mixing["program"], "seed": settings.seed})
            reading = _reading(settings, inputs, report, journal.index.done_lines(rules.text_basis))
            intake = Intake(journal.index, settings, rules, ledger)
            ledger.begin(reading, journal.index, settings.max_traces, lambda: intake.room)
            runner = Runner(tracer, settings, caller, gate, store, intake, reading)
            loop = asyncio.get_running_loop()
            gate.when_closed = lambda: loop.call_later(models.longest_call, runner.abandon)
            failure = await _made(runner, journal, settings, gate)
            status: Status = "interrupted" if gate.interrupted else "budget" if ledger.budget.reached else "completed"
            summary = summary_of("failed" if failure else status, ledger, report, journal.index, settings)
            return _finished(summary, journal, settings, failure, facts)
    finally:
        await models.close()


def _facts(settings: Settings, mixing: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """What the journal says of a run at its beginning and at its end."""
    values = settings.model_dump(mode="json")
    # An address never with the credentials that someone put into it.
    values["api_base"] = [address_of(text).public for text in settings.api_base]
    return {
        "settings": values,
        "mixing": mixing,
        "versions": versions(),
        "git_commit": git_commit(),
        "rules": rules.text,
        "basis": rules.basis,
    }


def _reading(settings: Settings, inputs: Sequence[Source], report: ReadReport, done: set[str]) -> Reading:
    max_chars = settings.max_passage_chars or passage_chars_of(settings.model)

    def reader(report: ReadReport) -> SampleReader:
        return SampleReader(max_chars=max_chars, report=report, done=done, **settings.reading)

    return Reading(reader, report, inputs, len(done))


async def _made(runner: Runner, journal: Journal, settings: Settings, gate: Gate) -> FatalError | StorageError | None:
    """Runs to the end, with the document written now and then. Gives what ended it too early."""
    with dspy.context(adapter=PassageFirstAdapter(), disable_history=True, trace=None):
        async with _documents(journal, settings), interruptible(gate):
            try:
                await runner.run()
            except (FatalError, StorageError) as error:
                return error
    return None


@contextlib.asynccontextmanager
async def _documents(journal: Journal, settings: Settings) -> AsyncIterator[None]:
    """Writes the document every so often while the run goes on, without a summary."""
    ended = asyncio.Event()

    def write() -> None:
        try:
            journal.flush()
            write_document(journal, settings.output, "running")
        except StorageError as error:
            log.warning("%s", error)

    async def write_often() -> None:
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), settings.document_interval)
                return
            await asyncio.to_thread(write)

    task = asyncio.create_task(write_often())
    try:
        yield
    finally:
        # One that is being written must not take the place of the last one.
        ended.set()
        await task


def _finished(
    summary: Summary,
    journal: Journal,
    settings: Settings,
    failure: FatalError | StorageError | None,
    facts: dict[str, Any],
) -> Finished:
    """Writes the end of the run into the journal, and the document."""
    mistake = isinstance(failure, AccessDenied | UnknownModel)
    finished = Finished(summary.status, summary, str(failure) if failure else None, mistake)
    said = summary.model_dump(mode="json")
    with contextlib.suppress(StorageError) if failure else contextlib.nullcontext():
        journal.append("run", None, status=summary.status, ended=stamp(), summary=said, **facts)
        finished.document = write_document(journal, settings.output, summary.status, said)
    outcome = {"status": summary.status, "traces": summary.traces, "spent": said["this_run"]}
    log.info("the run ends: %s", failure or summary.status, extra=outcome)
    return finished


OBJECTS_A_COLLECTION = 20_000
"""New objects, less those that went, after which it looks; by itself, after 700 or 2,000."""


def relax_gc() -> None:
    """Leaves alone for good what exists by now, which is what was imported, and looks at the rest more seldom: calls leave
    few cycles behind, and looking for them takes a tenth of the CPU time."""
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
