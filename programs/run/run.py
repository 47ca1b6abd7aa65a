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
from programs.asking.models import ModelTable, concurrency_of, few_slots, passage_chars_of
from programs.compiled import program_fingerprint
from programs.document import write_document
from programs.document_metadata import DocumentMetadata, Status
from programs.errors import AccessDenied, FatalError, JournalError, UnknownModel
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.inputs.sources import Source, sources
from programs.lms.addresses import address_of
from programs.run.budget import Budget, check_prices
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
        settings.program,
        model=settings.model,
        question_types=settings.types,
        guidance=settings.guidance,
    )
    return tracer, mixing_of(settings, program_fingerprint(tracer))


async def run(settings: Settings, ledger: Ledger, report: ReadReport) -> Finished:
    """Makes what the settings ask for. Raises `UserError` before any work begins."""
    inputs = sources(settings.input_file)
    tracer, mixing = program_of(settings)
    models = ModelTable(settings, told=ledger.trouble.will_retry)
    check_prices(settings, models.names)
    try:
        with Journal(cleared_for(settings)) as journal:
            take_up(journal, settings, mixing, models.without_effort)
            return await _Work(settings, ledger, report, tracer, models, inputs, journal, mixing).done()
    finally:
        await models.close()


@dataclass
class _Work:
    """What a run stands on once it may begin."""

    settings: Settings
    ledger: Ledger
    report: ReadReport
    tracer: Tracer
    models: ModelTable
    inputs: Sequence[Source]
    journal: Journal
    mixing: dict[str, Any]

    def __post_init__(self) -> None:
        self.rules = Rules(self.settings)

    async def done(self) -> Finished:
        settings, journal, ledger = self.settings, self.journal, self.ledger
        facts = self._facts()
        journal.append("run", None, status="running", started=stamp(), **facts)
        log.info("the run begins", extra={**facts, "kept": journal.index.counts()})
        capacity = settings.concurrency or concurrency_of(settings.model)
        gate = ledger.gate = Gate(capacity, texts=max(1, capacity // 2) if few_slots(settings.model) else None)
        budget = ledger.budget = Budget(settings, settings.max_output_tokens)
        asking = Caller(self.models.of, TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens))
        caller = JournaledCaller(asking, journal, gate, ledger, self.models.reach)
        provenance = {"program": self.mixing["program"], "seed": settings.seed}
        store = JournalStore(journal, self.rules, ledger, provenance)
        reading = ledger.reading = self._reading()
        intake = Intake(journal.index, settings, self.rules, ledger)
        runner = Runner(self.tracer, settings, caller, gate, store, intake, reading)
        loop, longest = asyncio.get_running_loop(), self.models.longest_call
        gate.when_closed = lambda: loop.call_later(longest, runner.abandon)
        failure: FatalError | JournalError | None = None
        with dspy.context(adapter=PassageFirstAdapter(), disable_history=True, trace=None):
            async with self._documents(), interruptible(gate):
                try:
                    await runner.run()
                except (FatalError, JournalError) as error:
                    failure = error
        stopped: Status = "interrupted" if gate.interrupted else "budget" if budget.reached else "completed"
        return self._finished("failed" if failure else stopped, failure, facts)

    def _facts(self) -> dict[str, Any]:
        """What the journal says of a run at its beginning and at its end."""
        values = self.settings.model_dump(mode="json")
        # An address never with the credentials that someone put into it.
        values["api_base"] = [address_of(text).public for text in self.settings.api_base]
        return {
            "settings": values,
            "mixing": self.mixing,
            "versions": versions(),
            "git_commit": git_commit(),
            "rules": self.rules.text,
            "basis": self.rules.basis,
        }

    def _reading(self) -> Reading:
        settings = self.settings
        done = self.journal.index.done_lines(self.rules.text_basis)
        max_chars = settings.max_passage_chars or passage_chars_of(settings.model)

        def reader(report: ReadReport) -> SampleReader:
            return SampleReader(max_chars=max_chars, report=report, done=done, **settings.reading)

        return Reading(reader, self.report, self.inputs, len(done))

    def _finished(self, status: Status, failure: FatalError | JournalError | None, facts: dict[str, Any]) -> Finished:
        """Writes the end of the run into the journal, and the document."""
        settings, journal = self.settings, self.journal
        final = summary_of(status, self.ledger, self.report, journal.index, settings)
        mistake = isinstance(failure, AccessDenied | UnknownModel)
        finished = Finished(status, final, str(failure) if failure else None, mistake)
        said = final.model_dump(mode="json")
        with contextlib.suppress(JournalError) if failure else contextlib.nullcontext():
            journal.append("run", None, status=status, ended=stamp(), summary=said, **facts)
            finished.document = write_document(journal, settings.output, status, said)
        spent = said["this_run"]
        log.info(
            "the run ends: %s", failure or status, extra={"status": status, "traces": final.traces, "spent": spent}
        )
        return finished

    def _write_interim(self) -> None:
        """The document of a run that goes on, without a summary."""
        try:
            self.journal.flush()
            write_document(self.journal, self.settings.output, "running")
        except JournalError as error:
            log.warning("%s", error)

    @contextlib.asynccontextmanager
    async def _documents(self) -> AsyncIterator[None]:
        """Writes the document every so often while the run goes on."""
        ended = asyncio.Event()

        async def write_often() -> None:
            while True:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(ended.wait(), self.settings.document_interval)
                    return
                await asyncio.to_thread(self._write_interim)

        task = asyncio.create_task(write_often())
        try:
            yield
        finally:
            # One that is being written must not take the place of the last one.
            ended.set()
            await task


OBJECTS_A_COLLECTION = 20_000
"""New objects, less those that went, after which it looks; by itself, after 700 or 2,000."""


def collect_seldom() -> None:
    """Leaves alone for good what exists by now, which is what was imported, and looks at the rest more seldom: calls leave
    few cycles behind, and looking for them takes a tenth of the CPU time."""
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
