"""Whoever is asked for instructions: a brain that proposes given texts in turn, whichever of DSPy's optimizers asks."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAGIC = "Name the cause first."
DULL = "Do the step well."
ENDLESS = "On and on. " * 300

STAGES = (
    "questions.predict",
    *(f"strands.{name}" for name in ("context", "hypotheses", "evidence", "critique", "perspective")),
    "writer.trace",
    "writer.answer",
    "judge.predict",
)

FIELDS: dict[str, Callable[[str], Any]] = {
    "observations": lambda _: "The texts are about catalogues.",
    "summary": lambda _: "Texts about catalogues.",
    "proposed_instruction": lambda text: text,
    "proposed_prefix_for_output_field": lambda _: "Reply:",
    "new_instruction": lambda text: text,
    "instruction": lambda text: text,
    "discussion": lambda _: "The worse one names no cause.",
    "module_advice": lambda text: dict.fromkeys(STAGES, text),
}
"""What is put into each output field that optimizers ask for."""


@dataclass
class Proposer:
    """Proposes `texts` in turn, over and over; an empty one is a reply that is no JSON. With `cut` each reply stops in the
    middle of its last text, as if it were whole."""

    texts: tuple[str, ...] = (DULL, MAGIC)
    asked: int = 0
    cut: bool = False

    def knows(self, body: dict[str, Any]) -> bool:
        """Whether a request is for a proposer."""
        return {*_wanted(body)} <= {*FIELDS}

    def __call__(self, body: dict[str, Any]) -> str:
        text = self.texts[self.asked % len(self.texts)]
        self.asked += 1
        said = json.dumps({name: FIELDS[name](text) for name in _wanted(body)})
        return said[:-4] if self.cut else said if text else "I cannot help with that."


def _wanted(body: dict[str, Any]) -> list[str]:
    """The fields of the reply that is asked for."""
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return list(schema["properties"]) if schema else ["?"]
