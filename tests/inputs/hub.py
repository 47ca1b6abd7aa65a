"""A server that answers as the Hugging Face Hub does for one repository: a data set's files of JSON lines, one a split, or
with `kind` "" a model's files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHA = "0" * 40


@contextmanager
def hub(files: dict[str, bytes], data_set: str = "lab/dust", kind: str = "/datasets") -> Iterator[str]:
    """Its address, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/api").removeprefix(f"{kind}/{data_set}")
            name = path.rpartition("/")[2]
            if path.startswith("/tree"):
                told = [{"type": "file", "path": name, "size": len(data), "oid": SHA} for name, data in files.items()]
                self._answer(json.dumps(told).encode())
            elif path == "" or path.startswith("/revision"):
                about = {"id": data_set, "sha": SHA, "private": False, "tags": [], "downloads": 0}
                self._answer(json.dumps({**about, "siblings": [{"rfilename": name} for name in files]}).encode())
            elif path.startswith("/resolve") and name in files:
                self._answer(files[name], {"ETag": '"x"', "X-Repo-Commit": SHA})
            else:
                code = "EntryNotFound" if path.startswith("/resolve") else "RepoNotFound"
                self._answer(b"", {"X-Error-Code": code}, 404)

        do_HEAD = do_GET

        def _answer(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
