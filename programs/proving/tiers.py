"""Runs the tiers of a proof one after another, and writes their results: results.json and a page (page.md.jinja)."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import BaseModel

from programs.errors import UserError
from programs.exports.card import render_markdown
from programs.exports.exporter import Origin
from programs.files import atomic_write, move_aside
from programs.inputs.sample import content_id
from programs.proving.distributions import Distributions, distributions
from programs.proving.examples import (
    VIEW,
    Example,
    draw_sample,
    example_of,
    outside_choices,
    swap_thoughts,
    trace_name,
)
from programs.proving.options import ProveOptions
from programs.proving.student import NEEDED, StudentModel, fitting_examples
from programs.proving.training import THINKING, plan_training, run_arms
from programs.proving.verdict import TrainingResult, training_result
from programs.records import Record
from programs.run.journal import Journal
from programs.statistics.interval import MIN_BOOTSTRAP_SOURCES, Interval, interval_by_source
from programs.text.copying import copied_share
from programs.versions import utc_now, version_of, versions

Say = Callable[[str], None]

HERE = Path(__file__)
RESULTS, PAGE = "results.json", "README.md"
PICTURE = "intervals.svg"


class Lift(BaseModel):
    """The result of tier 1: how much thoughts help a student predict their answers, measured by forward passes alone.

    lift = loss(answer | question) - loss(answer | question, thought), in nats per token of the answer. The intervals are
    over papers: `own` is the lift, `other` that of another paper's thought, which is the effect of any thought, and `more`
    the difference. `copied` is the mean share of an answer's words in runs of twelve or more shared with its thought, since
    a thought that spells out the answer has lift too. `perplexity` is that of thoughts and answers, by quarter.
    `left_out` traces were too long."""

    traces: int
    papers: int
    left_out: int
    own: Interval | None
    other: Interval | None
    more: Interval | None
    copied: float
    perplexity: dict[str, list[float | None]] = {}
    """Empty in results of earlier versions."""


def lift(student: StudentModel, examples: Sequence[Example], seed: int, say: Say) -> Lift:
    """Runs tier 1; `say` gets progress lines. Raises `UserError` if no trace fits the student."""
    fit = fitting_examples(student, examples)
    others = swap_thoughts(fit, seed)
    own, other, more = (list[tuple[str, float]]() for _ in range(3))
    losses = list[tuple[list[float], list[float]]]()
    for number, example in enumerate(fit, 1):
        losses.append(student.part_losses(example))
        bare, after = student.answer_loss(example, ""), fmean(losses[-1][1])
        own.append((example.paper, bare - after))
        # If the other thought is too long, the question would be cut off.
        if example.id in others and student.fits(example, other_thought := others[example.id].thought):
            after_other = student.answer_loss(example, other_thought)
            other.append((example.paper, bare - after_other))
            more.append((example.paper, after_other - after))
        if number == len(fit) or number % max(1, len(fit) // 10) == 0:
            say(f"tier 1: trace {number} of {len(fit)}")
    return Lift(
        traces=len(fit),
        papers=len({example.paper for example in fit}),
        left_out=len(examples) - len(fit),
        own=interval_by_source(own, seed=seed),
        other=interval_by_source(other, seed=seed),
        more=interval_by_source(more, seed=seed),
        copied=fmean(copied_share(example.answer, example.thought) for example in fit),
        perplexity=dict(zip(("thought", "answer"), map(perplexity_by_quarter, zip(*losses, strict=True)), strict=True)),
    )


def perplexity_by_quarter(texts: Sequence[Sequence[float]]) -> list[float | None]:
    """The perplexity of each quarter of texts, given as the losses of their tokens: the exponential of the mean over texts
    of the mean loss in the quarter, None if no text has tokens there."""
    quarters = zip(*(np.array_split(losses, 4) for losses in texts), strict=True)
    means = [[float(part.mean()) for part in parts if part.size] for parts in quarters]
    return [float(np.exp(fmean(found))) if found else None for found in means]


class Results(BaseModel):
    """The results of the tiers that were run. `options` contains no paths."""

    document: str
    made: str
    versions: dict[str, str]
    options: dict[str, Any]
    student: str | None
    distributions: Distributions
    lift: Lift | None = None
    training: TrainingResult | None = None

    def summary_lines(self) -> Iterator[str]:
        """The most important results, one per line."""
        found = self.distributions
        if self.training is not None:
            yield self.training.verdict
        diversity = f"{found.vendi:.1f} effectively different thoughts among {found.sampled} (Vendi score)"
        yield f"{found.thoughts.traces} traces of {found.papers} papers or texts, {diversity}"
        yield from found.cautions
        if found.given_away is not None:
            yield f"{len(found.given_away)} texts share words with a question of the given files"
        if self.lift is not None:
            yield f"lift of the thoughts, in nats per token of the answer: {_interval_text(self.lift.own)}"

    def write(self, folder: Path) -> None:
        """Writes results, page and picture. Raises `StorageError` if a file cannot be written."""
        page = render_markdown(
            HERE.with_name("page.md.jinja"),
            **vars(self),
            summary=self.summary_lines(),
            kinds={kind: count.traces for kind, count in self.distributions.thoughts.kinds.items()},
            picture=PICTURE,
            few=MIN_BOOTSTRAP_SOURCES,
            interval=_interval_text,
        )
        files = {RESULTS: self.model_dump_json(indent=2) + "\n", PAGE: page}
        if bars := [(name, interval) for name, interval in self._intervals() if interval is not None]:
            ends = [0.0, *(end for _, interval in bars for end in (interval.low, interval.high))]
            template = HERE.with_name("intervals.svg.jinja")
            files[PICTURE] = render_markdown(template, bars=bars, low=min(ends), high=max(ends))
        for name, text in files.items():
            with atomic_write(folder / name) as file:
                file.write(text.encode())

    def _intervals(self) -> Iterator[tuple[str, Interval | None]]:
        if found := self.lift:
            yield "lift of its own thought", found.own
            yield "lift of another paper's thought", found.other
            yield "own minus other", found.more
        if self.training:
            for comparison in self.training.comparisons:
                if comparison.figure == "loss":
                    yield f"trained: thoughts against {comparison.against}", comparison.interval


def _interval_text(interval: Interval | None) -> str:
    return "unknown: too few papers" if interval is None else str(interval)


def prove(options: ProveOptions, say: Say) -> Results:
    """Runs the tiers and rewrites the folder's files after each. The folder's journal keeps what was measured with a
    student, under a hash of everything that it depends on, so that it is not measured again. `say` gets progress lines.
    Raises `UserError`, also if the folder holds anything but a proof."""
    outside, folder = outside_choices(options.outside), options.folder
    results = Results(
        document=options.document.name,
        made=utc_now(),
        versions={**versions(), **{name: version for name in NEEDED if (version := version_of(name))}},
        options=options.model_dump(mode="json", exclude={"document", "output", "against", "outside", "student"}),
        student=None if options.tier == "0" else Path(options.student).name,
        distributions=distributions(_traces(options.document), options.against, options.seed),
    )
    if not _prepare_folder(folder, results):
        results.write(folder)
    if options.tier == "0":
        return results
    examples, student = _load_inputs(options, say)
    # With the fields, so that a lift of an earlier version, which had fewer, is measured again.
    key = content_id(repr((options.student, options.max_length, options.seed, [*Lift.model_fields], examples)))
    with Journal(folder / "arms.jsonl") as journal:
        if line := journal.latest("lift", key):
            results.lift = Lift.model_validate(line["result"])
        else:
            results.lift = lift(student, examples, options.seed, say)
            journal.append("lift", key, result=results.lift.model_dump(mode="json"))
        results.write(folder)
        if options.tier == "2":
            plan = plan_training(student, examples, outside, options)
            results.training = training_result(plan, run_arms(student, plan, options, journal, say), options.seed)
            results.write(folder)
    return results


def _prepare_folder(folder: Path, results: Results) -> bool:
    """Makes the folder, or moves the results of other tiers, options or traces in it aside if they needed a student.
    Returns whether it still holds results that needed one: those of the same command, which stay until the student is
    loaded. Raises `UserError` if it holds anything but a proof, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            earlier = Results.model_validate_json((folder / RESULTS).read_bytes())
            same = earlier.model_copy(update={"made": results.made, "lift": None, "training": None}) == results
            if earlier.lift and not same:
                move_aside(*(folder / name for name in (RESULTS, PAGE, PICTURE)))
            return same and earlier.lift is not None
        return False
    except (FileNotFoundError, ValueError):
        raise UserError(f"--output: {folder} exists and is not a proof: choose another") from None
    except OSError as error:
        raise UserError(f"--output: cannot write {folder}: {error.strerror or error}") from None


