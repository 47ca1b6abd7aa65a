"""Which names a user may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rapidfuzz import fuzz, process, utils

from programs.errors import UnknownModel
from programs.lms.backend import ModelName

_ALIKE = 50.0
_SHOWN = 3


def nearest_names(name: str, known: Iterable[ModelName]) -> list[str]:
    """Up to three names that requests take, nearest first, compared by either of a model's names."""
    spellings = {(model.internal_id, spelling): spelling for model in known for spelling in set(model)}
    found = process.extract(
        name, spellings, scorer=fuzz.WRatio, processor=utils.default_process, limit=None, score_cutoff=_ALIKE
    )
    return list(dict.fromkeys(internal_id for _, _, (internal_id, _) in found))[:_SHOWN]


def with_nearest(error: UnknownModel, name: str, known: Iterable[ModelName]) -> UnknownModel:
    """`error` with the nearest known names added to its message; as it is where none is near."""
    names = nearest_names(name, known)
    return UnknownModel(f"{error} (nearest names: {', '.join(names)})") if names else error


def model_names(payload: Mapping[str, Any]) -> list[ModelName]:
    """The models of a `/models` reply; entries in no known form are passed over."""
    entries = payload.get("data")
    if not isinstance(entries, list):
        return []
    names = [_model_name(entry) for entry in entries if isinstance(entry, Mapping)]
    return [name for name in names if name is not None]


def _model_name(entry: Mapping[str, Any]) -> ModelName | None:
    shown, taken = entry.get("id"), entry.get("internal_id")
    if not isinstance(shown, str):
        shown = taken
    if not isinstance(taken, str):
        taken = shown
    return ModelName(shown, taken) if isinstance(shown, str) and isinstance(taken, str) else None
