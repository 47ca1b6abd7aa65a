"""All tiers of a proof, one after the other, and where their results go."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from programs.errors import UserError
from programs.exports.exporter import Origin
from programs.exports.view import needs_passage, source_name
from programs.files import in_place, move_aside
from programs.proving.arm_journal import ArmJournal
from programs.proving.distributions import distributions
from programs.proving.examples import Choice, Example, example_of, outside_choices, sampled
from programs.proving.lift import lift
from programs.proving.options import ProveOptions
from programs.proving.page import PICTURE, page, picture
from programs.proving.results import Results
from programs.proving.student import NEEDED, StudentModel, usable
from programs.proving.training import THINKING, ArmResult, Course, run_arms
from programs.proving.verdict import training_result
from programs.records import Record
from programs.versions import NAME, own_version, stamp, version_of, versions

Say = Callable[[str], None]


def prove(options: ProveOptions, say: Say) -> Results:
    """Runs the tiers and writes the folder anew after each; `say` is given a line of progress at a time. Raises
    `UserError`."""
    outside = [] if options.outside is None else outside_choices(options.outside)
    results = Results(
        document=options.document.name,
        made=stamp(),
        program=f"{NAME} {own_version() or '(a checkout)'}",
        versions={**versions(), **{name: found for name in NEEDED if (found := version_of(name))}},
        seed=options.seed,
        options=options.model_dump(mode="json", exclude={"document", "output", "against", "outside", "student"}),
        student=None if options.tier == "0" else Path(options.student).name,
        distributions=distributions(_papers(options.document), options.against, options.seed),
    )
    _prepare(options)
    _write(options.folder, results)
    if options.tier == "0":
        return results
    examples, student = _examples(options), _loaded(options, say)
    results.lift = lift(student, examples, options.seed, _teller("tier 1: trace", say))
    _write(options.folder, results)
    if options.tier == "2":
        _train(options, student, examples, outside, results, say)
        _write(options.folder, results)
    return results


def _train(
    options: ProveOptions,
    student: StudentModel,
    examples: list[Example],
    outside: list[Choice],
    results: Results,
    say: Say,
) -> None:
    course = Course.of(student, examples, outside, options)
    journal = ArmJournal(options.folder, _settings(options, examples, outside))
    began, before = time.monotonic(), len(journal.done)
    if before:
        say(f"{before} arms are done already")

    def told(found: ArmResult, place: int, of: int) -> None:
        journal.add(found)
        left = (time.monotonic() - began) / max(1, len(journal.done) - before) * (of - place)
        say(f"tier 2: arm {place} of {of} ({found.arm}): about {left / 60:.0f} minutes left")

    done = run_arms(student, course, options, journal.done, told)
    results.training = training_result(course, done, options.seed)


def estimate(options: ProveOptions, say: Say) -> Iterator[str]:
    """What the tiers would do, and about how long that takes here, by a few passes of the student."""
    count = sum(1 for _ in _papers(options.document))
    yield f"tier 0: {count} traces are read"
    if options.tier == "0":
        return
    outside = [] if options.outside is None else outside_choices(options.outside)
    examples, student = _examples(options), _loaded(options, say)
    fit = usable(student, examples)
    middle = sorted(fit, key=lambda one: len(one.thought))[len(fit) // 2]
    read, learned = student.row(middle, middle.thought)
    student.losses(read, learned)
    began = time.monotonic()
    student.losses(read, learned)
    pass_of_one, began = time.monotonic() - began, time.monotonic()
    made = max(1, len(student.think(middle.prompt, 16)))
    token = (time.monotonic() - began) / made
    yield f"tier 1: 3 passes for each of {len(fit)} traces, {_minutes(3 * pass_of_one * len(fit))}"
    if options.tier == "2":
        course = Course.of(student, examples, outside, options)
        training = 3 * pass_of_one * course.tokens / (len(read) + len(learned))
        questions = len(course.held) + len(course.choices)
        thinking = sum(arm.name in THINKING for arm in course.arms)
        measuring = questions * (3 * pass_of_one * len(course.arms) + options.think_tokens * token * thinking)
        whole = training * (len(course.arms) - 1) + measuring
        yield f"tier 2: {len(course.arms)} arms of {course.tokens} tokens, {questions} questions, at most {_minutes(whole)}"


def _minutes(seconds: float) -> str:
    return f"about {seconds / 3600:.1f} hours" if seconds > 5400 else f"about {max(1, round(seconds / 60))} minutes"


def _papers(document: Path) -> Iterator[tuple[Record, str]]:
    """The accepted traces, each with its paper."""
    for trace in Origin.find(document, attempts=False).traces(attempts=False):
        yield trace.record, source_name(trace.record.source_paper)


def _examples(options: ProveOptions) -> list[Example]:
    """The traces that a student can be shown, as many as `--max-traces` takes. Raises `UserError` for none."""
    whole = (record for record, _ in _papers(options.document) if _is_whole(record))
    found = [example_of(record) for record in sampled(whole, options.max_traces, options.seed)]
    if not found:
        raise UserError(
            f"{options.document} holds no trace with a thought, an answer, and the passage where it is needed"
        )
    return found


def _is_whole(record: Record) -> bool:
    shown = record.source_paper.text or not needs_passage(record)
    return bool(record.reasoning_trace.strip() and record.final_answer.strip() and shown)


def _loaded(options: ProveOptions, say: Say) -> StudentModel:
    say(f"loading {options.student}")
    return StudentModel.load(options.student, options.max_length)


def _settings(options: ProveOptions, examples: list[Example], outside: list[Choice]) -> dict[str, object]:
    """What an arm's result depends on; more seeds and rates only add arms."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (*examples, *outside):
        digest.update(repr(part).encode())
    names = ("student", "max_length", "think_tokens", "epochs", "held_out", "max_tokens", "max_traces", "seed")
    return {"traces": digest.hexdigest(), **{name: getattr(options, name) for name in names}}


def _prepare(options: ProveOptions) -> None:
    try:
        if not options.resume:
            move_aside(options.folder)
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output: cannot write {options.folder}: {error.strerror or error}") from None


def _write(folder: Path, results: Results) -> None:
    drawn = picture(results)
    files = {"results.json": results.model_dump_json(indent=2) + "\n", "README.md": page(results)}
    for name, text in {**files, **({PICTURE: drawn} if drawn else {})}.items():
        with in_place(folder / name) as file:
            file.write(text.encode())


def _teller(what: str, say: Say) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        if done == of or done % max(1, of // 10) == 0:
            say(f"{what} {done} of {of}")

    return told
