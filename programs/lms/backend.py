"""What is specific to one kind of server: how a request looks on its wire, and how its replies are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from dspy.lm15 import Request, Response
from rapidfuzz import fuzz, process, utils

from programs.errors import UnknownModel
from programs.lms.structured import Rung

Effort = Literal["low", "medium", "high"]
"""How long a model thinks, in the words of OpenAI's `reasoning_effort`."""


@dataclass(frozen=True)
class HttpCall:
    """One HTTP request to be sent. `rung` says how much structure it asks for (NONE where it asks for none)."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    rung: Rung = Rung.NONE


@dataclass(frozen=True)
class Reply:
    """A whole HTTP reply. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class ModelName(NamedTuple):
    """A model as a server lists it: the name it shows, and the name that requests take."""

    id: str
    internal_id: str


class Backend(Protocol):
    """A kind of server, and one model on it. Holds no connection and no state that calls change.

    `endpoint` may be shown to anyone (no credentials); `secrets` may never be. `unreachable` is what to tell a user
    whose connection fails. `takes_sampling` is False for models that refuse temperature and its like.
    """

    name: str
    model: str
    endpoint: str
    secrets: tuple[str, ...]
    unreachable: str
    takes_sampling: bool
    supports_response_schema: bool
    supported_params: frozenset[str]

    def start(self) -> None:
        """Make the server ready. Called before the first call of each engine; may block; raises UserError."""

    def close(self) -> None:
        """Give back what `start` took. Safe to call twice."""

    def post(self, request: Request, rung: Rung) -> HttpCall:
        """The HTTP request that asks for an answer, asking for no more structure than `rung`."""

    def read(self, reply: Reply) -> Response:
        """The answer in a reply. Raises a BackendError without secrets for everything that is no answer."""

    def models_call(self) -> HttpCall:
        """The HTTP request that asks which models there are."""

    def read_models(self, reply: Reply) -> list[ModelName]:
        """The models in a reply to `models_call`. Raises as `read` does."""


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
