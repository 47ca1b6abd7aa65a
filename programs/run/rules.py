"""The rules that a run decides by, as data with a hash: what others decided is decided again, from stored replies."""

import json
from typing import Any

from programs.inputs.sample import content_id
from programs.records import FLOORS
from programs.settings import Settings, TracerOptions


class Rules:
    """The rules about a text, those about a variation among them, as the run's line in the journal has them. A `basis` is a
    hash of them, as it stands in the lines of what they decided."""

    def __init__(self, settings: Settings) -> None:
        text = {
            "questions": settings.traces_per_sample,
            "variations": settings.traces_per_question,
            "prefiltered": settings.prefilter,
        }
        variation = _asked_for(settings)
        self.text = {**{name: value for name, value in text.items() if value}, "variation": variation}
        self.basis, self.text_basis = _hash(variation), _hash(self.text)


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


def _hash(rules: dict[str, Any]) -> str:
    return content_id(json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
