"""Going on where an earlier run stopped, starting afresh, and refusing to mix unlike data."""

import contextlib
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.files.aside import move_aside
from programs.journals.journal import Journal
from programs.judges.review_list import review_path
from programs.selection.dropped_list import dropped_path
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
