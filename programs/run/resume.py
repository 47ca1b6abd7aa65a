"""Going on where an earlier run stopped, starting afresh, refusing to mix unlike data, and warning as a run begins."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.files import move_aside
from programs.judges.review_list import review_path
from programs.run.dropped_list import dropped_path
from programs.run.journal import Journal
from programs.settings import Settings


def cleared_for(settings: Settings) -> Path:
    """The journal's path; for a fresh start what lies there, and beside it, is moved aside first."""
    journal, output = settings.journal, settings.output
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    if not settings.resume:
        with contextlib.suppress(FileNotFoundError):
            Journal(journal).close() if journal.exists() else None
        move_aside(journal, output, review_path(output), dropped_path(output))
        Path(f"{journal}.index").unlink(missing_ok=True)
    return journal


def mixing_of(settings: Settings, fingerprint: str) -> dict[str, Any]:
    """The settings whose difference would mix unlike data."""
    return {
        "model": settings.model,
        "stage-model": settings.stage_models,
        "program": fingerprint,
        "seed": settings.seed,
        "temperature": settings.temperature,
        # Named where it is used alone: journals that never heard of it were made without it.
        **({"prefilter": "on"} if settings.prefilter else {}),
        **_named(settings, "chunk_tokens", "chunk_overlap", "text_column", "max_passage_chars", "setting"),
        **_named(settings, "thought", "reasoning_effort"),
    }


def _named(settings: Settings, *names: str) -> dict[str, Any]:
    """Those of these settings that are not their defaults, as options are named."""
    given = {name: getattr(settings, name) for name in names}
    return {
        name.replace("_", "-"): str(value)
        for name, value in given.items()
        if value != type(settings).model_fields[name].default
    }


def refuse_mixture(journal: Journal, mixing: dict[str, Any], settings: Settings) -> None:
    earlier = journal.latest("run", "")
    if earlier is None or settings.allow_mixed:
        return
    differences = [
        f"--{name} was {earlier['mixing'].get(name, 'off')} and is now {mixing.get(name, 'off')}"
        for name in {**earlier["mixing"], **mixing}
        if earlier["mixing"].get(name) != mixing.get(name)
    ]
    if differences:
        raise UserError(
            f"{settings.journal} was made otherwise: {'; '.join(differences)}. "
            "Choose another --output, start afresh with --no-resume, or mix on purpose with --allow-mixed"
        )


LOOKED_INTO = ("quality_check", "grade_answers", "blind_solve", "check_steps")
"""The options whose results stand in the records."""


TIME_TO_THINK = 600.0
"""Seconds in which 16,384 tokens come at 27 a second."""


def cautions(settings: Settings, last: Mapping[str, Any] | None, without_effort: Sequence[str] = ()) -> Iterator[str]:
    """A line for each thing to warn of. `last` is the journal's latest `run` line; `without_effort` are the models that a
    reasoning effort is not sent to."""
    yield from itself(settings)
    yield from filter(None, [_leaves_out(settings, (last or {}).get("settings") or {})])
    if settings.thought != "written" and settings.timeout < TIME_TO_THINK:
        yield (
            f"thinking takes long, and a call has {settings.timeout:g} seconds: give --timeout {TIME_TO_THINK:g} or more "
            "where calls time out"
        )
    if without_effort:
        yield f"--reasoning-effort is not sent to {', '.join(without_effort)}, which is not known to take it"


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
