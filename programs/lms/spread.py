"""Chooses which of several servers with the same model a call goes to.

Each passage prefers the servers in its own order (rendezvous hashing: Thaler and Ravishankar, "Using name-based mappings to
increase hit rates", 1998), so that its calls find its prefix in one server's cache, and adding a server moves only a few
passages. A server that has its share of the calls in flight is skipped for the next in the order (Mirrokni, Thorup and
Zadimoghaddam, "Consistent hashing with bounded loads", arXiv:1608.01350).
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

MAX_PREFIX_CHARS = 4000  # characters of a passage, enough to tell it from others
WARN_AFTER_PAUSES = 3  # pauses in a row before the user is warned; a server with a brief problem is back sooner

DOWN_AFTER = 3
"""Failures in a row, over all calls, after which a server is skipped. A single failure says little about a server that
answers hundreds of calls at once, and the failed call goes to another server anyway."""

log = logging.getLogger(__name__)


def shared_prefix(request: Request) -> str:
    """The prefix that all calls about one passage share: the first message up to its first blank line, since passages
    contain none (see `programs.asking.adapter`)."""
    text = str(request.messages[0].text or "")
    return text[:MAX_PREFIX_CHARS].partition("\n\n")[0]


def rank_servers(prefix: str, names: Sequence[str]) -> list[int]:
    """The indices of `names`, the most preferred first. The order of two names does not depend on the other names."""
    digest = blake2b(prefix.encode("utf-8", "surrogatepass")).digest()
    weights = [blake2b(digest + name.encode()).digest() for name in names]
    return sorted(range(len(names)), key=weights.__getitem__)


def choose_server(order: Sequence[int], in_flight: Sequence[int], among: Collection[int]) -> int:
    """The first server in `order` that is in `among` and, with the new call, would have no more than 5/4 of an equal share,
    rounded up, of the calls in flight in `among`. There always is one, if `among` has any server of `order`."""
    allowed = [server for server in order if server in among]
    calls = sum(in_flight[server] for server in allowed) + 1
    limit = -(-5 * calls // (4 * len(allowed)))
    return next(server for server in allowed if in_flight[server] < limit)


@dataclass
class _Health:
    """A server's calls in flight, its failures in a row, and until when it is skipped for them. `refuses`: its latest reply
    said that no call of ours can succeed."""

    name: str
    in_flight: int = 0
    failures: int = 0
    paused_until: float = 0.0
    refuses: bool = False
    warned: bool = False

    @property
    def pauses(self) -> int:
        """The number of pauses in a row."""
        return max(0, self.failures - DOWN_AFTER + 1)


class ServerSpread:
    """Spreads calls over servers, which are known by their indices. Safe to share between threads.

    A server that has failed `DOWN_AFTER` times in a row, or has once refused all calls, is skipped for a pause. Then one
    call probes it, while the others skip it for the next, longer pause or until the probe is answered. `pause` returns the
    seconds of the n-th pause in a row, from 1. The pause is never shorter than the server's Retry-After, nor than the time
    that the probe took to fail, so that a server that never answers holds up few calls."""

    def __init__(
        self, names: Sequence[str], pause: Callable[[int], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = [_Health(name) for name in names]
        self._pause, self._clock = pause, clock
        self._lock = threading.Lock()

    def order(self, request: Request) -> list[int]:
        """The servers in the order in which a request prefers them."""
        return rank_servers(shared_prefix(request), [server.name for server in self._servers])

    @contextmanager
    def try_server(self, order: Sequence[int], tried: list[int]) -> Iterator[int]:
        """The server for the next try of a call, which is added to `tried`; the block makes the try.

        A TransientError from the block is suppressed if another server can be tried at once, and raised if every server
        that is not skipped was tried. A FatalError becomes a TransientError with the server's name, unless all servers
        refuse: a single server that was started with another model is no reason to stop. While all servers are skipped,
        calls go to them as if none were, and the first answer brings its server back."""
        with self._lock:
            in_flight = [server.in_flight for server in self._servers]
            index = choose_server(order, in_flight, self._available(tried) or order)
            server = self._servers[index]
            server.in_flight += 1
            started = self._clock()
            is_probe = server.pauses > 0 and started >= server.paused_until
            if is_probe:
                self._count_failure(server)
        tried.append(index)
        try:
            yield index
            self._record_end(server, None)
        except BackendError as error:
            self._record_end(server, error, self._clock() - started if is_probe else 0.0)
            if isinstance(error, FatalError):
                message = f"{server.name}: {error}"
                error = type(error)(message) if all(each.refuses for each in self._servers) else TransientError(message)
            if not isinstance(error, TransientError) or not self._available(tried):
                raise error from None
        finally:
            with self._lock:
                server.in_flight -= 1

    def _available(self, tried: Collection[int]) -> list[int]:
        """The servers that are neither tried nor skipped."""
        now = self._clock()
        numbered = enumerate(self._servers)
        return [i for i, server in numbered if i not in tried and (not server.pauses or now >= server.paused_until)]

    def _record_end(self, server: _Health, error: BackendError | None, seconds: float = 0.0) -> None:
        """Records the end of a call; `seconds` is how long a probe took. An empty answer, a refusal of one call, and a
        429 show that the server works."""
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
            if (server.pauses >= WARN_AFTER_PAUSES or server.refuses) and not server.warned:
                server.warned = True
                log.warning("skipping %s until it answers again: %s", server.name, error)

    def _count_failure(self, server: _Health) -> None:
        server.failures += 1
        if server.pauses:
            server.paused_until = self._clock() + self._pause(server.pauses)
