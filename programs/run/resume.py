"""Going on where an earlier run stopped, starting afresh, refusing to mix unlike data, and warning as a run begins."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from programs.cli.options import changed, option_of
from programs.document import import_document
from programs.errors import UserError
from programs.files import beside, move_aside, take_lock
from programs.inputs.sample import content_id
from programs.option_groups import PromptOptions
from programs.run.journal import Journal, JournalReader
from programs.settings import Settings

log = logging.getLogger("synthreasoner")

NAMED_IF_GIVEN = (
    "chunk_tokens",
    "chunk_overlap",
    "text_column",
    "max_passage_chars",
    "setting",
    "thought",
    "reasoning_effort",
)
"""Of the options that make data unlike, those that older journals never heard of."""

LOOKED_INTO = ("quality_check", "grade_answers", "blind_solve", "check_steps")
"""The options whose results stand in the records."""


def cleared_for(settings: Settings) -> Path:
    """The journal's path; for a fresh start what lies there, and beside it, is moved aside first."""
    journal, output = settings.journal, settings.output
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    if not settings.resume:
        with take_lock(journal):
            try:
                # The index goes with it: it may be somebody's as well.
                move_aside(journal, Path(f"{journal}.index"), output, beside(output, ".review.jsonl"))
            except OSError as error:
                raise UserError(f"{journal} cannot be moved aside: {error.strerror}") from error
    return journal


def take_up(journal: Journal, settings: Settings, mixing: dict[str, Any], without_effort: Sequence[str]) -> None:
    """Makes a journal ready for a run by these settings. Raises `UserError` where it may not go on with what is there."""
    last = journal.latest("run", "")
    refuse_mixture(journal, mixing, settings)
    for caution in cautions(settings, last, without_effort):
        log.warning("%s", caution)
    # Until the first run begins, an import may have been interrupted: it is made again.
    if settings.output.exists() and (last is None or journal.index.counts() == {}):
        log.info("%d traces taken over from %s", import_document(journal, settings.output), settings.output)


def mixing_of(settings: Settings, fingerprint: str) -> dict[str, Any]:
    """The settings whose difference would mix unlike data."""
    fields, values = type(settings).model_fields, settings.model_dump(mode="json")
    # What shapes prompts and stands in config files alone: the names it holds, with a hash of all.
    shown = {
        name: f"{', '.join(value)} ({content_id(json.dumps(value, sort_keys=True))[:6]})"
        for name in PromptOptions.model_fields
        if (value := values[name])
    }
    given = {name: getattr(settings, name) for name in NAMED_IF_GIVEN}
    shown |= {name: str(value) for name, value in given.items() if value != fields[name].default}
    # Only where it is used: journals that never heard of it were made without.
    shown |= {"prefilter": "on"} if settings.prefilter else {}
    return {
        "model": settings.model,
        "stage-model": settings.stage_models,
        "program": fingerprint,
        "seed": settings.seed,
        "temperature": settings.temperature,
        **{name.replace("_", "-"): value for name, value in shown.items()},
    }


def refuse_mixture(journal: JournalReader, mixing: Mapping[str, Any], settings: Settings) -> None:
    """Raises `UserError` where a run would mix unlike data with what the journal holds, and nobody asked for that."""
    last = journal.latest("run", "")
    if last is None or settings.allow_mixed or not journal.index.holds_work():
        return
    if differences := changed(last["mixing"], mixing):
        raise UserError(
            f"{settings.journal} was made otherwise: {'; '.join(differences)}. "
            "Choose another --output, start afresh with --no-resume, or mix on purpose with --allow-mixed"
        )


def cautions(settings: Settings, last: Mapping[str, Any] | None, without_effort: Sequence[str] = ()) -> Iterator[str]:
    """A line for each thing to warn of. `last` is the journal's latest `run` line; the models `without_effort` are not sent
    a reasoning effort."""
    yield from self_assessments(settings)
    before = (last or {}).get("settings") or {}
    gone = [option_of(name) for name in LOOKED_INTO if before.get(name) and not getattr(settings, name)]
    if gone:
        yield (
            f"the last run had {', '.join(gone)}, this one has not: traces are decided again without, and their records "
            "lose what was found; the replies stay in the journal, and the same options bring it back without a call"
        )
    if without_effort:
        yield f"--reasoning-effort is not sent to {', '.join(without_effort)}, which is not known to take it"


def self_assessments(settings: Settings) -> Iterator[str]:
    """A line where a model is asked about its own work; the summary has it too."""
    writers = {settings.stage_models.get(stage, settings.model) for stage in ("trace", "answer")}
    solver, comparer = (settings.solver, settings.comparer) if settings.blind_solve else (None, None)
    asked = (
        ("judges", settings.judges if settings.quality_check else (), "--judge-models"),
        ("grades", (settings.grader,), "--grade-model"),
        ("solves", (solver,), "--solver-model"),
        ("compares", (comparer,), "--compare-model"),
    )
    own = {what: option for what, models, option in asked if writers.intersection(models)}
    if own:
        yield (
            f"a model {' and '.join(own)} its own work, which flatters it and shares its errors; name another with "
            f"{' and '.join(own.values())}"
        )
