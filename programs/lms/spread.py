"""Which of several servers with the same model a call goes to.

Each passage has an order of preference of its own among the servers (rendezvous hashing: Thaler and Ravishankar, "Using
name-based mappings to increase hit rates", 1998), so that its calls find its prefix in one server's cache, and another
server changes the place of few passages only. A server that has its share of the calls in flight is passed over for the
next in the order (Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", arXiv:1608.01350).
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from dspy.lm15 import Request

from programs.errors import BackendError, FatalError, RateLimited, TransientError
from programs.lms.failures import EmptyAnswer

LONGEST_BEGINNING = 4000  # characters of a passage that tell it from others
WARNED_AFTER = 3  # pauses in a row after which the user is told; a server that stumbles is back before

DOWN_AFTER = 3
"""Failures in a row, over all calls, after which a server is passed over. A single failure says little of a server that
answers hundreds of calls at once; the call that failed is asked elsewhere anyway."""

log = logging.getLogger(__name__)


def shared_beginning(request: Request) -> str:
    """What the calls about one passage begin with: the first message up to its first blank line, as passages have none
    inside (see `programs.asking.adapter`)."""
    text = str(request.messages[0].text or "")
    return text[:LONGEST_BEGINNING].partition("\n\n")[0]


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
class _Health:
    """A server's calls under way, its failures in a row, and until when it is passed over for them. `refuses`: the last
    thing that it said was that no call of ours can succeed."""

    name: str
    in_flight: int = 0
    failures: int = 0
    paused_until: float = 0.0
    refuses: bool = False
    warned: bool = False

    @property
    def pauses(self) -> int:
        """How often in a row it was passed over."""
        return max(0, self.failures - DOWN_AFTER + 1)


class ServerSpread:
    """The servers, by their indices, and the calls that are under way. Safe to share between threads.

    A server that has failed `DOWN_AFTER` times in a row, or has said once that it refuses all calls, is passed over for a
    pause; then one call tries whether it answers again, and the others pass it over for the next, longer pause or until
    that call is answered. `pause` gives the seconds from how often it was passed over before; where the call that tried
    was long in failing, it is passed over for as long again, so that a server that answers none holds up few."""

    def __init__(
        self, names: Sequence[str], pause: Callable[[int], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = [_Health(name) for name in names]
        self._pause, self._clock, self._lock = pause, clock, threading.Lock()

    def order(self, request: Request) -> list[int]:
        """The servers as a request prefers them."""
        return preference(shared_beginning(request), [server.name for server in self._servers])

    @contextmanager
    def turn(self, order: Sequence[int], tried: list[int]) -> Iterator[int]:
        """The server for the next try of a call, which is added to `tried`; the block makes the try.

        A TransientError out of the block is swallowed where another server may be tried at once; it is raised where
        every server that is not passed over was. A FatalError is one too, with the server's name, unless every server
        refuses: one that was started with another model is no reason to stop. While all are passed over, calls go to them
        as if none was, and the first answer brings its server back."""
        with self._lock:
            index = choose(order, [server.in_flight for server in self._servers], self._open(tried) or order)
            server = self._servers[index]
            server.in_flight += 1
            began = self._clock()
            tries_whether_back = server.pauses > 0 and began >= server.paused_until
            if tries_whether_back:
                self._count_failure(server)
        tried.append(index)
        try:
            yield index
            self._heard(server, None)
        except BackendError as error:
            self._heard(server, error, self._clock() - began if tries_whether_back else 0.0)
            if isinstance(error, FatalError):
                said = f"{server.name}: {error}"
                error = type(error)(said) if all(each.refuses for each in self._servers) else TransientError(said)
            if not isinstance(error, TransientError) or not self._open(tried):
                raise error from None
        finally:
            with self._lock:
                server.in_flight -= 1

    def _open(self, tried: Collection[int]) -> list[int]:
        """The servers that are neither tried nor passed over."""
        now = self._clock()
        numbered = enumerate(self._servers)
        return [i for i, server in numbered if i not in tried and (not server.pauses or now >= server.paused_until)]

    def _heard(self, server: _Health, error: BackendError | None, seconds: float = 0.0) -> None:
        """A call ended so, after so many seconds if it tried whether the server is back. A server that answers badly,
        refuses one call, or asks for patience works."""
        failed = isinstance(error, TransientError) and not isinstance(error, RateLimited | EmptyAnswer)
        with self._lock:
            server.refuses = isinstance(error, FatalError)
            if not (failed or server.refuses):
                if server.warned:
                    log.warning("%s answers again", server.name)
                server.failures, server.warned = 0, False
                return
            if not server.pauses:
                server.failures = DOWN_AFTER - 1 if server.refuses else server.failures
                self._count_failure(server)
            seconds = max(seconds, getattr(error, "retry_after", None) or 0.0)
            server.paused_until = max(server.paused_until, self._clock() + seconds)
            if (server.pauses >= WARNED_AFTER or server.refuses) and not server.warned:
                server.warned = True
                log.warning("%s is passed over until it answers again: %s", server.name, error)

    def _count_failure(self, server: _Health) -> None:
        server.failures += 1
        if server.pauses:
            server.paused_until = self._clock() + self._pause(server.pauses)
