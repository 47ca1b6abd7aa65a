"""A model inside this process: llama.cpp on a loopback port that only this process has the key to."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from dspy.lm15 import Request, Response
from filelock import BaseFileLock, FileLock, Timeout

from programs.errors import BackendError, Truncated, UserError
from programs.lms.addresses import BaseUrl
from programs.lms.server import Server
from programs.lms.slots import Slot, Slots
from programs.lms.weights import cache_folder, file_of
from programs.lms.wire import BodyRules

log = logging.getLogger("synthreasoner")

SLOTS = 4
"""Calls that are answered at once: the four strands of a question, for which the weights are then read once a step."""

TOKENS_A_SLOT = 8192

EMBEDDED_SECONDS = 3600.0
"""How long a call may take at least: nothing is lost on the way to it, it is only slow where cores are few or busy."""

WAIT = 0.05
"""Seconds after which a call for which no slot is free looks again: a call takes many."""

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
        self._path, self._slots = path, Slots(SLOTS)
        self._loaded: Any = None
        self._states: tuple[Path, BaseFileLock] | None = None
        self._lock = threading.Lock()

    async def ready(self) -> None:
        """Loads the model where it is not. Raises UserError where it cannot be loaded."""
        if self._loaded is None:
            await asyncio.to_thread(self._start)

    def close(self) -> None:
        with self._lock:
            self._loaded = None
            if self._states is not None:
                folder, lock = self._states
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()
                self._states = None

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        # A small model that is free to repeat itself runs to its token limit; a stronger penalty makes it babble. One
        # on what stands in the prompt (DRY sampling) makes it run words together and write letters of other alphabets.
        unrepeated = {"cache_prompt": True, "repeat_penalty": 1.1, "repeat_last_n": 256}
        return {**super().body(request, rules), **unrepeated}

    async def _answer(self, request: Request, **more: Any) -> Response:
        """The answer out of a slot that holds as much of the prompt as any has read (`programs.lms.slots`)."""
        parts = [request.system or "", *(part for message in request.messages for part in message.parts)]
        prompt = "\n".join(str(getattr(part, "text", part)) for part in parts)
        # Not left to the server: it would give the next call a slot whose state is still to be saved.
        while (slot := self._slots.take(prompt)) is None:
            await asyncio.sleep(WAIT)
        try:
            if slot.state is not None and not await self._moved(slot, "restore", slot.state):
                self._slots.forget(slot.state)
            try:
                response = await super()._answer(request, **more, id_slot=slot.number)
            except Truncated:
                await self._saved(slot)
                raise
            await self._saved(slot)
            return response
        finally:
            self._slots.leave(slot)

    async def _saved(self, slot: Slot) -> None:
        state = self._slots.oldest_state()
        if await self._moved(slot, "save", state):
            self._slots.saved(slot, state)

    async def _moved(self, slot: Slot, action: str, state: int) -> bool:
        """Whether a state was saved or restored. Where it was not (the disk is full, say), the prompt is read as a whole:
        that costs time, and must cost no answer."""
        try:
            self.payload(await self._send(f"/slots/{slot.number}?action={action}", {"filename": f"{state}.bin"}))
        except BackendError as error:
            log.info("the built-in model cannot %s what it has read: %s", action, error)
            return False
        return True

    def _start(self) -> None:
        with self._lock:
            if self._loaded is None:
                key, self._states = secrets.token_hex(16), own_folder()
                loaded = self._load(key, self._states[0])
                self.connect(BaseUrl(loaded.listening_address), key)
                # Last: whoever finds it loaded asks at once.
                self._loaded = loaded

    def _load(self, key: str, states: Path) -> Any:
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
        params.n_parallel, params.n_ctx, params.slot_save_path = SLOTS, SLOTS * TOKENS_A_SLOT, f"{states}/"
        # A restored prompt cache may hold another conversation (llama.cpp #27148); slots keep their own prefixes.
        params.cache_ram_mib, params.slot_prompt_similarity = 0, 0.1
        params.verbosity, params.endpoint_slots = 0, False
        # llama.cpp's threads wait for one another at every step: one that must share its core slows all several times.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = idle_cores()
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError):
            raise UserError(f"llama.cpp cannot load {self._path}: is it a whole GGUF file?") from None


def own_folder() -> tuple[Path, BaseFileLock]:
    """A new folder in the cache for what the slots of this process have read, and the lock that says that it lives; those
    of processes that were killed are deleted. Raises `UserError` where the cache cannot be written."""
    root = cache_folder() / "slots"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock"):
            for left in filter(Path.is_dir, root.iterdir()):
                # One that closes at this moment deletes its own.
                with contextlib.suppress(Timeout, FileNotFoundError), FileLock(left / "lock", timeout=0):
                    shutil.rmtree(left)
            folder = Path(tempfile.mkdtemp(dir=root))
            lock = FileLock(folder / "lock", thread_local=False)  # whoever closes the model gives it back
            lock.acquire()
    except OSError as error:
        raise UserError(f"{root} cannot be written: {error.strerror or error}") from error
    return folder, lock


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
