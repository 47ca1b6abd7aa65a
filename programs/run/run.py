"""One run from its settings to its document: what `python -m programs.generate` does."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import dspy

from programs.asking.adapter import adapter_for
from programs.asking.calling import Caller, takes
from programs.asking.models import ModelTable, concurrency_of, few_slots, passage_chars_of
from programs.asking.tries import TryRules
from programs.clock import stamp
from programs.compiled import program_fingerprint
from programs.document import import_document, write_document
from programs.errors import AccessDenied, FatalError, JournalError, UnknownModel
from programs.inputs.reader import step_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import sources
from programs.judges.calibration import biases_of, prompt_of
from programs.lms.addresses import address_of
from programs.load import load_tracer
from programs.records import DocumentMetadata, Status
from programs.run.budget import Budget, check_prices
from programs.run.gate import Gate, interruptible
from programs.run.goal import Goal
from programs.run.journal import Journal
from programs.run.journaled import JournaledCaller
from programs.run.ledger import Gauges, Ledger
from programs.run.pilot import Pilot, choose
from programs.run.reading import Chosen, Extent, Reading
from programs.run.resume import cautions, cleared_for, mixing_of, refuse_mixture
from programs.run.runner import Runner
from programs.run.summary import Summary, summary_of
from programs.selection.screening import Screen, check_benchmarks, prepare, screening
from programs.settings import Settings
from programs.tracer import Tracer
from programs.traces.decision import QualityRules
from programs.traces.extras import extras_of
from programs.versions import git_commit, versions

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


async def run(settings: Settings, ledger: Ledger, report: ReadReport) -> Finished:
    """Makes what the settings ask for. Raises `UserError` before any work begins."""
    extent = Extent(sources(settings.input_file))
    check_benchmarks(settings.decontaminate)
    tracer = load_tracer(settings.program, prompt_order=settings.prompt_order, model=settings.model)
    fingerprint = program_fingerprint(tracer, settings.prompt_order)
    models = ModelTable(settings, told=ledger.trouble.pauses)
    check_prices(settings.max_cost, settings.prices, models.names)
    biases = _biases(settings, tracer)
    try:
        with Journal(cleared_for(settings)) as journal, contextlib.closing(ledger):
            if journal.mended:
                log.warning("%s: a torn last line of %d bytes was cut off", settings.journal, journal.mended)
            mixing = mixing_of(settings, fingerprint)
            refuse_mixture(journal, mixing, settings)
            for caution in cautions(settings, journal.latest("run", ""), models.without_effort):
                log.warning("%s", caution)
            # Until the first run begins, an import may have been interrupted: it is made again.
            if settings.output.exists() and (journal.index.counts() == {} or journal.latest("run", "") is None):
                log.info("%d traces taken over from %s", import_document(journal, settings.output), settings.output)
            with screening(settings, journal) as screen:
                return await _make(settings, tracer, models, biases, journal, screen, mixing, ledger, report, extent)
    finally:
        extent.close()
        await models.close()


async def _make(
    settings: Settings,
    tracer: Tracer,
    models: ModelTable,
    biases: dict[str, float],
    journal: Journal,
    screen: Screen,
    mixing: dict[str, Any],
    ledger: Ledger,
    report: ReadReport,
    extent: Extent,
) -> Finished:
    prepare(screen)
    gate = Gate(settings.concurrency or concurrency_of(models.main), lanes=few_slots(models.main))
    goal = _goal(settings, models, biases, screen)
    facts = {"settings": _public(settings), "mixing": mixing, "versions": versions(), "git_commit": git_commit()}
    facts["question_rules"] = screen.rules
    journal.append("run", None, status="running", started=stamp(), **facts)
    log.info("the run begins", extra={**facts, "kept": journal.index.counts()})
    rules = TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens)
    budget = Budget(settings.max_calls, settings.max_tokens_total, settings.max_cost, settings.prices)
    caller = JournaledCaller(Caller(models.of, rules), journal, gate, ledger, budget, models.reach)
    max_chars = settings.max_passage_chars or passage_chars_of(models.main)
    # A pilot chooses among all texts, those that are done included.
    done = set() if settings.pilot else journal.index.done_lines(goal.sample_basis)

    def samples(counted: bool) -> Iterator[Sample | None]:
        return step_samples(
            settings.input_file,
            max_chars=max_chars,
            report=report if counted else ReadReport(),
            done=done,
            shard=settings.part,
            prefilter=settings.prefilter,
            cutting=settings.cutting,
            text_field=settings.text_column,
        )

    provenance = {"program": mixing["program"], "seed": settings.seed}
    pilot: Pilot | None = None
    reading: Reading | Chosen
    if settings.pilot is None:
        reading = Reading(samples, report, extent.start(), len(done))
    else:
        pilot = await choose(samples(True), settings.pilot, journal, goal.sample_basis, ledger)
        reading = Chosen(pilot.to_make)
    runner = Runner(
        tracer, caller, journal, gate, goal, ledger, screen, reading.samples, settings.timeout, **provenance
    )

    def summary(status: Status) -> Summary:
        return summary_of(status, ledger, report, journal.index, settings)

    status: Status = "completed"
    error: str | None = None
    mistake = False
    document: DocumentMetadata | None = None
    adapter = adapter_for(settings.prompt_order)
    with dspy.context(adapter=adapter, disable_history=True, trace=None):
        async with (
            _documents(journal, settings, lambda: summary("running")),
            interruptible(gate) as interrupted,
        ):
            ledger.gauges = Gauges(
                capacity=lambda: gate.capacity,
                to_begin=reading.to_begin,
                cost=lambda: budget.cost if settings.prices else None,
                stopping=lambda: _stopping(interrupted, budget, gate),
            )
            try:
                await runner.run()
                screen.close()
            except (FatalError, JournalError) as failure:
                status, error = "failed", str(failure)
                mistake = isinstance(failure, AccessDenied | UnknownModel)
    if interrupted.is_set() and error is None:
        status = "interrupted"
    elif budget.reached is not None and error is None:
        status = "budget"
    ledger.cost, ledger.budget_reached = budget.cost, budget.reached
    final = summary(status)
    if pilot is not None:
        final.pilot = pilot.foretold(report.samples, settings, gate.capacity)
    with contextlib.suppress(JournalError) if error else contextlib.nullcontext():
        journal.append("run", None, status=status, ended=stamp(), summary=final.model_dump(mode="json"), **facts)
        document = write_document(journal, settings.output, status, final.model_dump(mode="json"))
    spent = final.this_run.model_dump(mode="json")
    log.info("the run ends: %s", error or status, extra={"status": status, "traces": final.traces, "spent": spent})
    return Finished(status, final, error, mistake, document)


def _stopping(interrupted: asyncio.Event, budget: Budget, gate: Gate) -> str | None:
    """Why no new call starts; None: they do."""
    if not gate.closed:
        return None
    return "interrupted" if interrupted.is_set() else "the budget is spent" if budget.reached else "an error"


def _biases(settings: Settings, tracer: Tracer) -> dict[str, float]:
    """By how much each judge is known to rate too high; empty where that is not to count."""
    path = settings.judge_calibration
    return {} if path is None else biases_of(path, settings.judges, prompt_of(tracer.judge, settings.prompt_order))


def _goal(settings: Settings, models: ModelTable, biases: dict[str, float], screen: Screen) -> Goal:
    input_rules = [screen.rules, "prefiltered" if settings.prefilter else ""]
    return Goal(
        traces=settings.traces_per_sample,
        variations=settings.traces_per_question,
        max_traces=settings.max_traces,
        max_samples=settings.max_samples,
        input_rules="; ".join(filter(None, input_rules)),
        seed=settings.seed,
        setting=settings.setting,
        temperature=settings.temperature,
        takes_sampling=takes(models.main, "temperature"),
        quality=QualityRules(
            check=settings.quality_check,
            threshold=settings.min_quality_score,
            judges=settings.judges if settings.quality_check else (),
            max_attempts=settings.max_attempts,
            biases=biases,
        ),
        grader=settings.grader,
        extras=extras_of(settings),
    )


@contextlib.asynccontextmanager
async def _documents(journal: Journal, settings: Settings, summary: Any) -> AsyncIterator[None]:
    """Writes the document every so often while the run goes on."""

    done = asyncio.Event()

    async def write_often() -> None:
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(done.wait(), settings.document_interval)
                return
            state = summary().model_dump(mode="json")
            try:
                await asyncio.to_thread(write_document, journal, settings.output, "running", state)
            except JournalError as error:
                log.warning("%s", error)

    task = asyncio.create_task(write_often())
    try:
        yield
    finally:
        # One that is being written must not take the place of the last one.
        done.set()
        await task


def _public(settings: Settings) -> dict[str, Any]:
    """The settings as a record may show them: an address never with the credentials that someone put into it."""
    values = settings.model_dump(mode="json")
    values["api_base"] = [address_of(text).public for text in settings.api_base]
    return values


OBJECTS_A_COLLECTION = 20_000
"""New objects, less those that went, after which it looks; by itself, after 700 or 2,000."""


def collect_seldom() -> None:
    """Leaves alone for good what exists by now, which is what was imported, and looks at the rest more seldom: calls leave
    few cycles behind, and looking for them takes a tenth of the CPU time."""
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
