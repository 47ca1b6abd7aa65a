"""Which of several servers with the same model a call goes to.

Each passage has an order of preference of its own among the servers (rendezvous hashing: Thaler and Ravishankar, "Using
name-based mappings to increase hit rates", 1998), so that its calls find its prefix in one server's cache, and another
server changes the place of few passages only. A server that has its share of the calls in flight is passed over for the
next in the order (Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", arXiv:1608.01350).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dspy.lm15 import Request, Response

from programs.errors import BackendError, FatalError, RateLimited, TransientError
from programs.lms.backend import ModelName
from programs.lms.engine import Engine
from programs.lms.faults import EmptyAnswer
from programs.lms.retry import RetryPolicy

LONGEST_BEGINNING = 4000
"""Characters of a passage that tell it from others."""

DOWN_AFTER = 3
"""Failures in a row, over all calls, after which a server is passed over. A single failure says little of a server that
answers hundreds of calls at once; the call that failed is asked elsewhere anyway."""

TOLD_AFTER = 3
"""Pauses in a row after which the user is told; a server that stumbles is back before."""

Pause = Callable[[int, float | None], float]

log = logging.getLogger(__name__)


def shared_beginning(request: Request) -> str:
    """What the calls about one passage begin with: the first message up to its first blank line, as passages have none
    inside (see `programs.asking.adapter`)."""
    parts = request.messages[0].parts if request.messages else ()
    text = getattr(parts[0], "text", None) or "" if parts else ""
    return str(text[:LONGEST_BEGINNING].partition("\n\n")[0])


def preference(beginning: str, names: Sequence[str]) -> list[int]:
    """The indices of `names` from the most to the least preferred. The order of two names depends on nothing else."""
    said = blake2b(beginning.encode("utf-8", "surrogatepass")).digest()
    weights = [blake2b(said + name.encode()).digest() for name in names]
    return sorted(range(len(names)), key=weights.__getitem__)


def choose(order: Sequence[int], in_flight: Sequence[int], among: Collection[int]) -> int:
    """The first server in `order` that is in `among` and would hold no more than 5/4 of its share, rounded up, of the
    calls in flight among these, the new one included. `among` must hold a server of `order`: one has always room."""
    allowed = [server for server in order if server in among]
    calls = sum(in_flight[server] for server in allowed) + 1
    room = -(-5 * calls // (4 * len(allowed)))
    return next(server for server in allowed if in_flight[server] < room)


@dataclass
class _Server:
    """What is known of a server. It is down after `DOWN_AFTER` failures in a row; once its pause is over, one call at a
    time goes to it, to see whether it answers again."""

    name: str
    in_flight: int = 0
    failures: int = 0
    pauses: int = 0
    paused_until: float = 0.0
    probed: bool = False

    @property
    def down(self) -> bool:
        return self.failures >= DOWN_AFTER

    def waits_for_probe(self, now: float) -> bool:
        return self.down and now >= self.paused_until and not self.probed


class Spread:
    """The servers, by their indices, and the calls that are under way. Safe to share between threads.

    `pause` gives the seconds that a server is passed over, from how often it was before and its Retry-After.
    """

    def __init__(self, names: Sequence[str], pause: Pause, clock: Callable[[], float] = time.monotonic) -> None:
        self._names = tuple(names)
        self._servers = [_Server(name) for name in names]
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()

    def order(self, request: Request) -> list[int]:
        """The servers as a request prefers them."""
        return preference(shared_beginning(request), self._names)

    @contextmanager
    def turn(self, order: Sequence[int], tried: list[int]) -> Iterator[int]:
        """The server for the next try of a call, which is added to `tried`; the block makes the try.

        A TransientError out of the block is swallowed where another server may be tried at once; it is raised where
        every server that is not down was. A FatalError is raised with the server's name. While all are down, calls go
        to them as if none was, and the first answer brings its server back.
        """
        server, probe = self._take(order, tried)
        tried.append(server)
        error: BaseException | None = None
        try:
            yield server
        except TransientError as caught:
            error = caught
            if not self._open(tried):
                raise
        except FatalError as caught:
            error = caught
            raise type(caught)(f"{self._names[server]}: {caught}") from None
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._give_back(server, probe, error)

    def _open(self, tried: Collection[int]) -> list[int]:
        """The servers that are neither tried nor down, and those that wait for a probe."""
        now = self._clock()
        known = ((index, server) for index, server in enumerate(self._servers) if index not in tried)
        return [index for index, server in known if not server.down or server.waits_for_probe(now)]

    def _take(self, order: Sequence[int], tried: Collection[int]) -> tuple[int, bool]:
        with self._lock:
            index = choose(order, [server.in_flight for server in self._servers], self._open(tried) or order)
            server = self._servers[index]
            probe = server.waits_for_probe(self._clock())
            server.probed = server.probed or probe
            server.in_flight += 1
            return index, probe

    def _give_back(self, index: int, probe: bool, error: BaseException | None) -> None:
        with self._lock:
            server = self._servers[index]
            server.in_flight -= 1
            if probe:
                server.probed = False
            if error is None or (isinstance(error, BackendError) and not _is_trouble(error)):
                if server.pauses >= TOLD_AFTER:
                    log.warning("%s answers again", server.name)
                server.failures = server.pauses = 0
            elif isinstance(error, TransientError):
                self._count_failure(server, probe, error)

    def _count_failure(self, server: _Server, probe: bool, error: TransientError) -> None:
        # Calls that were under way when the server went down say nothing new.
        if server.down and not probe:
            return
        server.failures += 1
        if server.down:
            server.pauses += 1
            server.paused_until = self._clock() + self._pause(server.pauses, error.retry_after)
            if server.pauses == TOLD_AFTER:
                log.warning("%s is passed over until it answers again: %s", server.name, error)


def _is_trouble(error: BackendError) -> bool:
    """Whether an error shows a server that does not work; one that answers badly or asks for patience does."""
    return isinstance(error, TransientError) and not isinstance(error, RateLimited | EmptyAnswer)


class SpreadEngine:
    """An `Engine` over several servers, at least one. `aclose` it on each loop. A copy of it is itself."""

    def __init__(self, servers: Sequence[Engine], *, spread: Spread, retry: RetryPolicy) -> None:
        self.servers = tuple(servers)
        self._spread = spread
        self._retry = retry
        self.supported_params = frozenset.intersection(*(server.supported_params for server in servers))

    def __deepcopy__(self, memo: dict[int, Any]) -> SpreadEngine:
        return self

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call, when no server is chosen yet; False once one of them has refused schemas."""
        return all(server.supports_response_schema for server in self.servers)

    async def complete(self, request: Request) -> Response:
        """The answer to `request`. Where a server fails the next is asked at once; where all do, tried again as the
        retry policy says. Raises the BackendError that remains."""
        return await self._retry.call(lambda: self._round(request))

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
