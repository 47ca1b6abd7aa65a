"""A model inside this process: llama.cpp on a loopback port that only this process has the key to."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from dspy.lm15 import Request

from programs.errors import UserError
from programs.lms.addresses import BaseUrl
from programs.lms.server import Server
from programs.lms.weights import file_of
from programs.lms.wire import BodyRules

SLOTS = 4
"""Calls that are answered at once: the four strands of a question, for which the weights are then read once a step."""

TOKENS_A_SLOT = 8192

EMBEDDED_SECONDS = 3600.0
"""How long a call may take at least: nothing is lost on the way to it, it is only slow where cores are few or busy."""

LARGE = 500_000_000
"""Bytes of a model whose threads leave the cores to others while they wait."""


class Embedded(Server):
    """One model file, served from the first call until `close`, for all who share it.

    The server listens on loopback only, on a free port, wants a random key, has no pages and lets no web page in.
    """

    name = "embedded"
    unreachable = "the embedded server has stopped"
    chat_path, models_path = "/v1/chat/completions", "/v1/models"

    def __init__(self, path: Path, timeout: float = EMBEDDED_SECONDS) -> None:
        super().__init__(path.stem, base=BaseUrl("http://127.0.0.1"), timeout=max(timeout, EMBEDDED_SECONDS))
        self._path = path
        self._loaded: Any = None
        self._lock = threading.Lock()

    async def ready(self) -> None:
        """Loads the model where it is not. Raises UserError where it cannot be loaded."""
        if self._loaded is None:
            await asyncio.to_thread(self._start)

    def close(self) -> None:
        with self._lock:
            self._loaded = None

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        # A small model that is free to repeat itself runs to its token limit; a stronger penalty makes it babble. One
        # on what stands in the prompt (DRY sampling) makes it run words together and write letters of other alphabets.
        unrepeated = {"cache_prompt": True, "repeat_penalty": 1.1, "repeat_last_n": 256}
        return {**super().body(request, rules), **unrepeated}

    def _start(self) -> None:
        with self._lock:
            if self._loaded is None:
                key = secrets.token_hex(16)
                loaded = self._load(key)
                self.connect(BaseUrl(loaded.listening_address), key)
                # Last: whoever finds it loaded asks at once.
                self._loaded = loaded

    def _load(self, key: str) -> Any:
        # Its threads wait for one another at every step, and by default they do so computing: beside another process that
        # wants a core each step then waits for a turn of the scheduler. Read once, when OpenMP is loaded. On two cores the
        # model of 1.1 GB loses 1% by it when they are free and gains fivefold when not; small ones lose a quarter.
        if self._path.stat().st_size >= LARGE:
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.api_keys, params.cors_origins, params.ui = [key], "", False
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * TOKENS_A_SLOT
        # A restored prompt cache may hold another conversation (llama.cpp #27148); slots keep their own prefixes.
        params.cache_ram_mib, params.slot_prompt_similarity = 0, 0.1
        params.verbosity, params.endpoint_slots = 0, False
        # llama.cpp's threads wait for one another at every step: one that must share its core slows all several times.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = idle_cores()
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError):
            raise UserError(f"llama.cpp cannot load {self._path}: is it a whole GGUF file?") from None


class EmbeddedServers:
    """The embedded models of one process: one for each file, however many names are resolved to it. Who only looks at names
    does not `bring` files here."""

    def __init__(self, *, bring: bool = True) -> None:
        self._models: dict[Path, Embedded] = {}
        self._bring = bring

    def get(self, name: str, timeout: float = EMBEDDED_SECONDS) -> Embedded:
        """The server of a model that `programs.lms.weights.file_of` knows, brought here where it is not; not yet loaded.

        Raises UserError where llama.cpp or the file cannot be had.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise UserError("the embedded model needs llama.cpp: pip install 'synthreasoner[embedded]'")
        path = file_of(name, bring=self._bring).resolve()
        return self._models.setdefault(path, Embedded(path, timeout))


LOOKS, LOOK_SECONDS = 20, 2.0


def idle_cores(loadavg: Path = Path("/proc/loadavg")) -> int:
    """The cores that no other process keeps busy, at least one: what counts is how many tasks beside ours run in three of
    four looks of two seconds, as Linux reports them (proc(5), the fourth field of /proc/loadavg), since what has just ended
    would else take a core from the whole run. Elsewhere all are free."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not loadavg.is_file():
        return cores
    looks = []
    for _ in range(LOOKS):
        time.sleep(LOOK_SECONDS / LOOKS)
        looks.append(int(loadavg.read_text().split()[3].split("/")[0]) - 1)
    return min(cores, max(1, cores - sorted(looks)[LOOKS // 4]))
