"""What a run warns of as it begins: settings that do what they say, and perhaps not what was meant."""

from collections.abc import Iterator, Mapping
from typing import Any

from programs.settings import Settings

LOOKED_INTO = ("quality_check", "grade_answers", "blind_solve", "check_steps")
"""The options whose results stand in the records."""


def cautions(settings: Settings, last: Mapping[str, Any] | None) -> Iterator[str]:
    """A line for each thing to warn of. `last` is the journal's latest `run` line."""
    yield from itself(settings)
    yield from filter(None, [_leaves_out(settings, (last or {}).get("settings") or {})])


def itself(settings: Settings) -> Iterator[str]:
    """A line for each model that is asked about its own work; the summary has them too."""
    yield from filter(None, (_judges_its_own(settings), _solves_its_own(settings)))


def _writers(settings: Settings) -> set[str]:
    return {settings.stage_models.get(stage, settings.model) for stage in ("trace", "answer")}


def _judges_its_own(settings: Settings) -> str | None:
    """A judge, or the grader, is a model that writes the traces."""
    asked = {
        "judges": (settings.judges if settings.quality_check else (), "--judge-models"),
        "grades": ((settings.grader,), "--grade-model"),
    }
    own = {what: option for what, (models, option) in asked.items() if _writers(settings) & set(models)}
    if not own:
        return None
    return (
        f"a model {' and '.join(own)} its own work, which flatters it and shares its errors; name another with "
        f"{' and '.join(own.values())}"
    )


def _solves_its_own(settings: Settings) -> str | None:
    """The solver, or who compares, is a model that writes the traces."""
    if not settings.blind_solve:
        return None
    asked = {"solver": (settings.solver, "--solver-model"), "comparer": (settings.comparer, "--compare-model")}
    own = [name for name, (model, _) in asked.items() if model in _writers(settings)]
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
