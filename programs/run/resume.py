"""Resumes an earlier run or starts afresh, refuses to mix data made with other settings, and warns at a run's start."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from programs.cli.options import describe_changes, option_name
from programs.errors import UserError
from programs.files import move_aside, path_beside, take_lock
from programs.inputs.sample import content_id
from programs.option_groups import PromptOptions
from programs.run.document import import_document
from programs.run.journal import Journal, JournalReader
from programs.settings import Settings

log = logging.getLogger("synthreasoner")

RECORDED_IF_GIVEN = (
    "chunk_tokens",
    "chunk_overlap",
    "text_column",
    "max_passage_chars",
    "setting",
    "thought",
    "reasoning_effort",
)
"""Options that runs must also share, recorded only if they are not at their default: older journals lack them."""

OPTIONS_IN_RECORDS = ("quality_check", "grade_answers", "blind_solve", "check_steps")
"""The options whose results are in the records."""


def prepare_journal_path(settings: Settings) -> Path:
    """The journal's path. For a fresh start, moves the old files aside first. Raises `UserError` if that fails, another
    process uses the journal, or the output is a folder."""
    journal, output = settings.journal, settings.output
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    if not settings.resume:
        with take_lock(journal):
            try:
                # The index too: it may also be a file of the user's.
                move_aside(journal, Path(f"{journal}.index"), output, path_beside(output, ".review.jsonl"))
            except OSError as error:
                raise UserError(f"{journal} cannot be moved aside: {error.strerror}") from error
    return journal


def prepare_journal(
    journal: Journal, settings: Settings, mixing: dict[str, Any], without_effort: Sequence[str]
) -> None:
    """Prepares a journal for a run: warns, and imports a document that has no journal. Raises as `refuse_mixture` does."""
    last = journal.latest("run", "")
    refuse_mixture(journal, mixing, settings)
    for caution in cautions(settings, last, without_effort):
        log.warning("%s", caution)
    # An import before the first run may have been interrupted: it is repeated.
    if settings.output.exists() and (last is None or journal.index.counts() == {}):
        log.info("imported %d traces from %s", import_document(journal, settings.output), settings.output)


def mixing_of(settings: Settings, fingerprint: str) -> dict[str, Any]:
    """The settings that all runs of a journal must share, so that unlike data is not mixed."""
    fields, values = type(settings).model_fields, settings.model_dump(mode="json")
    # Options about prompts that only config files can set: the names they hold, with a hash of their content.
    extra = {
        name: f"{', '.join(value)} ({content_id(json.dumps(value, sort_keys=True))[:6]})"
        for name in PromptOptions.model_fields
        if (value := values[name])
    }
    given = {name: getattr(settings, name) for name in RECORDED_IF_GIVEN}
    extra |= {name: str(value) for name, value in given.items() if value != fields[name].default}
    # Only if used: older journals, which do not have it, were made without.
    if settings.prefilter:
        extra["prefilter"] = "on"
    return {
        "model": settings.model,
        "stage-model": settings.stage_models,
        "program": fingerprint,
        "seed": settings.seed,
        "temperature": settings.temperature,
        **{name.replace("_", "-"): value for name, value in extra.items()},
    }


def mixing_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A phrase for each setting in which two runs differ (`mixing_of`)."""
    fields = Settings.model_fields
    recorded = {name.replace("_", "-"): fields[name].default for name in RECORDED_IF_GIVEN}
    defaults = {name: str(default) for name, default in recorded.items() if default is not None}
    return describe_changes({**defaults, **before}, {**defaults, **now})


def refuse_mixture(journal: JournalReader, mixing: Mapping[str, Any], settings: Settings) -> None:
    """Raises `UserError` if the journal's data was made with other settings (`mixing_of`), without `--allow-mixed`."""
    last = journal.latest("run", "")
    if last is None or settings.allow_mixed or not journal.index.holds_work():
        return
    if differences := mixing_differences(last["mixing"], mixing):
        raise UserError(
            f"{settings.journal} was made with other settings: {'; '.join(differences)}. "
            "Choose another --output, start afresh with --no-resume, or mix on purpose with --allow-mixed"
        )


def cautions(settings: Settings, last: Mapping[str, Any] | None, without_effort: Sequence[str] = ()) -> Iterator[str]:
    """Yields a line for each warning. `last`: the journal's latest `run` line; `without_effort`: the models that are not
    sent `--reasoning-effort`."""
    yield from self_assessments(settings)
    before = (last or {}).get("settings") or {}
    dropped = [option_name(name) for name in OPTIONS_IN_RECORDS if before.get(name) and not getattr(settings, name)]
    if dropped:
        yield (
            f"the last run had {', '.join(dropped)}, this one does not: traces are decided again without them, and "
            "their records lose these results; the replies stay in the journal, so the same options restore them without "
            "a call"
        )
    if without_effort:
        yield f"--reasoning-effort is not sent to {', '.join(without_effort)}, which is not known to accept it"


def self_assessments(settings: Settings) -> Iterator[str]:
    """Yields a warning if a model assesses its own work; the summary repeats it."""
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
            f"a model {' and '.join(own)} its own work, and is lenient and blind to its own mistakes; choose another model "
            f"with {' and '.join(own.values())}"
        )
