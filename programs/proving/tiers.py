"""All tiers of a proof, one after the other, and what they found: results.json and a page (page.md.jinja)."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel

from programs.errors import UserError
from programs.exports.card import rendered
from programs.exports.exporter import Origin
from programs.files import in_place, move_aside
from programs.inputs.sample import content_id
from programs.proving.distributions import Distributions, distributions
from programs.proving.examples import VIEW, Choice, Example, drawn, example_of, name_of, outside_choices, swapped
from programs.proving.options import ProveOptions
from programs.proving.student import NEEDED, StudentModel, usable
from programs.proving.training import THINKING, plan_training, run_arms
from programs.proving.verdict import Training, training_result
from programs.records import Record
from programs.run.journal import Journal
from programs.statistics.interval import FEW, Interval, interval_over
from programs.text.copying import copied_share
from programs.versions import NAME, stamp, version_of, versions

Say = Callable[[str], None]

HERE, RESULTS, PAGE, PICTURE = Path(__file__), "results.json", "README.md", "intervals.svg"


class Lift(BaseModel):
    """Tier 1: what thoughts tell a student of their answers, by forward passes alone.

    lift = loss(answer | question) - loss(answer | question, thought), in nats a token of the answer. The intervals are over
    papers: of the lift, of that of another paper's thought, which says how much of it any thought does, and of the
    difference. `copied` is the mean share of an answer's words that stand in its thought twelve in a row, since one that
    gives its answer away has a lift too; `left_out` traces were too long."""

    traces: int
    papers: int
    left_out: int
    own: Interval | None
    other: Interval | None
    more: Interval | None
    copied: float


def lift(student: StudentModel, examples: Sequence[Example], seed: int, say: Say) -> Lift:
    """Tier 1 of a student; `say` is told how far it is. Raises `UserError`."""
    fit = usable(student, examples)
    others = swapped(fit, seed)
    own, other, more = (list[tuple[str, float]]() for _ in range(3))
    for number, one in enumerate(fit, 1):
        bare, after = student.answer_loss(one, ""), student.answer_loss(one, one.thought)
        own.append((one.paper, bare - after))
        # A longer thought would push the question out of the student's sight.
        if one.id in others and student.fits(one, strange := others[one.id].thought):
            after_other = student.answer_loss(one, strange)
            other.append((one.paper, bare - after_other))
            more.append((one.paper, after_other - after))
        if number == len(fit) or number % max(1, len(fit) // 10) == 0:
            say(f"tier 1: trace {number} of {len(fit)}")
    return Lift(
        traces=len(fit),
        papers=len({one.paper for one in fit}),
        left_out=len(examples) - len(fit),
        own=interval_over(own, seed=seed),
        other=interval_over(other, seed=seed),
        more=interval_over(more, seed=seed),
        copied=fmean(copied_share(one.answer, one.thought) for one in fit),
    )


class Results(BaseModel):
    """The results of the tiers that were run. `options` have no paths."""

    document: str
    made: str
    program: str
    versions: dict[str, str]
    seed: int
    options: dict[str, Any]
    student: str | None
    distributions: Distributions
    lift: Lift | None = None
    training: Training | None = None

    def summary_lines(self) -> Iterator[str]:
        """What a person must know first, a line each."""
        found = self.distributions
        if self.training is not None:
            yield self.training.verdict
        different = f"{found.vendi:.1f} different thoughts in effect among {found.sampled} (Vendi score)"
        yield f"{found.thoughts.traces} traces of {found.papers} papers or texts, {different}"
        yield from found.cautions
        if found.given_away is not None:
            yield f"{len(found.given_away)} texts give a question of the given files away"
        if self.lift is not None:
            yield f"lift of the thoughts, in nats a token of the answer: {_interval(self.lift.own)}"

    def write(self, folder: Path) -> None:
        """Writes the files. Raises `StorageError` for what the disk refuses."""
        page = rendered(
            HERE.with_name("page.md.jinja"),
            **vars(self),
            summary=self.summary_lines(),
            kinds={kind: count.traces for kind, count in self.distributions.thoughts.kinds.items()},
            picture=PICTURE,
            few=FEW,
            interval=_interval,
        )
        files = {RESULTS: self.model_dump_json(indent=2) + "\n", PAGE: page}
        if bars := [(name, one) for name, one in self._intervals() if one is not None]:
            ends = [0.0, *(end for _, one in bars for end in (one.low, one.high))]
            files[PICTURE] = rendered(HERE.with_name("intervals.svg.jinja"), bars=bars, low=min(ends), high=max(ends))
        for name, text in files.items():
            with in_place(folder / name) as file:
                file.write(text.encode())

    def _intervals(self) -> Iterator[tuple[str, Interval | None]]:
        if found := self.lift:
            yield "lift of its own thought", found.own
            yield "lift of another's thought", found.other
            yield "own above another's", found.more
        for one in self.training.comparisons if self.training else ():
            if one.figure == "loss":
                yield f"trained: thoughts against {one.against}", one.interval


def _interval(found: Interval | None) -> str:
    return "unknown: too few papers" if found is None else str(found)


def prove(options: ProveOptions, say: Say) -> Results:
    """Runs the tiers and writes the folder anew after each; what a student told an earlier run is moved aside. `say` gets
    lines of progress. Raises `UserError`, also for a folder that holds anything else."""
    outside, folder = outside_choices(options.outside), options.folder
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
            move_aside(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            earlier = Results.model_validate_json((folder / RESULTS).read_bytes())
            if earlier.lift or earlier.training:
                move_aside(*(folder / name for name in (RESULTS, PAGE, PICTURE)))
    except (FileNotFoundError, ValueError):
        raise UserError(f"--output: {folder} is there and is no proof: name another, or give --no-resume") from None
    except OSError as error:
        raise UserError(f"--output: cannot write {folder}: {error.strerror or error}") from None
    results.write(folder)
    if options.tier != "0":
        examples, student = _begun(options, say)
        if options.tier == "1":
            results.lift = lift(student, examples, options.seed, say)
        else:
            _train(results, student, examples, outside, options, say)
        results.write(folder)
    return results


def _train(
    results: Results,
    student: StudentModel,
    examples: list[Example],
    outside: list[Choice],
    options: ProveOptions,
    say: Say,
) -> None:
    """Tiers 1 and 2, from where the folder's journal left off; more seeds and rates only add arms. Raises `UserError` where
    it holds arms of other settings, naming them."""
    plan = plan_training(student, examples, outside, options)
    names = {"student", "max_length", "think_tokens", "epochs", "held_out", "max_tokens", "max_traces", "seed"}
    ours = {"traces": content_id(repr((examples, outside))), **options.model_dump(include=names)}
    with Journal(options.folder / "arms.jsonl") as journal:
        began = journal.latest("run", "")
        if began is None:
            journal.append("run", None, settings=ours)
        elif unlike := ", ".join(sorted(name for name, value in ours.items() if began["settings"].get(name) != value)):
            how = "name another --output, or begin anew (--no-resume)"
            raise UserError(f"{journal.path} holds arms of another {unlike}: {how}")
        if (line := journal.latest("lift", "")) is not None:
            results.lift = Lift.model_validate(line["result"])
        else:
            results.lift = lift(student, examples, options.seed, say)
            journal.append("lift", None, result=results.lift.model_dump(mode="json"))
        results.write(options.folder)
        results.training = training_result(plan, run_arms(student, plan, options, journal, say), options.seed)


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
        outside = outside_choices(options.outside)
        plan = plan_training(student, examples, outside, options)
        questions = len([*plan.held, *plan.choices, *outside])
        training = 3 * once * plan.tokens / (len(read) + len(learned)) * (len(plan.arms) - 1)
        thinking = token * options.think_tokens * sum(arm.name in THINKING for arm in plan.arms)
        whole = training + questions * (3 * once * len(plan.arms) + thinking)
        yield f"tier 2: {len(plan.arms)} arms of {plan.tokens} tokens, {questions} questions, at most {_minutes(whole)}"


def _minutes(seconds: float) -> str:
    return f"about {seconds / 3600:.1f} hours" if seconds > 5400 else f"about {max(1, round(seconds / 60))} minutes"


def _traces(document: Path) -> Iterator[Record]:
    with Origin.opened(document) as origin:
        yield from (trace.record for trace in origin.traces())


def _begun(options: ProveOptions, say: Say) -> tuple[list[Example], StudentModel]:
    """The traces that a student can be shown, as many as `--max-traces` takes, and the student. Raises `UserError`."""
    known = ((name_of(one), one) for one in _traces(options.document) if not VIEW.lacks(one))
    found = [example_of(record) for record in drawn(known, options.max_traces, options.seed)]
    if not found:
        what = "a thought, an answer, and the passage where it is needed"
        raise UserError(f"{options.document} holds no trace with {what}")
    say(f"loading {options.student}")
    return found, StudentModel(options.student, options.max_length)
