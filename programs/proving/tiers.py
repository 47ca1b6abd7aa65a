"""All tiers of a proof, one after the other, and where their results go."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from programs.errors import UserError
from programs.exports.exporter import Origin
from programs.files import move_aside
from programs.inputs.papers import source_key
from programs.proving.distributions import distributions
from programs.proving.examples import VIEW, Choice, Example, Reservoir, example_of, outside_choices
from programs.proving.lift import Lift, lift
from programs.proving.options import ProveOptions
from programs.proving.results import Results
from programs.proving.student import NEEDED, StudentModel, usable
from programs.proving.training import THINKING, plan_training, run_arms
from programs.proving.verdict import training_result
from programs.records import Record
from programs.run.journal import Journal
from programs.versions import NAME, stamp, version_of, versions

Say = Callable[[str], None]
ARMS = "arms.jsonl"


def prove(options: ProveOptions, say: Say) -> Results:
    """Runs the tiers and writes the folder anew after each; `say` gets lines of progress. Raises `UserError`."""
    outside = outside_choices(options.outside) if options.outside else []
    results = Results(
        document=options.document.name,
        made=stamp(),
        program=f"{NAME} {version_of() or '(a checkout)'}",
        versions={**versions(), **{name: found for name in NEEDED if (found := version_of(name))}},
        seed=options.seed,
        options=options.model_dump(mode="json", exclude={"document", "output", "against", "outside", "student"}),
        student=None if options.tier == "0" else Path(options.student).name,
        distributions=distributions(_traces(options.document), options.against, options.seed),
    )
    try:
        if not options.resume:
            move_aside(options.folder)
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output: cannot write {options.folder}: {error.strerror or error}") from None
    if options.tier == "0":
        results.write(options.folder)
        return results
    examples, student = _begun(options, say)
    if options.tier == "1":
        results.lift = lift(student, examples, options.seed, say)
    else:
        plan = plan_training(student, examples, outside, options)
        with Journal(options.folder / ARMS) as journal:
            _begin(journal, options, examples, outside)
            line = journal.latest("lift", "")
            results.lift = Lift.model_validate(line["result"]) if line else lift(student, examples, options.seed, say)
            if not line:
                journal.append("lift", None, result=results.lift.model_dump(mode="json"))
            results.write(options.folder)
            done = run_arms(student, plan, options, journal, say)
        results.training = training_result(plan, done, options.seed)
    results.write(options.folder)
    return results


def estimate(options: ProveOptions, say: Say) -> Iterator[str]:
    """What the tiers would do, and about how long that takes here, by a few passes of the student."""
    yield f"tier 0: {sum(1 for _ in _traces(options.document))} traces are read"
    if options.tier == "0":
        return
    examples, student = _begun(options, say)
    fit = usable(student, examples)
    middle = sorted(fit, key=lambda one: len(one.thought))[len(fit) // 2]
    read, learned = student.row(middle, middle.thought)
    # The first pass is slower than those that follow.
    student.loss(read, learned)
    began = time.monotonic()
    student.loss(read, learned)
    once, began = time.monotonic() - began, time.monotonic()
    made = sum(map(len, student.think([middle.prompt] * options.rows_at_once, 16, options.rows_at_once)))
    token = (time.monotonic() - began) / max(1, made)
    yield f"tier 1: 3 passes for each of {len(fit)} traces, {_minutes(3 * once * len(fit))}"
    if options.tier == "2":
        outside = outside_choices(options.outside) if options.outside else []
        plan = plan_training(student, examples, outside, options)
        questions = len(plan.held) + len(plan.choices)
        training = 3 * once * plan.tokens / (len(read) + len(learned)) * (len(plan.arms) - 1)
        thinking = token * options.think_tokens * sum(arm.name in THINKING for arm in plan.arms)
        whole = training + questions * (3 * once * len(plan.arms) + thinking)
        yield f"tier 2: {len(plan.arms)} arms of {plan.tokens} tokens, {questions} questions, at most {_minutes(whole)}"


def _minutes(seconds: float) -> str:
    return f"about {seconds / 3600:.1f} hours" if seconds > 5400 else f"about {max(1, round(seconds / 60))} minutes"


def _traces(document: Path) -> Iterator[tuple[Record, str]]:
    """The accepted traces, each with its paper."""
    with Origin.opened(document, attempts=False) as origin:
        for trace in origin.traces(attempts=False):
            yield trace.record, source_key(trace.record.source_paper)


def _begun(options: ProveOptions, say: Say) -> tuple[list[Example], StudentModel]:
    """The traces that a student can be shown, as many as `--max-traces` takes, and the student. Raises `UserError`."""
    sample = Reservoir[Record](options.max_traces, options.seed)
    for record, _ in _traces(options.document):
        if not VIEW.lacks(record):
            sample.add(record)
    found = [example_of(record) for record in sample.things]
    if not found:
        raise UserError(
            f"{options.document} holds no trace with a thought, an answer, and the passage where it is needed"
        )
    say(f"loading {options.student}")
    return found, StudentModel(options.student, options.max_length)


def _begin(journal: Journal, options: ProveOptions, examples: list[Example], outside: list[Choice]) -> None:
    """Writes down what the results of arms depend on; more seeds and rates only add arms. Raises `UserError` where the
    journal holds arms of other settings, naming them."""
    digest = hashlib.blake2b(repr((examples, outside)).encode(), digest_size=8).hexdigest()
    names = {"student", "max_length", "think_tokens", "epochs", "held_out", "max_tokens", "max_traces", "seed"}
    ours = {"traces": digest, **options.model_dump(include=names)}
    began = journal.latest("run", "")
    if began is None:
        journal.append("run", None, settings=ours)
    elif unlike := sorted(name for name, value in ours.items() if began["settings"].get(name) != value):
        raise UserError(
            f"{journal.path} holds arms of another {', '.join(unlike)}: name another --output, or begin anew (--no-resume)"
        )
