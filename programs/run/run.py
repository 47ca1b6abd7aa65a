"""One run from its settings to its document: what `python -m programs.generate` does."""

import asyncio
import contextlib
import gc
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import dspy

from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.caller import Caller, ReaskRules
from programs.asking.models import ModelTable, concurrency_of, is_embedded
from programs.asking.reply import Reply
from programs.compiled import program_fingerprint
from programs.errors import FatalError, StorageError, SynthReasonerError, UserError
from programs.inputs.report import ReadReport
from programs.inputs.sources import Source, find_sources
from programs.lms.addresses import address_of
from programs.run.budget import Budget, check_prices
from programs.run.document import write_document
from programs.run.gate import Gate, interruptible
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Ledger, Retries
from programs.run.outcomes import JournalStore, Rules
from programs.run.reading import Reading, reader_of
from programs.run.resume import mixing_of, prepare_journal, prepare_journal_path
from programs.run.runner import Intake, Runner
from programs.run.summary import Summary, summary_of
from programs.schema import DocumentMetadata, Status
from programs.settings import Settings
from programs.tracer import Tracer, load_tracer
from programs.versions import git_commit, utc_now, versions

log = logging.getLogger("synthreasoner")


@dataclass
class Finished:
    """How a run ended. `failure`: why it stopped early; `document`: the document's metadata, None if it was not written."""

    summary: Summary
    failure: SynthReasonerError | None = None
    document: DocumentMetadata | None = None

    @property
    def status(self) -> Status:
        return self.summary.status


def program_of(settings: Settings) -> tuple[Tracer, dict[str, Any]]:
    """The program of a run, and the settings that its data must share (`mixing_of`). Raises `UserError`."""
    tracer = load_tracer(
        settings.program, model=settings.model, question_types=settings.types, guidance=settings.guidance
    )
    return tracer, mixing_of(settings, program_fingerprint(tracer))


async def run(
    settings: Settings,
    watch: Callable[[Ledger], AbstractAsyncContextManager[None]] = lambda _ledger: contextlib.nullcontext(),
    on_reply: Callable[[Ask, Reply], None] = lambda _ask, _reply: None,
) -> Finished:
    """Makes the traces asked for. The context that `watch` returns is held while the work runs; `on_reply` is called with
    each reply. Errors of the work are in `Finished.failure`; a `UserError` before there is work to keep is raised, as is a
    `StorageError` if the journal cannot be opened."""
    sources = find_sources(settings.input_file)
    tracer, mixing = program_of(settings)
    rules, retries = Rules(settings), Retries()
    models = ModelTable.of_run(settings, on_retry=retries.record)
    check_prices(settings, models.names)
    try:
        with Journal(prepare_journal_path(settings)) as journal:
            prepare_journal(journal, settings, mixing, models.without_effort)
            facts = _run_line_fields(settings, mixing, rules)
            journal.append("run", None, status="running", started=utc_now(), **facts)
            log.info("run started", extra={**facts, "kept": journal.index.counts()})
            intake = Intake(journal.index, settings, rules)
            ledger = _open_ledger(settings, journal, rules, sources, intake, retries, on_reply)
            model_caller = Caller(models.of, ReaskRules(seed=settings.seed, max_tokens=settings.max_output_tokens))
            caller = JournaledCaller(model_caller, journal, ledger, models.check_servers)
            store = JournalStore(journal, rules, ledger, {"program": mixing["program"], "seed": settings.seed})
            runner = Runner(tracer, settings, caller, store, intake)
            loop = asyncio.get_running_loop()
            ledger.gate.on_close = lambda: loop.call_later(models.longest_call, runner.abandon)
            failure = await _work(runner, journal, settings, watch(ledger))
            return _finish(journal, settings, ledger, failure, facts)
    finally:
        await models.close()


def _open_ledger(
    settings: Settings,
    journal: Journal,
    rules: Rules,
    sources: Sequence[Source],
    intake: Intake,
    retries: Retries,
    on_reply: Callable[[Ask, Reply], None],
) -> Ledger:
    """The ledger of a run that starts with this journal, with its gate and budget. Starts to read the input."""
    index, capacity = journal.index, settings.concurrency or concurrency_of(settings.model)
    done = index.done_lines(rules.text_basis)
    return Ledger(
        Gate(capacity, max(1, capacity // 2) if is_embedded(settings.model) else None),
        Budget(settings, settings.max_output_tokens),
        Reading(partial(reader_of, settings, done), ReadReport(), sources, len(done)),
        retries,
        since=index.end,
        traces=Counter(index.counts()),
        goal=settings.max_traces,
        room=lambda: intake.room,
        on_reply=on_reply,
    )


async def _work(
    runner: Runner, journal: Journal, settings: Settings, watching: AbstractAsyncContextManager[None]
) -> SynthReasonerError | None:
    """Makes the traces. Returns the error that stopped the run early, and raises a `UserError` before any work."""
    with dspy.context(adapter=PassageFirstAdapter(), disable_history=True, trace=None):
        async with watching, interruptible(runner.gate):
            try:
                with _writing_documents(journal, settings):
                    await runner.run()
            except (FatalError, StorageError, UserError) as error:
                if isinstance(error, UserError) and not journal.index.holds_work():
                    raise
                return error
    return None


def _run_line_fields(settings: Settings, mixing: dict[str, Any], rules: Rules) -> dict[str, Any]:
    values = settings.model_dump(mode="json")
    # Addresses without the credentials that they may contain.
    values["api_base"] = [address_of(text).public for text in settings.api_base]
    return {
        "settings": values,
        "mixing": mixing,
        "versions": versions(),
        "git_commit": git_commit(),
        "rules": rules.text,
        "basis": rules.basis,
    }


@contextlib.contextmanager
def _writing_documents(journal: Journal, settings: Settings) -> Iterator[None]:
    """Writes the document every `document_interval` seconds while the block runs, without a summary."""
    ended = threading.Event()

    def write_often() -> None:
        while not ended.wait(settings.document_interval):
            try:
                journal.flush()
                write_document(journal, settings.output, "running")
            except StorageError as error:
                log.warning("%s", error)

    thread = threading.Thread(target=write_often, name="document", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # A write that has started must not replace the final document.
        ended.set()
        thread.join()


def _finish(
    journal: Journal,
    settings: Settings,
    ledger: Ledger,
    failure: SynthReasonerError | None,
    facts: dict[str, Any],
) -> Finished:
    """Writes the run's last line to the journal, and the document."""
    status: Status = "budget" if ledger.budget.reached else "completed"
    if failure:
        status = "failed"
    elif ledger.gate.interrupted:
        status = "interrupted"
    finished = Finished(summary_of(status, ledger, journal.index, settings), failure)
    summary = finished.summary.model_dump(mode="json")
    with contextlib.suppress(StorageError) if failure else contextlib.nullcontext():
        journal.append("run", None, status=status, ended=utc_now(), summary=summary, **facts)
        finished.document = write_document(journal, settings.output, status, summary)
    outcome = {"status": status, "traces": summary["traces"], "spent": summary["this_run"]}
    log.info("run ended: %s", failure or status, extra=outcome)
    return finished


def relax_gc() -> None:
    """Makes the garbage collector ignore all present objects, which come from imports, and run only after 20,000 new ones:
    calls leave few cycles behind, and looking for them takes a tenth of the CPU time."""
    gc.freeze()
    gc.set_threshold(20_000)
