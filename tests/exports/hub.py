"""A server that stands in for the Hugging Face Hub, as far as a push needs it.

with Hub(token="hf_x") as hub:
    ...                                  # a process with HF_ENDPOINT=hub.url
    assert hub.files["README.md"]        # what the commits left in the repository
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

REPOSITORY = "lab/data"


class Hub:
    """One repository, `lab/data`, which is there from the start when it has `files`."""

    def __init__(self, token: str, files: dict[str, bytes] | None = None) -> None:
        self.token = token
        self.files = dict(files or {})
        self.there = files is not None
        self.private: bool | None = None
        self.commits = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON for a request; 404 for what a push does not ask."""
        address = f"{self.url}/datasets/{REPOSITORY}"
        route = path.partition("?")[0]
        if (method, route) == ("POST", "/api/repos/create"):
            asked = json.loads(body)
            if self.there:
                return 409, {"error": "You already created this dataset repo", "url": address}
            self.there, self.private = True, asked["visibility"] == "private"
            return 200, {"url": address}
        if (method, route) == ("POST", "/api/validate-yaml"):
            return 200, {"errors": [], "warnings": []}
        if route == f"/api/datasets/{REPOSITORY}/tree/main":
            return 200, [{"type": "file", "path": name, "size": 1, "oid": "0"} for name in self.files]
        if route == f"/api/datasets/{REPOSITORY}/preupload/main":
            names = [file["path"] for file in json.loads(body)["files"]]
            return 200, {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        if route == f"/api/datasets/{REPOSITORY}/commit/main":
            self._commit([json.loads(line) for line in body.splitlines()])
            return 200, {"success": True, "commitOid": "a" * 40, "commitUrl": f"{address}/commit/{'a' * 40}"}
        return 404, {"error": f"the stand-in does not know {method} {path}"}

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        self.commits += 1
        for line in lines:
            if line["key"] == "deletedFile":
                del self.files[line["value"]["path"]]
            elif line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            allowed = self.headers.get("authorization") == f"Bearer {hub.token}"
            status, found = hub.answer(self.command, self.path, body) if allowed else (401, {"error": "Invalid token"})
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
