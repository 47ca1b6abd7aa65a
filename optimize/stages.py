"""The stages that can be tuned: their names on the command line, their predictors, how far along a text they are; and how
well one did, from its own output, by rules alone.

A try fails when it is missing, cut off, unreadable or against the stage's check, or when `programs.text.prose` has
something against one of its texts or against all together.

    score = 0 where no try was taken or the taken one fails, else (first + quality) / 2

    first     1 when the first try did not fail, else 0
    quality   the mean of: on topic (share of content words that the passage or question has, not copied), variety (share of
              the texts that repeat no other), and of evidence the different sentences that exist of those chosen
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from optimize.metrics import Score, topical
from programs.text.prose import degeneracy, prose_problems
from programs.text.words import texts_in

if TYPE_CHECKING:
    from programs.asking.ask import Ask
    from programs.asking.reply import Reply


class StagePlace(NamedTuple):
    """A stage's predictor in the `Tracer`, and its depth: a stage is given what those of smaller depth made. `metrics` are
    those of a trace whose reasons say something about the stage's own output."""

    predictor: str
    depth: int
    metrics: tuple[str, ...] = ()


STAGES: dict[str, StagePlace] = {
    "questions": StagePlace("questions.predict", 0),
    "context": StagePlace("strands.context", 1),
    "hypotheses": StagePlace("strands.hypotheses", 2),
    "evidence": StagePlace("strands.evidence", 2),
    "critique": StagePlace("strands.critique", 2),
    "perspective": StagePlace("strands.perspective", 2),
    "trace": StagePlace("writer.trace", 3, ("judge",)),
    "answer": StagePlace("writer.answer", 4, ("judge", "grades", "on_topic")),
}

WRITERS = ("trace", "answer")
"""Stages that are scored by the finished trace; others, and the trace where nobody judges, by their own output."""

JUDGE, ALL = "judge", "all"
TRACE_CALLS = len(STAGES)
"""Calls that make one trace when nothing is asked again."""


def stage_of(predictor: str) -> str:
    """The stage of a predictor, by its name in the `Tracer`. Raises KeyError for one that is none."""
    return next(name for name, stage in STAGES.items() if stage.predictor == predictor)


def tunable_of(stage: str) -> tuple[str, ...]:
    """The predictors that are tuned with a stage, or with all."""
    return tuple(part.predictor for name, part in STAGES.items() if stage in (ALL, name))


def run_calls(stage: str, judging: int, alone: bool) -> tuple[int, int]:
    """The calls of a run that tunes this stage (or all), when `judging` calls judge and grade a trace: those of the stages
    before it, which are replayed ever after, and those that every run makes; one where the stage is scored `alone`."""
    if stage == ALL:
        return 0, TRACE_CALLS + judging
    before = sum(other.depth < STAGES[stage].depth for other in STAGES.values())
    return before, 1 if alone else TRACE_CALLS - before + judging


class Asked(NamedTuple):
    """What a stage was asked and what came back."""

    ask: "Ask"
    reply: "Reply"


SHORTEST = 12
"""Characters from which on a text of an output is prose: shorter ones are names, levels and numbers."""

_NUMBERED = re.compile(r"^\[\d+\] ", re.MULTILINE)


def first_failure(asked: Asked) -> str | None:
    """Why the first try of a stage failed, or None when it did not."""
    reply = asked.reply
    if reply.rejected:
        return "; ".join(reply.rejected[0].problems)
    if reply.status != "ok":
        return "; ".join(reply.problems) or reply.status
    return _fault(asked)


def stage_score(asked: Asked, passage: str) -> Score:
    """The score of a stage's output."""
    reply = asked.reply
    if reply.status != "ok" or _fault(asked):
        return Score(0.0, "; ".join(reply.problems) or _fault(asked) or reply.status)
    failure = first_failure(asked)
    parts = _qualities(asked, passage)
    quality = sum(parts.values()) / len(parts)
    shown = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
    return Score((float(failure is None) + quality) / 2, f"first try: {failure or 'taken'}; {shown}")


def _qualities(asked: Asked, passage: str) -> dict[str, float]:
    texts = list(prose_in(asked.reply.output))
    parts = {
        "on topic": topical(" ".join(texts), passage, asked.ask.inputs.get("question", "")).value or 0.0,
        "variety": len(set(texts)) / len(texts) if texts else 0.0,
    }
    if asked.ask.stage == "evidence":
        numbers = [item["sentence"] for item in asked.reply.output["items"]]
        parts["found"] = len({*numbers} - {*missing_sentences(asked)}) / len(numbers) if numbers else 0.0
    return parts


def missing_sentences(asked: Asked) -> list[int]:
    """The sentences that the evidence stage chose and the passage has not."""
    last = len(_NUMBERED.findall(str(asked.ask.inputs["passage"])))
    return [item["sentence"] for item in asked.reply.output["items"] if not 1 <= item["sentence"] <= last]


def _fault(asked: Asked) -> str | None:
    texts = list(prose_in(asked.reply.output))
    single = next((why for text in texts for why in prose_problems(text)), None)
    return single or (degeneracy(" ".join(texts)) if texts else None)


def prose_in(value: Any) -> Iterator[str]:
    """The texts of an output, depth first, without names, levels and numbers."""
    return (text for text in texts_in(value) if len(text) >= SHORTEST)
