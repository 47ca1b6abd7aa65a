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
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from optimize.metrics import Score, topical
from programs.text.prose import degeneracy, prose_problems
from programs.text.words import texts_in

if TYPE_CHECKING:
    from programs.asking.ask import Ask
    from programs.asking.reply import Reply


class StagePlace(NamedTuple):
    """A stage's predictor in the `Tracer`, and its depth: a stage is given what those of smaller depth made. The reasons
    of these `metrics` of a trace say something about the stage's own output."""

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
_NUMBERED = re.compile(r"^\[\d+\] ", re.MULTILINE)


def tunable_of(stage: str) -> tuple[str, ...]:
    return tuple(part.predictor for name, part in STAGES.items() if stage in (ALL, name))


class Asked(NamedTuple):
    ask: "Ask"
    reply: "Reply"

    @property
    def texts(self) -> list[str]:
        """The prose of the output, depth first: shorter texts are names, levels and numbers."""
        return [text for text in texts_in(self.reply.output) if len(text) >= 12]

    @property
    def failure(self) -> str | None:
        """Why no try was taken, or what is wrong with the prose: with one of its texts, or with all together."""
        if self.reply.status != "ok":
            return "; ".join(self.reply.problems) or self.reply.status
        single = next((why for text in self.texts for why in prose_problems(text)), None)
        return single or (degeneracy(" ".join(self.texts)) if self.texts else None)

    @property
    def first_failure(self) -> str | None:
        """Why the first try failed, or None when it did not."""
        return "; ".join(self.reply.rejected[0].problems) if self.reply.rejected else self.failure

    @property
    def missing_sentences(self) -> list[int]:
        """The sentences that the evidence stage chose and the passage has not."""
        last = len(_NUMBERED.findall(str(self.ask.inputs["passage"])))
        return [item["sentence"] for item in self.reply.output["items"] if not 1 <= item["sentence"] <= last]


def stage_score(asked: Asked, passage: str) -> Score:
    texts = asked.texts
    if why := asked.failure:
        return Score(0.0, why)
    parts = {
        "on topic": topical(" ".join(texts), passage, asked.ask.inputs.get("question", "")).value or 0.0,
        "variety": len({*texts}) / len(texts) if texts else 0.0,
    }
    if asked.ask.stage == "evidence":
        numbers = [item["sentence"] for item in asked.reply.output["items"]]
        parts["found"] = len({*numbers} - {*asked.missing_sentences}) / len(numbers) if numbers else 0.0
    quality, failed = fmean(parts.values()), asked.first_failure
    shown = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
    return Score((float(failed is None) + quality) / 2, f"first try: {failed or 'taken'}; {shown}")
