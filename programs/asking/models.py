"""The models of a run: which one answers which ask."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from itertools import chain

from programs.asking.ask import Ask
from programs.errors import AccessDenied, BackendError, UnknownModel, UserError
from programs.lms.addresses import bases_of, check_models
from programs.lms.embedded import EMBEDDED_SECONDS, SLOTS, EmbeddedServers
from programs.lms.failures import Forbidden, NotConnected
from programs.lms.resolve import Model, resolve
from programs.lms.retry import OnRetry, RetryPolicy
from programs.lms.server import Effort, ModelName, Server, model_lists, with_nearest
from programs.option_groups import ConnectionOptions
from programs.settings import Settings

log = logging.getLogger(__name__)

CONNECT_TRIES = 3

LIST_TIMEOUT = 10.0
"""Seconds that a server may take to list its models."""

REMOTE_CONCURRENCY = 16

EMBEDDED_PASSAGE_CHARS = 10_000
REMOTE_PASSAGE_CHARS = 100_000
"""A slot of the embedded server holds 8192 tokens: about 3000 of passage, the rest for the strands, the reply and its
tokens. Servers of today take 32,000 tokens and more."""


class ModelTable:
    """Models by their names, each opened once. The first answers every stage for which `of_stage` names no other.
    `on_retry` is told of each failure after which a call is tried again, and how soon; without `bring` no file of an
    embedded model is brought here. Raises `UserError` for a name that cannot be one, and for an address of none of them."""

    def __init__(
        self,
        names: Iterable[str],
        connection: ConnectionOptions,
        *,
        temperature: float,
        reasoning_effort: Effort | None = None,
        of_stage: Mapping[str, str] | None = None,
        bring: bool = True,
        on_retry: OnRetry | None = None,
    ) -> None:
        self.names = list(dict.fromkeys(names))
        self._timeout, self._effort, self._of_stage = connection.timeout, reasoning_effort, of_stage or {}
        check_models(connection.api_base, self.names)
        retry = RetryPolicy(first_wait=connection.retry_wait, patience=connection.patience, on_retry=on_retry)
        servers = EmbeddedServers(bring=bring)
        self._models = {
            name: resolve(
                name,
                api_base=bases_of(name, connection.api_base),
                timeout=connection.timeout,
                max_tokens=connection.max_output_tokens,
                temperature=temperature,
                reasoning_effort=reasoning_effort,
                retry=retry,
                servers=servers,
            )
            for name in self.names
        }

    @classmethod
    def of_run(cls, settings: Settings, on_retry: OnRetry | None = None) -> "ModelTable":
        """The models of a run."""
        return cls(
            [settings.model, *chain(*settings.asked.values())],
            settings,
            temperature=settings.temperature,
            reasoning_effort=settings.reasoning_effort,
            of_stage=settings.stage_models,
            bring=not settings.dry_run,
            on_retry=on_retry,
        )

    @property
    def without_effort(self) -> list[str]:
        """The names of the models that are sent no reasoning effort, though one is given."""
        return [name for name, model in self._models.items() if self._effort is not None and not model.takes_effort]

    @property
    def longest_call(self) -> float:
        """Seconds that calls under way are given to end: as many as one may take, at one server."""
        return max(self._timeout, EMBEDDED_SECONDS) if any(map(few_slots, self.names)) else self._timeout

    @property
    def main(self) -> Model:
        """The model of every stage that has none of its own."""
        return self._models[self.names[0]]

    def of(self, ask: Ask) -> Model:
        """The model that answers an ask."""
        return self._models[ask.judge or self._of_stage.get(ask.stage, self.names[0])]

    def named(self, name: str) -> Model:
        """An opened model."""
        return self._models[name]

    async def reach(self) -> None:
        """Raises `UserError` when no server of a model can be connected to, or one refuses the credentials, before any work
        begins; also when one of several does not list the model that another lists. A server that is not up, where another
        is, is told of in a warning: calls find it when it answers.

        Any other trouble with a list of models says nothing about calls: not every server keeps one.
        """
        away: dict[str, NotConnected] = {}
        for model in self._models.values():
            if few_slots(model.name):
                continue
            try:
                listed, missing = await model_lists(model.engine.servers, _reach)
            except NotConnected as error:
                raise UserError(str(error)) from None
            away |= {server.endpoint: error for server, error in missing.items()}
            without = [server for server, names in listed.items() if not any(server.model in name for name in names)]
            for server in without:
                # A list without it is a mistake where another list has it; alone it may be of fewer names than are taken.
                if listed[server] and len(without) < len(listed):
                    unknown = UnknownModel(f"{server.endpoint} does not have the model {server.model!r}")
                    raise UserError(str(with_nearest(unknown, server.model, listed[server])))
        for lost in away.values():
            log.warning("%s (the others take its calls until it answers)", lost)

    async def close(self) -> None:
        """Closes the connections and servers of all."""
        for model in self._models.values():
            await model.aclose()


async def _reach(server: Server) -> list[ModelName]:
    """The models that a server lists; none where it keeps no list. Raises NotConnected where it cannot be connected to, and
    `UserError` where it refuses the credentials."""
    for left in reversed(range(CONNECT_TRIES)):
        try:
            return await asyncio.wait_for(server.list_models(), LIST_TIMEOUT)
        except NotConnected:
            if not left:
                raise
        except (BackendError, asyncio.TimeoutError) as error:
            # With 403 a key may be good for calls alone.
            if isinstance(error, AccessDenied) and not isinstance(error, Forbidden):
                raise UserError(f"{server.endpoint}: {error}") from None
            break
    return []


def few_slots(model: str) -> bool:
    """Whether that is an embedded model: few texts should then be under way, so that what their calls share stays in the
    server's few slots."""
    return model.partition(":")[0] == "embedded"


def concurrency_of(model: str) -> int:
    """How many calls a model is sent at once when nothing is said: as many as the embedded server has slots for."""
    return SLOTS if few_slots(model) else REMOTE_CONCURRENCY


def passage_chars_of(model: str) -> int:
    """The characters of passage that leave room for the other parts of every prompt and reply."""
    return EMBEDDED_PASSAGE_CHARS if few_slots(model) else REMOTE_PASSAGE_CHARS
