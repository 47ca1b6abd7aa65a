"""The models of a run, and which of them answers an ask."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from itertools import chain

from programs.asking.ask import Ask
from programs.errors import AccessDenied, BackendError, UserError
from programs.lms.addresses import bases_of, check_models
from programs.lms.embedded import EMBEDDED_SECONDS, SLOTS
from programs.lms.failures import ConnectionFailed, Forbidden
from programs.lms.resolve import Model, resolve
from programs.lms.retry import OnRetry, RetryPolicy
from programs.lms.server import Effort, ListedModel, Server, model_lists, nearest_name
from programs.option_groups import ConnectionOptions
from programs.settings import Settings

log = logging.getLogger(__name__)

CONNECT_TRIES = 3

LIST_TIMEOUT = 10.0
"""Seconds that a server may take to list its models."""

REMOTE_CONCURRENCY = 16

EMBEDDED_PASSAGE_CHARS = 10_000
REMOTE_PASSAGE_CHARS = 100_000
"""A slot of the embedded server holds 8192 tokens: about 3000 of the passage, the rest for the strands and the reply. Other
servers take 32,000 tokens and more."""


class ModelTable:
    """Models by name, each opened once. The first answers every stage for which `of_stage` names no other. `on_retry` is
    called before each retry with the error and the delay. Without `download`, no files of embedded models are downloaded.
    Raises `UserError` for an invalid name, and for an address that is given for a model not in use."""

    def __init__(
        self,
        names: Iterable[str],
        connection: ConnectionOptions,
        *,
        temperature: float,
        reasoning_effort: Effort | None = None,
        of_stage: Mapping[str, str] | None = None,
        download: bool = True,
        on_retry: OnRetry | None = None,
    ) -> None:
        self.names = list(dict.fromkeys(names))
        self._timeout, self._effort, self._of_stage = connection.timeout, reasoning_effort, of_stage or {}
        check_models(connection.api_base, self.names)
        retry = RetryPolicy(first_wait=connection.retry_wait, patience=connection.patience, on_retry=on_retry)
        self._models = {
            name: resolve(
                name,
                api_base=bases_of(name, connection.api_base),
                timeout=connection.timeout,
                max_tokens=connection.max_output_tokens,
                temperature=temperature,
                reasoning_effort=reasoning_effort,
                retry=retry,
                download=download,
            )
            for name in self.names
        }

    @classmethod
    def of_run(cls, settings: Settings, on_retry: OnRetry | None = None) -> "ModelTable":
        """The models that a run's settings name."""
        return cls(
            [settings.model, *chain(*settings.models_by_kind.values())],
            settings,
            temperature=settings.temperature,
            reasoning_effort=settings.reasoning_effort,
            of_stage=settings.stage_models,
            download=not settings.dry_run,
            on_retry=on_retry,
        )

    @property
    def without_effort(self) -> list[str]:
        """The names of the models that are not sent the reasoning effort, if one is set."""
        if self._effort is None:
            return []
        return [name for name, model in self._models.items() if "reasoning_effort" not in model.engine.supported_params]

    @property
    def longest_call(self) -> float:
        """Seconds that calls in flight are given when a run stops: the timeout of a call at one server."""
        return max(self._timeout, EMBEDDED_SECONDS) if any(map(is_embedded, self.names)) else self._timeout

    @property
    def main(self) -> Model:
        """The model of every stage without a model of its own."""
        return self._models[self.names[0]]

    def of(self, ask: Ask) -> Model:
        """The model that answers an ask."""
        return self._models[ask.model or self._of_stage.get(ask.stage, self.names[0])]

    def named(self, name: str) -> Model:
        """The model of that name."""
        return self._models[name]

    async def check_servers(self) -> None:
        """Checks the servers before any work starts. Raises `UserError` if no server of a model can be connected to, if one
        refuses the credentials, or if one of several does not list the model that another lists. Logs a warning if only
        some servers of a model are down. Ignores other failures to list models, since not every server has such a list."""
        unreachable: dict[str, ConnectionFailed] = {}
        for model in self._models.values():
            if is_embedded(model.name):
                continue
            try:
                listed, failed = await model_lists(model.engine.servers, _list_models)
            except ConnectionFailed as error:
                raise UserError(str(error)) from None
            unreachable |= {server.endpoint: error for server, error in failed.items()}
            lacking = [server for server, names in listed.items() if not any(server.model in name for name in names)]
            for server in lacking:
                # Only if another server lists the model: a list may be incomplete, and the server accept more names.
                if listed[server] and len(lacking) < len(listed):
                    nearest = nearest_name(server.model, listed[server])
                    raise UserError(f"{server.endpoint} does not have the model {server.model!r}{nearest}")
        for reason in unreachable.values():
            log.warning("%s (the other servers take its calls until it answers)", reason)

    async def close(self) -> None:
        """Closes the connections and servers of all models."""
        for model in self._models.values():
            await model.aclose()


async def _list_models(server: Server) -> list[ListedModel]:
    """The models that a server lists, none if listing fails. Raises `ConnectionFailed` if it cannot be connected to, and
    `UserError` if it refuses the credentials."""
    for tries_left in reversed(range(CONNECT_TRIES)):
        try:
            return await asyncio.wait_for(server.list_models(), LIST_TIMEOUT)
        except ConnectionFailed:
            if not tries_left:
                raise
        except (BackendError, asyncio.TimeoutError) as error:
            # A key that gets a 403 here may still be valid for calls.
            if isinstance(error, AccessDenied) and not isinstance(error, Forbidden):
                raise UserError(f"{server.endpoint}: {error}") from None
            break
    return []


def is_embedded(model: str) -> bool:
    """Whether this is an embedded model. Few texts should then be in progress at once, so that the prompt prefixes shared
    by their calls stay in the server's few slots."""
    return model.partition(":")[0] == "embedded"


def concurrency_of(model: str) -> int:
    """The default number of concurrent calls to a model; for an embedded one, the number of its server's slots."""
    return SLOTS if is_embedded(model) else REMOTE_CONCURRENCY


def passage_chars_of(model: str) -> int:
    """The default length of a passage, which leaves room for the rest of every prompt and for the reply."""
    return EMBEDDED_PASSAGE_CHARS if is_embedded(model) else REMOTE_PASSAGE_CHARS
