"""Metrics of traces. Each maps a record to a score in 0-1 (higher is better) and the reason for it in words.

If nothing can be measured there is no score (None), never 0. To add a metric, write a function with `@metric` here. Each is
also a DSPy metric, for any optimizer. DSPy is imported where it is needed, since options are read without it.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from optimize.stages import TUNABLE
from programs.errors import UserError
from programs.records import Record
from programs.text.copying import copied_share
from programs.text.thought import bare_thought
from programs.text.words import texts_in

if TYPE_CHECKING:
    import dspy


class Score(NamedTuple):
    """A value in 0-1, or None if there is nothing to measure, and the reason in words."""

    value: float | None
    reason: str


@dataclass(frozen=True)
class Metric:
    """`of` scores a record. `weight` is its share of the composite (0: only on request). `judged`: it needs judges.
    `student`: it needs the extra `prove`."""

    of: Callable[[Record], Score]
    weight: float
    judged: bool
    student: bool = False

    def __call__(
        self, _example: "dspy.Example", prediction: "dspy.Prediction", *_: object, **__: object
    ) -> "dspy.Prediction":
        """The metric as DSPy calls it on a `Tracer`'s prediction: `score` is the mean over its records. DSPy needs a
        number, so it is 0 if there are no records or nothing could be measured; `feedback` says which."""
        import dspy

        scores = [self.of(record) for record in prediction.records]
        known = [score.value for score in scores if score.value is not None]
        feedback = "\n".join(score.reason for score in scores if score.reason) or "no trace was made"
        return dspy.Prediction(score=fmean(known) if known else 0.0, feedback=feedback)


METRICS: dict[str, Metric] = {}


def metric(
    weight: float = 0.0, judged: bool = False, student: bool = False
) -> Callable[[Callable[[Record], Score]], Metric]:
    """Registers a function as the metric of its name."""

    def register(function: Callable[[Record], Score]) -> Metric:
        METRICS[function.__name__] = Metric(function, weight, judged, student)
        return METRICS[function.__name__]

    return register


@metric(weight=0.3, judged=True)
def judge(record: Record) -> Score:
    """The mean overall rating (1-10, scaled to 0-1) of the judges that answered."""
    rated = [(verdict.overall, verdict.comments) for verdict in record.verdicts if verdict.overall is not None]
    if not rated:
        return Score(None, "no judge gave a rating")
    return Score((fmean(overall for overall, _ in rated) - 1) / 9, " ".join(words for _, words in rated))


@metric(weight=0.2, judged=True)
def grades(record: Record) -> Score:
    """The mean of the six grades."""
    given = record.answer_grades
    if given is None or given.overall_score is None:
        return Score(None, "the answer has no grades")
    return Score(given.overall_score, given.reason or "")


@metric(weight=0.25)
def grounding(record: Record) -> Score:
    """The share of the chosen evidence whose sentences exist in the passage."""
    if not record.evidence:
        return Score(None, "no evidence was chosen")
    missing = [str(item.sentence) for item in record.evidence if not item.verified]
    reason = f"there is no sentence {', '.join(missing)}" if missing else "every quote stands in the passage"
    return Score(1 - len(missing) / len(record.evidence), reason)


_CONTENT_WORD_RE = re.compile(r"[^\W\d_]{4,}|\d+(?:\.\d+)?")


@metric(weight=0.25)
def on_topic(record: Record) -> Score:
    """The share of the answer's content words (four letters or more, and numbers) that also occur in the passage or the
    question, times the share of the answer that is not copied from the passage word for word."""
    answer, passage = record.final_answer, record.source_paper.text
    if not passage:
        return Score(None, "the passage is not known")
    words = _content_words(answer)
    # Words this long occur only in writing without spaces.
    if not words or sum(map(len, words)) > 14 * len(words):
        return Score(None, "its words cannot be separated")
    given = _content_words(f"{passage} {record.user_interaction.question}")
    foreign, copied = sorted(words - given), copied_share(answer, passage)
    reasons = [f"not in the passage: {', '.join(foreign[:12])}"] if foreign else []
    reasons += [f"{copied:.0%} is copied from it"] if copied else []
    return Score((1 - len(foreign) / len(words)) * (1 - copied), "; ".join(reasons))


def _content_words(text: str) -> set[str]:
    """The content words and numbers of a text, in lower case and without a final s."""
    return {word.lower().rstrip("s") for word in _CONTENT_WORD_RE.findall(text)}


@metric()
def own_words(record: Record) -> Score:
    """The share of the thought that is not copied word for word, from the passage or from the notes that it was written
    from (`programs.stages.strands.Strands.for_thought`)."""
    notes, thought = record.notes, bare_thought(record.reasoning_trace)
    if notes is None:
        return Score(None, "the notes are not known")
    shown = [notes.hypotheses, [item.claim for item in record.evidence if item.quote], notes.critique]
    sources = {"the passage": record.source_paper.text or "", "the notes": "\n".join(texts_in(shown))}
    copied = {name: copied_share(thought, text) for name, text in sources.items()}
    reasons = [f"{share:.0%} of the thought is copied from {name}" for name, share in copied.items() if share]
    return Score(1 - max(copied.values()), "; ".join(reasons))


@metric()
def first_try(record: Record) -> Score:
    """The stages of a written trace as a share of the calls that they took: 1 if no call was repeated."""
    calls = record.generation.calls if record.generation else None
    # A model's own thought comes from other stages.
    if not calls or record.thought != "written":
        return Score(None, "the number of calls is not known")
    repeated = calls - len(TUNABLE)
    return Score(len(TUNABLE) / calls, f"calls repeated: {repeated}" if repeated else "")


@metric(student=True)
def lift(record: Record) -> Score:
    """How much more likely the thought makes the answer for the built-in student (`programs.proving.tiers.lift`), 0.5 if it
    makes no difference, times the share of the answer that is not copied from the thought word for word."""
    # Imported here because it loads torch.
    from programs.proving.examples import example_of
    from programs.proving.student import built_in_student

    student, example = built_in_student(), example_of(record)
    if not student.fits(example, example.thought):
        return Score(None, f"it has more than {student.max_length} tokens")
    gain = student.answer_loss(example, "") - student.answer_loss(example, example.thought)
    copied = copied_share(example.answer, example.thought)
    reasons = [f"the answer costs a small model {gain:+.2f} nats a token less after the thought"]
    reasons += [f"{copied:.0%} of the answer stands in the thought word for word"] if copied else []
    return Score((1 - copied) / (1 + math.exp(-gain)), "; ".join(reasons))


def parse_weights(text: str) -> dict[str, float]:
    """Parses weights: `composite` (half for metrics that models judge, half for metrics by rule), `NAME` or
    `NAME=0.5,NAME=0.3`. Raises `UserError` for anything else."""
    if text == "composite":
        return {name: metric.weight for name, metric in METRICS.items() if metric.weight}
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        try:
            weight = float(number or 1)
        except ValueError:
            weight = math.nan
        if name not in METRICS or not 0 < weight < math.inf:
            names = ", ".join(METRICS)
            raise UserError(f"--metric: {part.strip()!r} is not NAME or NAME=WEIGHT (above 0); the names are {names}")
        if METRICS[name].student:
            from programs.proving.student import check_extra

            check_extra()
        weights[name] = weight
    return weights


def composite_of(scores: Mapping[str, Score], weights: Mapping[str, float]) -> Score:
    """The weighted mean of the scores that have a value; None if none has."""
    known = {name: score.value for name, score in scores.items() if score.value is not None}
    if not known:
        return Score(None, "nothing could be measured")
    value = sum(weights[name] * score for name, score in known.items()) / sum(weights[name] for name in known)
    return Score(value, "; ".join(f"{name} {score:.2f}" for name, score in known.items()))
