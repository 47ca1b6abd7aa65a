"""Models inside this process: llama.cpp servers on loopback ports, with keys that only this process knows."""

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

from programs.errors import BackendError, UserError
from programs.lms.addresses import BaseUrl
from programs.lms.server import Server
from programs.lms.slots import Slot, Slots
from programs.lms.weights import cache_folder, file_of
from programs.lms.wire import BodyRules

log = logging.getLogger("synthreasoner")

SLOTS = 4
"""Calls answered at once: enough for the four strands of a question, which then share each reading of the weights."""

TOKENS_PER_SLOT = 8192

EMBEDDED_SECONDS = 3600.0
"""The minimum timeout of a call: nothing gets lost on a network, and a call is only slow because cores are few or busy."""

SLOT_POLL_SECONDS = 0.05
"""Seconds after which a waiting call looks for a free slot again; calls take many seconds."""

LARGE_MODEL_BYTES = 500_000_000
"""From this size on, in bytes, a model's waiting threads leave the cores to other processes."""


class Embedded(Server):
    """A server of one model file, loaded at the first call and kept until `aclose`. It listens on a free loopback port,
    requires a random key, and has no web UI and no CORS origins."""

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
        """Loads the model if necessary. Raises UserError if that fails."""
        if self._loaded is None:
            await asyncio.to_thread(self._start)

    async def aclose(self) -> None:
        await super().aclose()
        with self._lock:
            self._loaded = None
            if self._states is not None:
                folder, lock = self._states
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()
                self._states = None

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        # Without a penalty, small models repeat themselves up to the token limit; with a stronger one they babble. Its
        # window reaches back into the prompt, or they recite the passage and the notes. DRY sampling made them join words
        # and write letters of other alphabets.
        extra = {"cache_prompt": True, "repeat_penalty": 1.1, "repeat_last_n": 1024}
        return {**super().body(request, rules), **extra}

    async def _answer(self, request: Request, **extra_fields: Any) -> Response:
        """The answer, from a slot that shares as much of the prompt as possible (`programs.lms.slots`)."""
        parts = [request.system or "", *(part for message in request.messages for part in message.parts)]
        prompt = "\n".join(str(getattr(part, "text", part)) for part in parts)
        # If the server chose, it could give the next call a slot whose state is not saved yet.
        while (slot := self._slots.take(prompt)) is None:
            await asyncio.sleep(SLOT_POLL_SECONDS)
        try:
            if slot.source is not None:
                await self._transfer_state(slot, "restore", slot.source)
            response = await super()._answer(request, **extra_fields, id_slot=slot.number)
            saved = await self._transfer_state(slot, "save", slot.number)
            self._slots.record_state(slot, saved=saved)
            return response
        finally:
            self._slots.release(slot)

    async def _transfer_state(self, slot: Slot, action: str, state: int) -> bool:
        """Saves or restores a slot's state; returns whether that worked. A failure (the disk is full, say) is no reason to
        lose an answer: the prompt is just read as a whole, which takes longer."""
        try:
            self.payload(await self._send(f"/slots/{slot.number}?action={action}", {"filename": f"{state}.bin"}))
        except BackendError as error:
            log.info("the built-in model cannot %s the state of a slot: %s", action, error)
            return False
        return True

    def _start(self) -> None:
        with self._lock:
            if self._loaded is None:
                key = secrets.token_hex(16)
                # The folder is still there if loading failed before.
                self._states = self._states or make_state_folder()
                loaded = self._load(key, self._states[0])
                self.connect(BaseUrl(loaded.listening_address), key)
                # Last, because other callers send requests as soon as they find it set.
                self._loaded = loaded

    def _load(self, key: str, states: Path) -> Any:
        # OpenMP's threads wait for one another at every step, by default in a busy loop. If another process wants a core,
        # each step then waits for the scheduler. The variable is read once, when OpenMP is loaded. On two cores, the 1.1 GB
        # model is 1% slower with PASSIVE when they are free and five times faster when not; small models lose a quarter.
        if self._path.stat().st_size >= LARGE_MODEL_BYTES:
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # An optional extra.
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.api_keys = [key]
        params.cors_origins, params.ui = "", False
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * TOKENS_PER_SLOT
        params.slot_save_path = f"{states}/"
        # No prompt cache: a restored one may hold another conversation (llama.cpp #27148). Slots keep their prefixes.
        params.cache_ram_mib, params.slot_prompt_similarity = 0, 0.1
        params.verbosity, params.endpoint_slots = 0, False
        # Threads wait for one another at every step, so one that has to share its core slows all of them several times.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = idle_cores()
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError):
            raise UserError(f"llama.cpp cannot load {self._path}: is it a complete GGUF file?") from None


def make_state_folder() -> tuple[Path, BaseFileLock]:
    """A new cache folder for the slot states of this process, and its lock, held until the model is closed. Deletes the
    folders of processes that were killed. Raises `UserError` if the cache cannot be written."""
    root = cache_folder() / "slots"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock"):
            for stale in filter(Path.is_dir, root.iterdir()):
                # Skip a folder that is in use, or that its owner is deleting at this moment.
                with contextlib.suppress(Timeout, FileNotFoundError), FileLock(stale / "lock", timeout=0):
                    shutil.rmtree(stale)
            folder = Path(tempfile.mkdtemp(dir=root))
            lock = FileLock(folder / "lock", thread_local=False)  # another thread may close the model
            lock.acquire()
    except OSError as error:
        raise UserError(f"{root} cannot be written: {error.strerror or error}") from error
    return folder, lock


def embedded(name: str, timeout: float, *, download: bool) -> Embedded:
    """The server, not yet loaded, of a name that `programs.lms.weights.file_of` accepts, which is also told whether to
    download a missing file. Raises UserError if llama.cpp is not installed or the file is not available."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise UserError("the embedded model needs llama.cpp: pip install 'synthreasoner[embedded]'")
    return Embedded(file_of(name, download=download).resolve(), timeout)


LOAD_READINGS, LOAD_SECONDS = 20, 2.0


def idle_cores(loadavg: Path = Path("/proc/loadavg")) -> int:
    """The number of cores that no other process keeps busy, at least one. Takes the lower quartile of the number of other
    running tasks (proc(5), the fourth field of /proc/loadavg) over two seconds, so that a task that is about to end does
    not cost the whole run a core. Without /proc/loadavg, all cores count as idle."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not loadavg.is_file():
        return cores
    running = []
    for _ in range(LOAD_READINGS):
        time.sleep(LOAD_SECONDS / LOAD_READINGS)
        running.append(int(loadavg.read_text().split()[3].split("/")[0]) - 1)
    return min(cores, max(1, cores - sorted(running)[LOAD_READINGS // 4]))