def estimate(options: ProveOptions, say: Say) -> Iterator[str]:
    """What the tiers would do, and about how long that takes on this machine, by timing a few passes of the student."""
    yield f"tier 0: {sum(1 for _ in _traces(options.document))} traces are read"
    if options.tier == "0":
        return
    examples, student = _load_inputs(options, say)
    fit = fitting_examples(student, examples)
    middle = sorted(fit, key=lambda example: len(example.thought))[len(fit) // 2]
    prompt, completion = student.row(middle, middle.thought)
    # Warm-up: the first pass is slower than the rest.
    student.loss(prompt, completion)
    started = time.monotonic()
    student.loss(prompt, completion)
    per_pass = time.monotonic() - started
    started = time.monotonic()
    generated = sum(map(len, student.think([middle.prompt] * options.rows_at_once, 16, options.rows_at_once)))
    per_token = (time.monotonic() - started) / max(1, generated)
    yield f"tier 1: 3 passes for each of {len(fit)} traces, {_duration_text(3 * per_pass * len(fit))}"
    if options.tier == "2":
        outside = outside_choices(options.outside)
        plan = plan_training(student, examples, outside, options)
        questions = len([*plan.held, *plan.choices, *outside])
        training = 3 * per_pass * plan.tokens / (len(prompt) + len(completion)) * (len(plan.arms) - 1)
        thinking = per_token * options.think_tokens * sum(arm.name in THINKING for arm in plan.arms)
        total = _duration_text(training + questions * (3 * per_pass * len(plan.arms) + thinking))
        yield f"tier 2: {len(plan.arms)} arms of {plan.tokens} tokens, {questions} questions, at most {total}"


def _duration_text(seconds: float) -> str:
    return f"about {seconds / 3600:.1f} hours" if seconds > 5400 else f"about {max(1, round(seconds / 60))} minutes"


def _traces(document: Path) -> Iterator[Record]:
    with Origin.open(document) as origin:
        yield from (trace.record for trace in origin.traces())


def _load_inputs(options: ProveOptions, say: Say) -> tuple[list[Example], StudentModel]:
    """At most `--max-traces` traces that can be shown to a student, and the student. Raises `UserError`."""
    named = ((trace_name(record), record) for record in _traces(options.document) if not VIEW.why_not_shown(record))
    examples = [example_of(record) for record in draw_sample(named, options.max_traces, options.seed)]
    if not examples:
        needs = "a thought, an answer and, if it needs one, its passage"
        raise UserError(f"{options.document} holds no trace with {needs}")
    say(f"loading {options.student}")
    return examples, StudentModel(options.student, options.max_length)
