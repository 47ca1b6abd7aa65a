"""The stages that can be tuned, and the score of a stage by its own output, by rules alone.

A try fails if it is missing, truncated, unreadable or rejected by the stage's check, or if `programs.text.prose` finds a
problem in one of its texts or in all of them together.

    score     0 if no try was accepted or the accepted one fails, else (first + quality) / 2
    first     1 if the first try did not fail, else 0
    quality   the mean of: on topic (see `optimize.metrics.topical`), variety (the share of distinct texts), and, for
              evidence, the share of the chosen sentences that are distinct and exist
"""

import re
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from optimize.metrics import Score, topical
from programs.text.prose import degeneracy, prose_problems
from programs.text.words import texts_in
from signatures.stages import STAGES

if TYPE_CHECKING:
    from programs.asking.ask import Ask
    from programs.asking.reply import Reply

TUNABLE = {name: stage for name, stage in STAGES.items() if stage.predictor and stage.stage_model}

WRITERS = {"trace": ("judge",), "answer": ("judge", "grades", "on_topic")}
"""The stages that the finished trace can score, each with the metrics whose reasons say something about its own output. All
others, and `trace` without judges, are scored by their own output."""

JUDGE, ALL = "judge", "all"
_SENTENCE_NUMBER_RE = re.compile(r"^\[\d+\] ", re.MULTILINE)


def tunable_of(stage: str) -> tuple[str, ...]:
    return tuple(part.predictor for name, part in TUNABLE.items() if stage in (ALL, name))


class Asked(NamedTuple):
    ask: "Ask"
    reply: "Reply"

    @property
    def texts(self) -> list[str]:
        """The prose of the output, depth first. Shorter texts are names, levels and numbers."""
        return [text for text in texts_in(self.reply.output) if len(text) >= 12]

    @property
    def failure(self) -> str | None:
        """Why no try was accepted, or what is wrong with one of its texts or with all together. None: nothing."""
        if self.reply.status != "ok":
            return "; ".join(self.reply.problems) or self.reply.status
        problem = next((why for text in self.texts for why in prose_problems(text)), None)
        return problem or (degeneracy(" ".join(self.texts)) if self.texts else None)

    @property
    def first_failure(self) -> str | None:
        """Why the first try failed, or None if it did not."""
        return "; ".join(self.reply.rejected[0].problems) if self.reply.rejected else self.failure

    @property
    def missing_sentences(self) -> list[int]:
        """The sentence numbers that the evidence stage chose but the passage does not have."""
        last = len(_SENTENCE_NUMBER_RE.findall(str(self.ask.inputs["passage"])))
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
