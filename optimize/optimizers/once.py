"""Work that is done once however often it is asked for, also when it is asked for by several threads at once."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

Result = TypeVar("Result")


class Once:
    """Remembers results, and errors, by key. Whoever asks while the work is being done waits for it."""

    def __init__(self) -> None:
        self._futures: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result of the first `make` for this key. Raises what that raised, every time."""
        with self._lock:
            future = self._futures.get(key)
            ours = future is None
            if future is None:
                future = self._futures[key] = Future()
        if ours:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return cast(Result, future.result())
