"""A fake Hugging Face Hub with one repository: a data set with a JSONL file per split, or a model if `kind` is ""."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHA = "0" * 40


@dataclass
class HubBehaviour:
    """How the hub serves files: with `status`, breaking off once after `break_after` bytes. `requested_ranges` records the
    Range header of each request."""

    status: int = 200
    break_after: int | None = None
    requested_ranges: list[str | None] = field(default_factory=list)


@contextmanager
def hub(
    files: dict[str, bytes], data_set: str = "lab/dust", kind: str = "/datasets", behaviour: HubBehaviour | None = None
) -> Iterator[str]:
    """Runs a hub and yields its address."""
    configured = behaviour or HubBehaviour()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/api").removeprefix(f"{kind}/{data_set}")
            name = path.rpartition("/")[2]
            if path.startswith("/tree"):
                tree = [{"type": "file", "path": name, "size": len(data), "oid": SHA} for name, data in files.items()]
                self._answer(json.dumps(tree).encode())
            elif path == "" or path.startswith("/revision"):
                metadata = {"id": data_set, "sha": SHA, "private": False, "tags": [], "downloads": 0}
                self._answer(json.dumps({**metadata, "siblings": [{"rfilename": name} for name in files]}).encode())
            elif path.startswith("/resolve") and name in files and configured.status == 200:
                self._file(files[name])
            else:
                status = configured.status if configured.status != 200 else 404
                repo_exists = path.startswith("/resolve") and status != 401
                error_code = {"X-Error-Code": "EntryNotFound" if repo_exists else "RepoNotFound"}
                self._answer(b"", {"Retry-After": "0"} if status == 429 else error_code, status)

        do_HEAD = do_GET

        def _file(self, content: bytes) -> None:
            byte_range = self.headers["Range"]
            start, end = int(re.findall(r"\d+", byte_range or "0")[0]), len(content)
            headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": SHA}
            headers["Content-Length"] = str(len(content) - start)
            if self.command == "GET":
                configured.requested_ranges.append(byte_range)
                end, configured.break_after = configured.break_after or end, None
            self._answer(content[start:end], headers, 206 if start else 200)
            self.close_connection = end < len(content)

        def _answer(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
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
