"""The rules that a run decides by, as data with a hash: what others decided is decided again, from stored replies."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from programs.records import FLOORS
from programs.settings import Settings, TracerOptions


@dataclass(frozen=True)
class Rules:
    """The rules about a variation and about a text, as the run's line in the journal has them. A `basis` is a hash of them,
    as it stands in the lines of what they decided."""

    variation: Mapping[str, Any]
    text: Mapping[str, Any]

    @cached_property
    def basis(self) -> str:
        return _hash(self.variation)

    @cached_property
    def text_basis(self) -> str:
        return _hash({**self.text, "variation": self.variation})


def rules_of(settings: Settings) -> Rules:
    """The rules of a run."""
    text = {
        "questions": settings.traces_per_sample,
        "variations": settings.traces_per_question,
        "prefiltered": settings.prefilter,
    }
    return Rules(_asked_for(settings), {name: value for name, value in text.items() if value})


def _asked_for(options: TracerOptions) -> dict[str, Any]:
    """What decides about a variation. Only what is asked for is named: an option that is new leaves older decisions."""
    rules: dict[str, Any] = {}
    if options.quality_check:
        rules["judged"] = {
            "judges": list(options.judges),
            "threshold": options.min_quality_score,
            "floors": FLOORS,
            "attempts": options.max_attempts,
            # Journals of versions that corrected ratings have it in the hash of what they decided.
            "biases": {},
        }
    if options.grader:
        rules["graded"] = {"model": options.grader}
    if options.thought != "written":
        rules["thought"] = {"of": options.thought, "tries": options.tries, "compared_by": options.comparer}
    if options.blind_solve:
        who = {"solver": options.solver, "compared_by": options.comparer}
        who |= {"student": options.student_model} if options.student_model else {}
        rules["solved"] = {"tries": options.blind_solve, **who, "kept": sorted(options.keep)}
    if options.checker:
        rules["steps"] = {"model": options.checker}
    return rules


def _hash(rules: Mapping[str, Any]) -> str:
    text = json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
