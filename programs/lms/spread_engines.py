"""The two engines that DSPy calls where several servers have the same model: each try goes to the engine of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspy.lm15 import Request, Response

from programs.lms.backend import ModelName
from programs.lms.engine import AsyncEngine, SyncEngine
from programs.lms.retry import RetryPolicy
from programs.lms.spread import Spread


class _SpreadEngine:
    """What both engines hold. A copy of an engine is the engine itself: optimizers copy whole programs."""

    def __init__(self, servers: Sequence[SyncEngine] | Sequence[AsyncEngine], spread: Spread) -> None:
        self._spread = spread
        self._known = tuple(servers)
        self.supported_params = frozenset.intersection(*(server.supported_params for server in servers))

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call, when no server is chosen yet; False once one of them has refused schemas."""
        return all(server.supports_response_schema for server in self._known)

    def __deepcopy__(self, memo: dict[int, Any]) -> _SpreadEngine:
        return self


class SyncSpreadEngine(_SpreadEngine):
    """A `SyncEngine` over several servers, at least one. `close` it when done."""

    def __init__(self, servers: Sequence[SyncEngine], *, spread: Spread, retry: RetryPolicy) -> None:
        super().__init__(servers, spread)
        self.servers = tuple(servers)
        self._retry = retry

    def complete(self, request: Request) -> Response:
        """The answer to `request`. Where a server fails the next is asked at once; where all do, tried again as the
        retry policy says. Raises the BackendError that remains."""
        return self._retry.call(lambda: self._round(request))

    def list_models(self) -> list[ModelName]:
        """The models that all servers offer, asked once each, without a retry. Raises a BackendError."""
        return _common([server.list_models() for server in self.servers])

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        for server in self.servers:
            server.close()

    def _round(self, request: Request) -> Response:
        order, tried = self._spread.order(request), list[int]()
        while True:
            with self._spread.turn(order, tried) as server:
                return self.servers[server].attempt(request)


class AsyncSpreadEngine(_SpreadEngine):
    """An `AsyncEngine` over several servers, at least one. `aclose` it on each loop."""

    def __init__(self, servers: Sequence[AsyncEngine], *, spread: Spread, retry: RetryPolicy) -> None:
        super().__init__(servers, spread)
        self.servers = tuple(servers)
        self._retry = retry

    async def complete(self, request: Request) -> Response:
        """The answer to `request`. Where a server fails the next is asked at once; where all do, tried again as the
        retry policy says. Raises the BackendError that remains."""
        return await self._retry.acall(lambda: self._round(request))

    async def list_models(self) -> list[ModelName]:
        """The models that all servers offer, asked once each, without a retry. Raises a BackendError."""
        return _common([await server.list_models() for server in self.servers])

    async def aclose(self) -> None:
        """Close the running loop's connections. A later call opens new ones."""
        for server in self.servers:
            await server.aclose()

    async def _round(self, request: Request) -> Response:
        order, tried = self._spread.order(request), list[int]()
        while True:
            with self._spread.turn(order, tried) as server:
                return await self.servers[server].attempt(request)


def _common(lists: Sequence[list[ModelName]]) -> list[ModelName]:
    first, *others = lists
    return [name for name in first if all(name in other for other in others)]
