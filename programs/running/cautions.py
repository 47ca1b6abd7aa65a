"""What a run warns of as it begins: settings that do what they say, and perhaps not what was meant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from programs.settings import Settings

LOOKED_INTO = ("quality_check", "grade_answers", "blind_solve", "check_steps")
"""The options whose results stand in the records."""

TIME_TO_THINK = 600.0
"""Seconds in which 16,384 tokens come at 27 a second."""


def cautions(settings: Settings, last: Mapping[str, Any] | None, without_effort: Sequence[str] = ()) -> Iterator[str]:
    """A line for each thing to warn of. `last` is the journal's latest `run` line; `without_effort` are the models that a
    reasoning effort is not sent to."""
    yield from filter(None, (_solves_its_own(settings), _leaves_out(settings, (last or {}).get("settings") or {})))
    if settings.thought != "written" and settings.timeout < TIME_TO_THINK:
        yield (
            f"thinking takes long, and a call has {settings.timeout:g} seconds: give --timeout {TIME_TO_THINK:g} or more "
            "where calls time out"
        )
    if without_effort:
        yield f"--reasoning-effort is not sent to {', '.join(without_effort)}, which is not known to take it"


def _solves_its_own(settings: Settings) -> str | None:
    """The solver, or who compares, is a model that writes the traces."""
    if not settings.blind_solve:
        return None
    writers = {settings.stage_models.get(stage, settings.model) for stage in ("trace", "answer")}
    asked = {"solver": (settings.solver, "--solver-model"), "comparer": (settings.comparer, "--compare-model")}
    own = [name for name, (model, _) in asked.items() if model in writers]
    if not own:
        return None
    who = f"the {own[0]} is the writer itself" if len(own) == 1 else "the solver and the comparer are the writer itself"
    mend = " and ".join(asked[name][1] for name in own)
    return f"{who}: they err alike, so needs and difficulties say less; name another model with {mend}"


def _leaves_out(settings: Settings, before: Mapping[str, Any]) -> str | None:
    """What the last run looked into and this one does not: traces that are decided again lose it."""
    gone = [f"--{name.replace('_', '-')}" for name in LOOKED_INTO if before.get(name) and not getattr(settings, name)]
    if not gone:
        return None
    return (
        f"the last run had {', '.join(gone)}, this one has not: traces are decided again without, and their records lose "
        "what was found; the replies stay in the journal, and the same options bring it back without a call"
    )
