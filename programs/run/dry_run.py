"""`--dry-run`: shows what a run would read, ask and roughly spend, and why it would refuse to start. It reads the input and
the journal of earlier runs, calls no model and writes nothing."""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from programs.asking.models import ModelTable
from programs.errors import UserError
from programs.inputs.chunking import CHARS_PER_TOKEN
from programs.inputs.report import ReadReport
from programs.inputs.sources import find_sources
from programs.run.attempts import TraceSource, open_read_only
from programs.run.budget import PROMPT_OVERHEAD, check_prices
from programs.run.journal import JournalReader
from programs.run.outcomes import Rules
from programs.run.reading import reader_of
from programs.run.resume import refuse_mixture
from programs.run.run import program_of
from programs.run.runner import Intake
from programs.settings import Settings
from programs.traces.line import IMPORTED

NOTES_TOKENS, REPLY_TOKENS = 450, 200
"""Tokens of a prompt without the passage and `PROMPT_OVERHEAD`, and tokens of a reply: the means over the stages of runs on
passages of papers in which a capable writer answered by hand."""


def calls_of(settings: Settings, texts: float) -> dict[str, int]:
    """The number of calls by kind for `texts` texts (also a fraction), if nothing is rejected and nothing fails."""
    questions, variations = settings.traces_per_sample, settings.traces_per_question
    written = texts * questions * variations
    own = written if settings.thought != "written" else 0
    traces = texts * settings.traces_per_text
    solvers = 2 if settings.student_model else 1
    counts = {
        "questions": texts * questions,
        "context and strands": texts * questions * 5,
        "trace and answer": written * 2,
        "own thoughts": own * 2,
        "judges": (written + own) * len(settings.judges),
        "grades": traces,
        "blind solving": solvers * 2 * (settings.blind_solve or 0) * (texts * questions + traces),
        "step checks": traces,
    }
    return {kind: round(counts[kind]) for kind in settings.models_by_kind if counts[kind]}


_FINISHED = (
    f"select count(*) from variation where status = 'accepted' and settled and basis in (?, '{IMPORTED}')"
    f" and sample not in (select '{IMPORTED}' union select key from sample where basis = ? and settled)"
)
"""Counts accepted traces in unfinished texts that need no more calls; those that other rules decided may need some."""


def dry_run(settings: Settings, console: Console) -> None:
    """Prints the plan of a run. Raises `UserError` if an input cannot be read, `StorageError` if the journal cannot."""
    report, rules = ReadReport(), Rules(settings)
    with ExitStack() as held:
        journal, refused = _open_earlier(settings, held)
        index, intake = journal.index, Intake(journal.index, settings, rules)
        intake.start_pass()
        done, accepted = index.done_lines(rules.text_basis), index.counts().get("accepted", 0)
        ((finished,),) = index.query(_FINISHED, rules.basis, rules.text_basis)
    samples = reader_of(settings, done, report).samples(find_sources(settings.input_file))
    characters = sum(len(sample.text) for sample in samples)
    mean = characters / report.samples if report.samples else 0.0
    texts = report.samples if intake.room is None else min(report.samples, intake.room)
    traces = max(0, texts * settings.traces_per_text - finished)
    if intake.remaining is not None:
        traces = min(traces, max(0, intake.remaining))
    done_before = f"{accepted} traces; {report.done} of these texts" if accepted or done else None
    fewer = ", fewer where earlier runs left replies" if done_before else ""
    for line in (*_input_lines(report, mean, done_before), *_plan_lines(settings, traces, mean, fewer)):
        console.print(line)
    if refused:
        console.print(f"would refuse to start: {refused}")


def _open_earlier(settings: Settings, held: ExitStack) -> tuple[JournalReader, str | None]:
    """The journal of earlier runs, or an empty one; and why a run would refuse to start, or None."""
    journal = held.enter_context(open_read_only(Path(os.devnull)))
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-")))
    try:
        if settings.resume and settings.journal.exists():
            journal = held.enter_context(open_read_only(settings.journal))
        if settings.resume and settings.output.exists() and not journal.index.counts():
            journal = held.enter_context(TraceSource(settings.output, is_journal=False).open_journal(folder))
        check_prices(settings, ModelTable.of_run(settings).names)
        refuse_mixture(journal, program_of(settings)[1], settings)
    except (UserError, OSError) as error:
        return journal, str(error)
    return journal, None


def _input_lines(report: ReadReport, mean: float, done_before: str | None) -> Iterator[str]:
    what = "lines and passages" if report.documents else "lines"
    yield f"would read: {report.lines} {what}, {report.samples} texts of {mean:.0f} characters on average"
    if done_before:
        yield f"already done: {done_before}"
    if report.documents:
        yield f"would cut: {report.documents} documents into {report.passages} passages"
    for reason, count in report.skipped.items():
        yield f"would skip: {count} {reason} (first: {report.first_examples[reason]})"
    for reason, count in report.trimmed.items():
        yield f"would leave out: {reason} of {count} texts, {report.trimmed_chars[reason]} characters"


def _plan_lines(settings: Settings, traces: int, mean: float, fewer: str) -> Iterator[str]:
    """What a run would do for these many traces from texts of `mean` characters. `fewer` ends the line about the calls."""
    calls = calls_of(settings, traces / settings.traces_per_text)
    total = sum(calls.values())
    by_model = defaultdict[str, list[str]](list)
    for kind, count in calls.items():
        by_model[", ".join(settings.models_by_kind[kind])].append(f"{count} {kind}")
    shown = "; ".join(f"{model} for {', '.join(kinds)}" for model, kinds in by_model.items())
    prompt = round(total * (mean / CHARS_PER_TOKEN + PROMPT_OVERHEAD + NOTES_TOKENS))
    yield f"would make: {traces} traces"
    if not calls:
        return
    yield f"would call: {total} times ({shown}), more if replies are rejected{fewer}"
    yield f"would spend: roughly {prompt} tokens read and {total * REPLY_TOKENS} written"
    yield f"would write: {settings.output} and {settings.journal}"
