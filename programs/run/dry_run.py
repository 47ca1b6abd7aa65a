"""`--dry-run`: what a run would read, ask and roughly spend, and what it would refuse. Reads the input and the
journal of earlier runs, calls nothing, writes nothing."""

from collections import defaultdict
from typing import NamedTuple

from rich.console import Console

from programs.asking.models import ModelTable, passage_chars_of
from programs.errors import StorageError, UserError
from programs.inputs.cutting import CHARS_PER_TOKEN
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.run.budget import PROMPT_OVERHEAD, check_prices
from programs.run.resume import refuse_mixture
from programs.run.rules import Rules
from programs.run.run import program_of
from programs.run.trace_source import viewed
from programs.settings import Settings

NOTES_TOKENS, REPLY_TOKENS = 450, 200
"""Tokens of a prompt beside the passage and what every prompt has, and of a reply: the means over the stages of runs that a
capable writer answered by hand, on passages of papers."""


def calls_of(settings: Settings, texts: float) -> dict[str, int]:
    """Calls by kind for so many texts, or parts of them, when nothing is rejected and nothing fails: 8q + 2q(v-1) a text,
    and for a model's own thoughts 2 more a variation."""
    questions, variations = settings.traces_per_sample, settings.traces_per_question
    written = texts * questions * variations
    own = written if settings.thought != "written" else 0
    traces = texts * settings.traces_a_text
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
    return {kind: round(counts[kind]) for kind in settings.asked if counts[kind]}


class Earlier(NamedTuple):
    """What earlier runs left in the journal: the lines of the texts that are done, how many texts were begun, how many of
    these are not done, the traces, and how many of those that stand are of texts that are not done."""

    done: frozenset[str] = frozenset()
    begun: int = 0
    unfinished: int = 0
    traces: int = 0
    standing: int = 0


# Where other rules are to decide, calls are made for those that are there too.
_STANDING = (
    "select count(*) from variation where status = 'accepted' and settled and basis = ?"
    " and sample not in (select key from sample where basis = ? and settled)"
)


def earlier_of(settings: Settings) -> Earlier:
    """What is there to go on with. Raises `UserError` for whatever a run would refuse before it begins."""
    check_prices(settings, ModelTable.of_run(settings).names)
    _, mixing = program_of(settings)
    if not (settings.resume and settings.journal.is_file()):
        return Earlier()
    with viewed(settings.journal) as journal:
        refuse_mixture(journal, mixing, settings)
        index, rules = journal.index, Rules(settings)
        done, traces = frozenset(index.done_lines(rules.text_basis)), index.counts().get("accepted", 0)
        ((standing,),) = index.query(_STANDING, rules.basis, rules.text_basis)
        return Earlier(done, index.begun(), index.unfinished(rules.text_basis), traces, standing)


def to_make(settings: Settings, texts: int, earlier: Earlier) -> int:
    """How many traces a run makes of so many texts when each gives all its traces, those included that were begun."""
    if settings.max_samples is not None:
        texts = min(texts, max(0, settings.max_samples - earlier.begun) + earlier.unfinished)
    traces = max(0, texts * settings.traces_a_text - earlier.standing)
    if settings.max_traces is not None:
        traces = min(traces, max(0, settings.max_traces - earlier.traces))
    return traces


def dry_run(settings: Settings, console: Console) -> None:
    """Prints the plan of a run."""
    report, characters, earlier, refused = ReadReport(), 0, Earlier(), ""
    try:
        earlier = earlier_of(settings)
    except (UserError, StorageError) as error:
        refused = str(error)
    most = settings.max_passage_chars or passage_chars_of(settings.model)
    how = {"max_chars": most, "done": earlier.done, **settings.reading}
    for sample in read_samples(settings.input_file, report=report, **how):
        characters += len(sample.text)
    traces = to_make(settings, report.samples, earlier)
    calls = calls_of(settings, traces / settings.traces_a_text)
    total, mean = sum(calls.values()), characters / report.samples if report.samples else 0.0
    what = "lines and passages" if report.documents else "lines"
    said = [f"would read: {report.lines} {what}, {report.samples} texts of {mean:.0f} characters on average"]
    if earlier.traces or earlier.done:
        said.append(f"is there already: {earlier.traces} traces; {report.done} of these texts are done")
    if report.documents:
        said.append(f"would cut: {report.documents} documents into {report.passages} passages")
    for reason, count in report.skipped.items():
        said.append(f"would skip: {count} {reason} (first: {report.first_examples[reason]})")
    for reason, count in report.trimmed.items():
        said.append(f"would leave out: {reason} of {count} texts, {report.trimmed_chars[reason]} characters")
    asked = defaultdict[str, list[str]](list)
    for kind, count in calls.items():
        asked[", ".join(settings.asked[kind])].append(f"{count} {kind}")
    shown = "; ".join(f"{model} for {', '.join(kinds)}" for model, kinds in asked.items())
    prompt = round(total * (mean / CHARS_PER_TOKEN + PROMPT_OVERHEAD + NOTES_TOKENS))
    said += [
        f"would make: {traces} traces",
        f"would call: {total} times ({shown}), more where replies are rejected",
        f"would spend: roughly {prompt} tokens read and {total * REPLY_TOKENS} written",
        f"would write: {settings.output} and {settings.journal}",
    ]
    if refused:
        said.append(f"would refuse to begin: {refused}")
    for line in said:
        console.print(line, highlight=False)
